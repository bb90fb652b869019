"""`huigong poster`: the weekly sheet for the notice board, as one A4 page."""

from pathlib import Path
from typing import Annotated

import typer

from api.commands.database import open_database
from api.poster.sheet import make_sheet, read_week
from market.kit.clock import now
from market.kit.database import snapshot
from market.kit.errors import ConflictError
from market.kit.files import whole_file
from market.kit.settings import get_settings


class PosterNotWrittenError(ConflictError):
    """The file could not be written."""

    code = "POSTER_NOT_WRITTEN"
    zh = "写不进 {file}（{reason}）。请用 --to 换一个可以写的文件夹。"
    en = "{file} could not be written ({reason}). Give a folder that you may write to with --to."


def poster(
    *,
    week: Annotated[str | None, typer.Option(help="YYYY-Www; the last whole week if left out.")] = None,
    to: Annotated[Path | None, typer.Option(help="The PDF to write; huigong-poster-YYYY-Www.pdf if left out.")] = None,
    address: Annotated[
        str | None, typer.Option(help="Where people reach this installation; HUIGONG_PUBLIC_URL if left out.")
    ] = None,
) -> None:
    """Write the week's sheet for the notice board: who gave what, rebates due, offers, the record's fingerprint."""
    settings, at = get_settings(), now()
    where = (address or settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")
    monday = read_week(week, at=at)
    with open_database(), snapshot() as tx:
        sheet = make_sheet(tx, monday=monday, address=where, at=at)
    printed = sheet.print()
    file = to or Path(f"huigong-poster-{sheet.week}.pdf")
    _write(file, printed.pdf)
    typer.echo(f"{file}: week {sheet.week}, one A4 page, {len(printed.pdf):,} bytes")
    if printed.missing:
        names = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in printed.missing)
        typer.echo(f"The fonts do not hold {names}: 〓 stands there, and the sheet says so.", err=True)


def _write(file: Path, pdf: bytes) -> None:
    try:
        with whole_file(file) as out:
            out.write(pdf)
    except OSError as error:
        raise PosterNotWrittenError(file=str(file), reason=error.strerror or "") from None
