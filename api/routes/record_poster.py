"""The weekly sheet for the notice board, as anybody may print it. No sign-in."""

from typing import Annotated

from fastapi import Query, Request, Response

from api.access import Doors
from api.door import own_origin
from api.exports import PUBLIC_CACHE
from api.poster.printing import keep_printed
from api.poster.sheet import make_sheet, read_week
from market.kit.clock import now
from market.kit.database import snapshot

doors = Doors(prefix="/record", tags=["public record"])

Week = Annotated[
    str, Query(pattern="^([0-9]{4}-W[0-9]{2})?$", description="YYYY-Www (ISO 8601), the last whole week if left out")
]


@doors.get("/poster.pdf", response_class=Response, responses={200: {"content": {"application/pdf": {}}}})
def record_poster(request: Request, week: Week = "") -> Response:
    """A week on one A4 page: who gave what, rebates due, offers, and the newest checkpoint."""
    at = now()
    monday = read_week(week, at=at)
    with snapshot() as tx:
        sheet = make_sheet(tx, monday=monday, address=own_origin(request), at=at)
    printed = keep_printed(sheet.texts, codes=sheet.codes)
    headers = {
        "Cache-Control": PUBLIC_CACHE,
        "Content-Disposition": f'inline; filename="huigong-poster-{sheet.week}.pdf"',
    }
    return Response(printed.pdf, media_type="application/pdf", headers=headers)
