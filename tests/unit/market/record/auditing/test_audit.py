"""The audit of whole logs in memory: signatures, missing files, rewritten history, and one flipped byte anywhere."""

from dataclasses import dataclass
from random import Random

import pytest

from market.record.auditing.audit import MOST_FINDINGS, Audited, KeptCheckpointError, NoRecordError, audit_log
from market.record.auditing.hashes import ProvedLog
from market.record.log.bundles import decode_bundle
from market.record.log.checkpoints import Checkpoint, sign_checkpoint
from market.record.log.tiles import TiledTree, parse_path
from market.record.log.tree import EMPTY_ROOT
from tests.record_log import KEY, ORIGIN, OTHER, files_of, many_entries, policy_entry, sale

SIZE = 700
ENTRIES = list(many_entries(SIZE))
FILES = files_of(ENTRIES)


def audit(files: dict[str, bytes], **more: object) -> Audited:
    return audit_log(files.get, **more)


def without(*paths: str) -> dict[str, bytes]:
    return {path: data for path, data in FILES.items() if path not in paths}


def places(audited: Audited) -> list[tuple[str, int | None, str]]:
    return [(finding.rule, finding.leaf_index, finding.field) for finding in audited.findings]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 700])
def test_a_log_of_any_size_is_clean(size: int) -> None:
    seen = []
    audited = audit(files_of(ENTRIES[:size]), progress=lambda *done: seen.append(done))
    assert audited.findings == []
    assert audited.replayed == sum(audited.counts.values()) == size
    assert seen[0] == (0, size)
    assert seen[-1] == (size, size)


def test_tiles_of_a_second_and_third_level() -> None:
    size = 66_100
    files = files_of([b"%d" % number for number in range(size)])
    root = TiledTree(size, files.get).root
    assert "tile/2/000.p/1" in files
    for path, at in (("", 0), ("tile/1/000", 32 * 200), ("tile/2/000.p/1", 3), ("tile/0/257", 8_191)):
        flipped = {**files, path: flip(files[path], at)} if path else files
        log = ProvedLog(flipped.get, size=size, root=root, kept_size=65_536)
        assert sum(len(batch.entries) for batch in log.walk()) == size
        assert [finding.field for finding in log.found] == ([f"{path}, hash {at // 32}"] if path else [])
        assert log.kept_root == TiledTree(size, files.get).root_at(65_536)


def test_the_full_tile_does_where_a_partial_one_is_gone() -> None:
    bodies = list(many_entries(600))
    before, now = files_of(bodies[:300]), files_of(bodies)
    files = {**now, "checkpoint": before["checkpoint"]}
    assert "tile/0/001.p/44" not in files
    assert audit({**files, "tile/1/000.p/1": before["tile/1/000.p/1"]}).findings == []


@pytest.mark.parametrize("path", sorted(FILES))
def test_a_file_that_is_missing_is_named(path: str) -> None:
    files = without(path)
    if path in {"checkpoint", "policy"}:
        with pytest.raises(NoRecordError, match=path):
            audit(files)
    else:
        assert [finding.field for finding in audit(files).findings] == [path]


def test_a_bundle_that_goes_on_is_found() -> None:
    files = {**FILES, "tile/entries/001": FILES["tile/entries/001"] + b"\x00\x01x"}
    assert places(audit(files)) == [("hashes", 511, "tile/entries/001")]


def test_entries_under_a_signature_that_is_not_the_logs() -> None:
    assert places(audit(files_of(ENTRIES, key=OTHER))) == [("signature", None, "checkpoint")]
    assert audit(FILES, vkey=KEY.verifier).findings == []
    assert [rule for rule, *_ in places(audit(FILES, vkey=OTHER.verifier))] == ["policy", "signature"]


def test_a_key_changes_by_a_policy_entry_alone() -> None:
    new = policy_entry(9_000, key=OTHER)
    assert audit(files_of([*ENTRIES, new], key=OTHER)).findings == []
    swapped = audit(files_of(ENTRIES, key=OTHER, policy=policy_entry(0, key=OTHER)))
    assert places(swapped) == [("policy", 0, "")], "served, signed with, and never published"


def test_the_rules_stop_where_the_proof_stops() -> None:
    files = {**FILES, "tile/entries/001": FILES["tile/entries/000"]}
    audited = audit(files)
    assert audited.replayed == 256
    assert places(audited) == [("hashes", 256, "tile/entries/001")]
    assert "255 more" in audited.findings[0].problem


def test_a_root_that_nothing_leads_to() -> None:
    lie = sign_checkpoint(Checkpoint(ORIGIN, SIZE, bytes(32)), KEY).note.encode()
    assert places(audit({**FILES, "checkpoint": lie})) == [("hashes", None, "checkpoint")]
    empty = sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), KEY).note.encode()
    assert ("hashes", None, "checkpoint") in places(audit({**FILES, "checkpoint": empty}))
    empty = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), KEY).note.encode()
    assert places(audit({**FILES, "checkpoint": empty})) == [("policy", None, "policy")], (
        "served before it is in the log"
    )


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 699, 700])
def test_a_log_that_only_grew_continues_what_was_kept(size: int) -> None:
    assert audit(FILES, since=files_of(ENTRIES[:size])["checkpoint"]).findings == []


def test_the_first_checkpoint_may_be_of_nothing() -> None:
    empty = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), KEY).note.encode()
    assert audit(FILES, since=empty).findings == []


@pytest.mark.parametrize("size", [256, 300, 512, 700])
def test_history_that_was_rewritten_is_found(size: int) -> None:
    other = [*ENTRIES[:5], sale(5_000), *ENTRIES[6:size]]
    audited = audit(FILES, since=files_of(other)["checkpoint"])
    assert places(audited) == [("consistency", None, "the kept checkpoint")]
    assert "rewritten" in audited.findings[0].problem


def test_a_log_that_shrank_is_found() -> None:
    audited = audit(files_of(ENTRIES[:300]), since=FILES["checkpoint"])
    assert "taken back" in audited.findings[0].problem


def test_a_kept_checkpoint_of_another_key_or_log_is_found() -> None:
    audited = audit(FILES, since=files_of(ENTRIES[:300], key=OTHER)["checkpoint"])
    assert places(audited) == [("consistency", None, "the kept checkpoint")]
    foreign = sign_checkpoint(Checkpoint("other.example/log", 1, bytes(32)), KEY).note.encode()
    assert "other.example/log" in audit(FILES, since=foreign).findings[0].problem
    with pytest.raises(KeptCheckpointError):
        audit(FILES, since=b"nonsense")


def test_a_kept_checkpoint_of_before_the_key_changed_holds() -> None:
    new = policy_entry(9_000, key=OTHER)
    assert audit(files_of([*ENTRIES, new], key=OTHER), since=FILES["checkpoint"]).findings == []


def test_findings_are_counted_beyond_the_first_thousand() -> None:
    bodies = [policy_entry(0), *([sale(5)] * 2_000)]
    audited = audit(files_of(bodies))
    assert len(audited.findings) == MOST_FINDINGS
    assert audited.more > 1_000


def flip(data: bytes, at: int, mask: int = 1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= mask
    return bytes(changed)


@dataclass(frozen=True)
class Flip:
    """One bit pattern laid over one byte of one file."""

    path: str
    at: int
    mask: int

    def lay(self, files: dict[str, bytes]) -> dict[str, bytes]:
        return {**files, self.path: flip(files[self.path], self.at, self.mask)}

    def place(self, files: dict[str, bytes]) -> tuple[int | None, str]:
        """Where it must be found: the entry with its bundle, or the hash with its tile, or the file."""
        if not self.path.startswith("tile/"):
            return None, self.path
        tile = parse_path(self.path)
        if tile.level is not None:
            return None, f"{self.path}, hash {self.at // 32}"
        end = 0
        for number, entry in enumerate(decode_bundle(tile, files[self.path])):
            end += 2 + len(entry)
            if self.at < end:
                return tile.index * 256 + number, self.path
        raise AssertionError


@pytest.mark.parametrize(
    "count", [pytest.param(60, id="some"), pytest.param(1_000, id="many", marks=pytest.mark.prove)]
)
def test_every_flipped_byte_is_found_where_it_is(count: int) -> None:
    rng = Random(count)
    for _ in range(count):
        path = rng.choice(sorted(FILES))
        laid = Flip(path, rng.randrange(len(FILES[path])), rng.randrange(1, 256))
        found = audit(laid.lay(FILES)).findings
        if path == "policy":
            assert found, laid
        else:
            assert [(one.leaf_index, one.field) for one in found] == [laid.place(FILES)], laid
