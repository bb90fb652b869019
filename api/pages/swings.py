"""The picture of a dry run: week by week who would have paid more, above the line, and who less, below it."""

from collections.abc import Sequence
from html import escape
from zlib import crc32

from markupsafe import Markup

from api.pages import i18n
from api.pages.i18n import Language
from api.pages.views.dry_run import DryRunWeek
from api.pages.views.shared import Amounts

HEIGHT, MIDDLE, REACH = 216, 98, 82  # pixels: the picture, its zero line, the longest stack on either side
NAMES = ("concession", "subsidy", "paid")


def swings(language: Language, title: str, weeks: Sequence[DryRunWeek], names: Sequence[str]) -> Markup:
    """A stack for each week. The list price is the same before and after, so that what goes up equals what goes down.

    `names` are the words for concession, subsidy and paid. A page that shows it also has the figures in a table.
    """
    changes = [changes_of(week.before, week.after) for week in weeks]
    top = max((sum(fen for fen in change if fen > 0) for change in changes), default=0)
    step = 10_000 // max(1, len(weeks))
    width = min(step * 62 // 100, 900)
    parts = [f'<line class="chart-floor" x1="0" x2="100%" y1="{MIDDLE}" y2="{MIDDLE}"/>']
    told = []
    for position, (week, change) in enumerate(zip(weeks, changes, strict=True)):
        left = _percent(step * position + step // 2 - width // 2)
        above = below = 0
        for name, fen in zip(NAMES, change, strict=True):
            length = abs(fen) * REACH // top if top else 0
            y = MIDDLE - above - length if fen > 0 else MIDDLE + below
            above, below = (above + length, below) if fen > 0 else (above, below + length)
            if length:
                box = f'x="{left}" y="{y}" width="{_percent(width)}" height="{length}"'
                parts.append(f'<rect class="chart-bar part-{name}" {box}/>')
        label = i18n.day(week.week_on, language)
        middle = _percent(step * position + step // 2)
        parts.append(
            f'<text class="chart-label" x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(label)}</text>'
        )
        told.append(
            f"{label}: " + ", ".join(f"{word} {i18n.yuan(fen)}" for word, fen in zip(names, change, strict=True))
        )
    if top:
        parts.append(f'<text class="chart-scale" x="0" y="12">+¥{escape(i18n.yuan_short(top, language))}</text>')
    name = f"chart-{crc32((title + ''.join(told)).encode()):08x}"
    return Markup(  # noqa: S704  every word in it is escaped
        f'<svg class="graph" role="img" aria-labelledby="{name}-t {name}-d" width="100%" height="{HEIGHT}">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape("; ".join(told))}</desc>'
        f"{''.join(parts)}</svg>"
    )


def changes_of(before: Amounts, after: Amounts) -> tuple[int, int, int]:
    """What concession, subsidy and paid become more by (fen); together nothing."""
    return (
        after.concession_fen - before.concession_fen,
        after.subsidy_fen - before.subsidy_fen,
        after.paid_fen - before.paid_fen,
    )


def _percent(ten_thousandths: int) -> str:
    return f"{ten_thousandths // 100}.{ten_thousandths % 100:02d}%"
