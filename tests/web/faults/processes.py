"""The processes of an installation: the commands of an operator, killed as by a power cut and started again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx
from sqlalchemy import Engine, text

ROOT = Path(__file__).parents[3]
READY_SECONDS = 120


@dataclass
class Machine:
    """What runs, by name: `web`, `worker`, `sandbox`. `settings` are the operator's, `notes` is where each writes its log."""

    settings: Mapping[str, str]
    engine: Engine
    notes: Path
    running: dict[str, int] = field(default_factory=dict)
    _began: dict[str, float] = field(default_factory=dict)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        with (self.notes / "nursery.log").open("wb") as log:
            self._nursery = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("nursery.py")), str(self.notes)],
                env={**os.environ, **self.settings, "PYTHONPATH": str(ROOT)},
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.settings['HUIGONG_PORT']}"

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{self.settings['HUIGONG_SANDBOX_PORT']}"

    def start(self, name: str) -> None:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        with self._one_at_a_time:
            self._nursery.stdin.write(f"{name}\n")
            self._nursery.stdin.flush()
            told = self._nursery.stdout.readline()
            assert told, self.tail("nursery")
            self.running[name], self._began[name] = int(told), time.time()

    def wait_until_ready(self, name: str) -> None:
        until = time.monotonic() + READY_SECONDS
        while not self._is_ready(name):
            assert self._is_alive(name), f"{name} ended by itself: {self.tail(name)}"
            assert time.monotonic() < until, f"{name} does not come up: {self.tail(name)}"
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        os.kill(self.running[name], signal.SIGKILL)
        while self._is_alive(name):
            time.sleep(0.005)

    def stop(self) -> None:
        """End everything that was started here."""
        self._nursery.communicate(timeout=READY_SECONDS)

    def tail(self, name: str) -> str:
        return (self.notes / f"{name}.log").read_text()[-2000:]

    def _is_alive(self, name: str) -> bool:
        return Path("/proc", str(self.running[name])).exists()

    def _is_ready(self, name: str) -> bool:
        if name == "worker":
            alive = text("SELECT count(*) FROM jobs.procrastinate_workers WHERE last_heartbeat > to_timestamp(:since)")
            with self.engine.connect() as connection:
                return bool(connection.scalar(alive, {"since": self._began[name]}))
        address = f"{self.web}/readyz" if name == "web" else f"{self.sandbox}/pay/cs_test_none"
        try:
            return httpx.get(address).status_code in {200, 404}
        except httpx.TransportError:
            return False
