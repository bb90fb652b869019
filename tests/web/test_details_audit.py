"""`huigong key auditor` and `huigong audit --details` as an auditor meets them: real sales, a mirror of the record, no database."""

import io
import os
import stat
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from api.cli import app
from market.kit.database import disconnect
from market.record.details.keys import AuditorSecret, parse_auditor_key
from market.record.details.sealing import seal, unseal
from tests.web.opening import SECRET, Opening, mirror, publish


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_an_export_is_audited_and_what_was_changed_is_found(opening: Opening, tmp_path: Path) -> None:
    data = opening.file()
    publish()
    record = mirror(tmp_path / "record")
    disconnect()
    key, file = tmp_path / "auditor.key", tmp_path / "details.sealed"
    key.write_text(SECRET.text + "\n")
    key.chmod(0o600)
    file.write_bytes(data)

    def audit() -> Result:
        return run("audit", record, "--details", file, "--key", key)

    found = audit()
    assert found.exit_code == 0, found.output
    assert "3 of 3 sales opened, 0 erased, 3 priced again" in found.stdout
    assert found.stdout.splitlines()[-1] == "0 findings"

    plain = b"".join(unseal(SECRET, io.BytesIO(data)))
    forged = plain.replace(b'\\"unit_price\\":1600', b'\\"unit_price\\":1500', 1)
    assert forged != plain
    file.write_bytes(b"".join(seal(SECRET.key, [forged])))
    found = audit()
    assert found.exit_code == 1
    assert any(line.startswith("details: entry ") and ", basket: " in line for line in found.stdout.splitlines())

    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert (found := audit()).exit_code in {1, 2}, found.output
    assert "was changed" in found.output
    key.write_text(AuditorSecret(b"\x07" * 32).text)
    assert (audit().exit_code, "another key" in audit().output) == (2, True)
    key.chmod(0o644)
    assert (audit().exit_code, "chmod 600" in audit().output) == (2, True)
    assert "go together" in run("audit", record, "--details", file).output


def test_an_auditors_key_is_made_without_a_database_and_never_overwritten(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", "key", "auditor", "--folder", str(tmp_path / "own")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HUIGONG_DATABASE_URL": "postgresql+psycopg://nowhere.invalid/none"},
    )
    public = parse_auditor_key(made.stdout)
    [path] = (tmp_path / "own").iterdir()
    assert public.id in path.name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().strip() not in made.stdout + made.stderr
    assert public.id in made.stderr
