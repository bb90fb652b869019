"""A public log made by hand: entries of every type, and the files that would be served of them. In memory, with a key of its own."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from market.kit.canonical import canonical_json
from market.kit.errors import invariant
from market.record.entries import Amounts, PublicTransfer, commit_documents, offer_entry, return_entry, sale_entry
from market.record.log.bundles import encode_bundle
from market.record.log.checkpoints import Checkpoint, sign_checkpoint
from market.record.log.keys import Kind, SignerKey
from market.record.log.tiles import ReadFile, TiledTree, grow_tiles, list_bundles, list_tiles
from market.record.log.tree import hash_leaf
from market.record.policy import Policy

ORIGIN = "test.example/log"
KEY = SignerKey(ORIGIN, Kind.NOTE, bytes(range(32)))
OTHER = SignerKey(ORIGIN, Kind.NOTE, bytes(range(1, 33)))
DAY = date(2026, 12, 1)
_DOCUMENTS = {"subject": b"a", "basket": b"b", "facts": b"c"}


def id_of(number: int) -> str:
    """A public id for each number."""
    return f"{number:032x}"


def policy_entry(number: int, *, key: SignerKey = KEY, origin: str = ORIGIN) -> bytes:
    promise = SignerKey(f"{ORIGIN}/promise", Kind.NOTE, bytes(32)).verifier
    policy = Policy(origin, key.verifier, promise, window_seconds=5, delay_seconds=60, zone="Asia/Shanghai")
    return policy.entry(public_id=id_of(number), day=DAY)


def offer(number: int, name: str = "NOODLE10", version: int = 1) -> bytes:
    terms = {"id": name, "version": version, "stage": "line", "kind": "percent_off", "rate_bp": 1000}
    return offer_entry(public_id=id_of(number), day=DAY, terms=terms, limits={}, signed=["m_0001"])


def budget(number: int, fen: int, *, code: str = "lunch", day: date = DAY) -> bytes:
    own = {"action": "granted", "budget": code, "ccy": "CNY", "transfers": [["union:fund", f"budget:{code}", fen]]}
    return other(number, "budget", day=day, **own)


def close(number: int, balances: Mapping[str, int], *, day: date = DAY) -> bytes:
    return other(number, "close", day=day, period="day", ccy="CNY", balances=dict(balances))


def other(number: int, kind: str, *, day: date = DAY, **fields: object) -> bytes:
    return canonical_json({"v": 1, "type": kind, "id": id_of(number), "day": day.isoformat(), **fields})


def sale(
    number: int,
    *,
    concession: int = 160,
    subsidy: int = 100,
    paid: int = 1540,
    member: int = 0,
    union: int = 0,
    day: date = DAY,
    merchant: str = "m_0001",
) -> bytes:
    """The noodle shop's sale: 10 % off, the union's yuan, and rebates if there are any."""
    public_id = id_of(number)
    return sale_entry(
        public_id=public_id,
        day=day,
        channel="shop",
        merchant=merchant,
        tender="declared",
        amounts=Amounts(concession + subsidy + paid, concession, subsidy, paid, member, union),
        offers=[("NOODLE10", 1, concession + member + union)],
        transfers=_transfers(merchant, subsidy, member, union),
        commitments=commit_documents(_DOCUMENTS, commit_key=bytes(32), public_id=public_id),
    )


def give_back(
    number: int,
    of: int,
    *,
    kind: str = "refund",
    concession: int = 160,
    subsidy: int = 100,
    paid: int = 1540,
    member: int = 0,
    union: int = 0,
    day: date = DAY,
) -> bytes:
    """A refund of the sale with the number `of`, of all of it unless amounts are given."""
    return return_entry(
        kind=kind,
        public_id=id_of(number),
        of=id_of(of),
        day=day,
        merchant="m_0001",
        amounts=Amounts(concession + subsidy + paid, concession, subsidy, paid, member, union),
        transfers=[
            PublicTransfer(one.credit, one.debit, one.amount_fen)
            for one in _transfers("m_0001", subsidy, member, union)
        ],
    )


def change(body: bytes, **fields: object) -> bytes:
    """The entry with other fields, canonical again."""
    return canonical_json({**json.loads(body), **fields})


def leave_out(body: bytes, field: str) -> bytes:
    said: dict[str, Any] = json.loads(body)
    del said[field]
    return canonical_json(said)


def many_entries(size: int, *, seed: int = 7) -> Iterator[bytes]:
    """A log of this size in which nothing is to be found: a policy, a budget, two offers, sales of three days, some of them returned."""
    rng = Random(seed)
    yield from [policy_entry(0), budget(1, 10**12), offer(2), offer(3, "WEEKDAY1")][:size]
    sold: list[tuple[int, dict[str, int]]] = []
    for number in range(4, size):
        day = date(2026, 12, 1 + number * 3 // size)
        if sold and rng.random() < 0.03:
            of, amounts = sold.pop(rng.randrange(len(sold)))
            yield give_back(number, of, day=day, **amounts)
        else:
            concession, subsidy, paid = rng.randrange(1, 900), rng.randrange(1, 300), rng.randrange(100, 9000)
            amounts = {"concession": concession, "subsidy": subsidy, "paid": paid, "member": rng.randrange(50)}
            if len(sold) < 1000:
                sold.append((number, amounts))
            yield sale(number, day=day, **amounts)


def files_of(bodies: Sequence[bytes], *, key: SignerKey = KEY, policy: bytes | None = None) -> dict[str, bytes]:
    """What is served of a log of these entries: checkpoint, policy, tiles, bundles."""
    files: dict[str, bytes] = {}
    for tile, data in grow_tiles(0, [hash_leaf(body) for body in bodies], files.get):
        files[tile.path] = data
    for bundle in list_bundles(0, len(bodies)):
        files[bundle.path] = encode_bundle(bodies[bundle.index * 256 : bundle.index * 256 + bundle.width])
    root = TiledTree(len(bodies), files.get).root
    files["checkpoint"] = sign_checkpoint(Checkpoint(ORIGIN, len(bodies), root), key).note.encode()
    policies: Iterable[bytes] = (body for body in reversed(bodies) if b'"type":"policy"' in body)
    files["policy"] = policy or next(iter(policies), policy_entry(0))
    return files


def copy_record(read: ReadFile, folder: Path, size: int) -> Path:
    """The record of this many entries as files below a folder, as a mirror would keep it."""
    tiles = (*list_tiles(0, size), *list_bundles(0, size))
    for path in ("checkpoint", "policy", *(tile.path for tile in tiles)):
        data = read(path)
        invariant(data is not None, f"{path} is served")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data or b"")
    return folder


def _transfers(merchant: str, subsidy: int, member: int, union: int) -> list[PublicTransfer]:
    made = [
        PublicTransfer("budget:lunch", f"payable:{merchant}", subsidy),
        PublicTransfer(f"receivable:{merchant}", "rebates:members", member),
        PublicTransfer(f"receivable:{merchant}", "rebates:union", union),
    ]
    return [transfer for transfer in made if transfer.amount_fen]
