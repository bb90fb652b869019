"""Return requests as values of pages, for the member who asked and for the merchant who answers. Nothing here asks a database."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from api.pages.i18n import Language, translate
from api.pages.pictures import N_
from api.pages.views import AskedBack, AskedLine, CauseChoice
from market.sales.orders.models import Cause, OrderLine, ReturnRequest

CAUSES: Final[Mapping[Cause, str]] = {
    "faulty": N_("坏了，或有瑕疵"),
    "wrong": N_("发错了，或少了"),
    "unsuited": N_("不合适，不想要"),
    "other": N_("其他"),
}


def say_cause(request: ReturnRequest, language: Language) -> str:
    """Why something comes back, in words of ours."""
    return translate(language, CAUSES[request.cause])


def show_causes(chosen: str, language: Language) -> tuple[CauseChoice, ...]:
    """The causes to choose from."""
    return tuple(
        CauseChoice(cause=cause, label=translate(language, label), chosen=cause == chosen)
        for cause, label in CAUSES.items()
    )


def show_asked(
    request: ReturnRequest,
    lines: Sequence[OrderLine],
    *,
    back_fen: int | None,
    staff: Mapping[UUID, str],
    language: Language,
) -> AskedBack:
    """A request and how it stands. `staff` are names of the merchant's people, `back_fen` what an open one would bring the member."""
    return AskedBack(
        request_id=str(request.id),
        at=request.at,
        state=request.state,
        lines=tuple(
            AskedLine(
                name=line.name.removesuffix(f" {line.variant}") if line.variant else line.name,
                variant=line.variant,
                qty=request.units[line.line],
            )
            for line in lines
            if line.line in request.units
        ),
        why=say_cause(request, language),
        words=request.words,
        back_fen=back_fen if request.state == "open" else None,
        ended_at=request.ended_at,
        ended_by=staff.get(request.ended_by, "") if request.ended_by else "",
        answer=request.answer,
    )
