"""`huigong audit` as anybody meets it: over HTTP from a server that may lie, redirect, drip or flood, or from a folder; exit codes."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from api import record_files
from api.commands.audit import audit
from api.record_files import AHEAD
from tests.record_log import KEY, OTHER, change, copy_record, files_of, many_entries

ENTRIES = list(many_entries(300))
FILES = files_of(ENTRIES)
Answer = tuple[int, bytes, dict[str, str]]


@contextmanager
def serving(answer: Callable[[str], Answer]) -> Iterator[str]:
    """A server that answers each path as told; its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body, headers = answer(self.path.removeprefix("/record/"))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/record"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def honest(path: str) -> Answer:
    data = FILES.get(path)
    return (404, b"", {}) if data is None else (200, data, {})


def write(folder: Path, bodies: list[bytes]) -> Path:
    return copy_record(files_of(bodies).get, folder, len(bodies))


@pytest.fixture
def run() -> Callable[..., Result]:
    cli = typer.Typer()
    cli.command("audit")(audit)
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


def test_a_record_is_audited_over_http(run: Callable[..., Result]) -> None:
    with serving(honest) as url:
        found = run(f"{url}/")
    assert found.exit_code == 0
    assert found.stdout.splitlines()[-1] == "0 findings"
    assert KEY.verifier.text in found.stdout


def test_each_file_is_fetched_once_and_a_little_ahead(run: Callable[..., Result]) -> None:
    bodies = list(many_entries(2_000))
    files, asked = files_of(bodies), []

    def answer(path: str) -> Answer:
        asked.append(path)
        return (404, b"", {}) if path not in files else (200, files[path], {})

    with serving(answer) as url:
        assert run(url).exit_code == 0
    assert sorted(set(asked) & set(files)) == sorted(files)
    assert len(asked) == len(set(asked)) <= len(files) + 2 * AHEAD


def test_a_folder_is_audited_and_the_checkpoint_kept(run: Callable[..., Result], tmp_path: Path) -> None:
    copy, kept = write(tmp_path / "copy", ENTRIES), tmp_path / "seen"
    assert run(copy, "--keep", kept, "--vkey", KEY.verifier.text).exit_code == 0
    assert kept.read_bytes() == FILES["checkpoint"]
    assert run(copy, "--since", kept, "--keep", kept).exit_code == 0
    shorter = write(tmp_path / "shorter", ENTRIES[:200])
    found = run(shorter, "--since", kept, "--keep", kept)
    assert (found.exit_code, found.stdout.split(":")[0]) == (1, "consistency")
    assert kept.read_bytes() == FILES["checkpoint"], "what was seen is not forgotten for what contradicts it"


def test_each_finding_is_a_line_with_its_place(run: Callable[..., Result], tmp_path: Path) -> None:
    wrong = change(ENTRIES[9], paid=1)
    found = run(write(tmp_path, [*ENTRIES[:9], wrong, *ENTRIES[10:]]), "--keep", tmp_path / "seen")
    assert found.exit_code == 1
    lines = found.stdout.splitlines()
    assert lines[0].startswith(f"amounts: entry 9 ({9:032x}), list: ")
    assert lines[-1] == f"{len(lines) - 4} findings"
    assert (tmp_path / "seen").exists(), "the log itself is sound"


def test_what_the_record_holds_cannot_move_the_cursor(run: Callable[..., Result], tmp_path: Path) -> None:
    wrong = change(ENTRIES[9], type="\x1b[2J\n0 findings")
    found = run(write(tmp_path, [*ENTRIES[:9], wrong]))
    assert "\x1b" not in found.stdout
    assert found.stdout.splitlines()[-1] == "1 findings"


REFUSED: dict[str, tuple[Callable[[str], Answer], str]] = {
    "another host": (lambda _: (302, b"", {"Location": "http://elsewhere.example/"}), "Give the final address"),
    "no record": (lambda _: (404, b"", {}), "There is no checkpoint"),
    "no policy": (lambda path: (404, b"", {}) if path == "policy" else honest(path), "There is no policy"),
    "a page of the site": (lambda _: (403, b"", {}), "status 403"),
    "a flood": (lambda _: (200, bytes(1_000_001), {}), "more than the 1,000,000 bytes"),
    "a long tile": (
        lambda path: (200, bytes(8_193), {}) if path == "tile/0/000" else honest(path),
        "more than the 8,192 bytes",
    ),
    "cut off": (lambda path: (200, honest(path)[1], {"Content-Length": "99999", "Connection": "close"}), "Try again"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_said_with_the_next_step(name: str, run: Callable[..., Result]) -> None:
    answer, sentence = REFUSED[name]
    with serving(answer) as url:
        found = run(url)
    assert (found.exit_code, found.stdout) == (2, "")
    assert sentence in found.stderr
    assert found.stderr.startswith("huigong audit: ")
    assert found.stderr.count("\n") == 1


def test_a_compressed_answer_is_not_unpacked(run: Callable[..., Result]) -> None:
    with serving(lambda path: (*honest(path)[:2], {"Content-Encoding": "gzip"})) as url:
        assert run(url).exit_code == 0, "the bytes are those of the file whatever is claimed of them"


def test_an_answer_that_drips_is_given_up(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_files, "FILE_SECONDS", -1)
    with serving(honest) as url:
        found = run(url)
    assert (found.exit_code, "takes more than" in found.stderr) == (2, True)


def test_nobody_at_the_address(run: Callable[..., Result]) -> None:
    with serving(honest) as url:
        pass
    found = run(url)
    assert (found.exit_code, "could not be read" in found.stderr) == (2, True)


def test_options_that_cannot_be_used(run: Callable[..., Result], tmp_path: Path) -> None:
    copy = write(tmp_path / "copy", ENTRIES)
    (tmp_path / "nonsense").write_text("nonsense")
    for words, sentence in (
        ((copy, "--since", tmp_path / "missing"), "The first time leave --since out"),
        ((copy, "--since", tmp_path / "nonsense"), "give a file that --keep wrote"),
        ((copy, "--vkey", "nonsense"), "copy it whole"),
        ((copy, "--keep", tmp_path / "none" / "seen"), "Give a file in a folder"),
        ((tmp_path / "nowhere",), "neither an address"),
        (("ftp://card.example.org/record",), "neither an address"),
    ):
        found = run(*words)
        assert (found.exit_code, sentence in found.stderr) == (2, True), found.output
    assert run(copy, "--vkey", OTHER.verifier.text).exit_code == 1


def test_neither_database_nor_web_is_imported(tmp_path: Path) -> None:
    """It works wherever the package is installed, and starts quickly."""
    code = (
        "import sys; from api.cli import app; app(sys.argv[1:], standalone_mode=False);"
        "print(*sorted({'sqlalchemy', 'fastapi', 'psycopg', 'stripe'} & set(sys.modules)))"
    )
    copy = write(tmp_path, ENTRIES)
    done = subprocess.run([sys.executable, "-c", code, "audit", str(copy)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["0 findings", ""]
