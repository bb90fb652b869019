"""Processes that `huigong run` brings besides the web: the worker, and in a demo the sandbox. Brought back when they die."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context, parent_process
from multiprocessing.context import SpawnProcess
from threading import Event, Thread

import structlog

STOP_SECONDS = 35  # a job that was begun is finished
AGAIN_SECONDS = 1
NICENESS = 5  # who stands at a till comes first, at the start as well

log = structlog.get_logger("huigong.companions")


@contextmanager
def companions(places: Sequence[str]) -> Iterator[None]:
    """Have these commands (`module:function`) run in processes of their own until the block is left."""
    over = Event()
    keepers = [Thread(target=_keep, args=(place, over), name=place, daemon=True) for place in places]
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        over.set()
        for keeper in keepers:
            keeper.join(timeout=STOP_SECONDS + AGAIN_SECONDS)


def _keep(place: str, over: Event) -> None:
    """Start it, start it again when it ends, stop it when all is over."""
    while not over.is_set():
        process = get_context("spawn").Process(target=_serve, args=(place,), name=place, daemon=True)
        process.start()
        while process.is_alive() and not over.wait(0.2):
            pass
        if over.is_set():
            _stop(process)
            return
        log.warning("a companion ended and is started again", place=place, status=process.exitcode)
        over.wait(AGAIN_SECONDS)


def _stop(process: SpawnProcess) -> None:
    process.terminate()
    process.join(timeout=STOP_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()


def _serve(place: str) -> None:
    """In the process of its own: Ctrl-C of the terminal is for the parent, which then says SIGTERM; without a parent it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    os.nice(NICENESS)
    parent = parent_process()
    if parent is not None:
        Thread(target=_follow, args=(parent.join,), name="parent", daemon=True).start()
    module, _, function = place.partition(":")
    getattr(import_module(module), function)()


def _follow(wait: Callable[[], None]) -> None:
    wait()
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(*_: object) -> None:
    sys.exit(0)
