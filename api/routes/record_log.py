"""The log of the public record as files: checkpoint, tiles, bundles, policy, and proofs of single entries. No sign-in.

Paths and bytes are those of C2SP tlog-tiles, so that programs which were not written here can check it.
"""

from typing import Annotated, Final

from fastapi import Path, Response

from api.access import Doors
from api.errors import PageUnknownError
from market.kit.canonical import canonical_json
from market.kit.clock import business_day
from market.kit.database import transaction
from market.oversight.published import find_published
from market.record.log.errors import MalformedError
from market.record.log.tiles import WIDTH, parse_path
from market.record.publishing.served import find_checkpoint, find_published_policy, prove_entry, read_published
from market.record.texts import TextRemovedError, TextUnknownError, find_texts, read_salt

doors = Doors(prefix="/record", tags=["public record"])

FOR_EVER: Final = "public, max-age=31536000, immutable"
SOON_OLD: Final = "public, max-age=1"
PublicId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


@doors.get("/checkpoint", response_class=Response)
def record_checkpoint() -> Response:
    """The newest checkpoint, signed by the log and by those witnesses that have seen it."""
    with transaction() as tx:
        note = find_checkpoint(tx)
    return _file(note, "text/plain; charset=utf-8", SOON_OLD)


@doors.get("/tile/{path:path}", response_class=Response)
def record_tile(path: str) -> Response:
    """A tile of hashes (`0/000`, `1/000.p/3`) or a bundle of entries (`entries/000`), with a width as long as it is not full."""
    try:
        tile = parse_path(f"tile/{path}")
    except MalformedError:
        raise PageUnknownError from None
    with transaction() as tx:
        data = read_published(tx, tile)
    return _file(data, "application/octet-stream", FOR_EVER if tile.width == WIDTH else "public, max-age=3600")


@doors.get("/policy", response_class=Response)
def record_policy() -> Response:
    """The newest published policy: the log's name, its keys, when entries are published, who watches. Itself an entry of the log."""
    with transaction() as tx:
        body = find_published_policy(tx)
    return _file(body, "application/json", SOON_OLD)


@doors.get("/entries/{entry}.json", response_class=Response)
def record_entry(entry: PublicId) -> Response:
    """A published entry, byte for byte as it stands in the log."""
    with transaction() as tx:
        found = find_published(tx, public_id=entry)
    return _file(None if found is None else found.body, "application/json", FOR_EVER)


@doors.get("/entries/{entry}.tlog-proof", response_class=Response)
def record_proof(entry: PublicId) -> Response:
    """The proof that an entry is in the log (C2SP tlog-proof): its place, the path to the root, the checkpoint."""
    with transaction() as tx:
        found = find_published(tx, public_id=entry)
        proof = None if found is None else prove_entry(tx, leaf_index=found.leaf_index)
    return _file(None if proof is None else proof.encode(), "text/plain; charset=utf-8", SOON_OLD)


@doors.get("/entries/{entry}.text", response_class=Response)
def record_text(entry: PublicId) -> Response:
    """The text beside a published entry, which holds as `text` base64 of SHA-256(salt ‖ text): what a thing was called on that day."""
    with transaction() as tx:
        found = find_published(tx, public_id=entry)
        kept = None if found is None else find_texts(tx, public_ids=[entry]).get(entry)
    if kept is None:
        raise TextUnknownError
    if kept.removed_at is not None:
        raise TextRemovedError(day=business_day(kept.removed_at).isoformat())
    return _file(canonical_json({"salt": read_salt(kept), "text": kept.document}), "application/json", SOON_OLD)


def _file(data: bytes | None, kind: str, cache: str) -> Response:
    if data is None:
        raise PageUnknownError
    return Response(data, media_type=kind, headers={"Cache-Control": cache})
