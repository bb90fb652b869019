"""The parent of the processes that are killed: it imports once what each needs, so that a successor is there in a moment.

`python nursery.py NOTES` reads a name a line and answers the pid of a child that runs this command, with its log in the folder NOTES.
When nothing more can be read, its children end with it.
"""

import os
import signal
import sys
from pathlib import Path

import api.app  # noqa: F401  what `serve` would import
from api.commands.run import serve
from api.commands.sandbox import sandbox
from api.commands.worker import worker

COMMANDS = {"web": serve, "worker": worker, "sandbox": sandbox}


def bear(name: str, notes: Path) -> int:
    """A child that runs this command; its pid."""
    child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(notes / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, number in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(ours, number)
    COMMANDS[name]()
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who is dead leaves nothing behind
    born: list[int] = []
    for line in sys.stdin:
        born.append(bear(line.strip(), Path(sys.argv[1])))
        sys.stdout.write(f"{born[-1]}\n")
        sys.stdout.flush()
    for child in born:
        if Path("/proc", str(child)).exists():
            os.kill(child, signal.SIGKILL)
