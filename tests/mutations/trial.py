"""One mutation tried: a temporary copy of the engine and its quick tests, spoilt in one place, and what the tests said."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = [
    "market/__init__.py",
    "market/kit",
    "market/pricing",
    "tests/oracle",
    "tests/examples",
    "tests/unit/market",
    "pyproject.toml",
]
# Quickest first. The oracle's slices are a few hundred cases each.
ORACLE = "tests/unit/market/pricing/test_oracle.py::test_the_engine_finds_what_trying_every_plan_finds"
TESTS = [
    "tests/unit/market/kit/test_money.py",
    *(f"tests/unit/market/pricing/test_{name}.py" for name in ("examples", "semantics", "gates", "refund", "reasons")),
    *(f"{ORACLE}[{part}]" for part in range(3)),
]
MOST_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Mutation:
    """A replacement of `old`, which stands exactly once in the file at `path`, by `new`."""

    name: str
    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether a test failed, and in words which one, or what went wrong."""

    is_caught: bool
    told: str


UNSPOILT = Mutation("(nothing: the engine as it is)", "", "", "")


def try_mutation(mutation):
    """Run the quick tests on a copy spoilt by one mutation."""
    with tempfile.TemporaryDirectory(prefix="huigong-mutation-") as folder:
        tree = Path(folder)
        for name in COPIED:
            source, target = ROOT / name, tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copyfile(source, target)
        if mutation is not UNSPOILT:
            spoilt = tree / mutation.path
            text = spoilt.read_text()
            if text.count(mutation.old) != 1:
                return Trial(is_caught=False, told=f"its text stands there {text.count(mutation.old)} times")
            spoilt.write_text(text.replace(mutation.old, mutation.new))
        return run_tests(tree)


def run_tests(tree):
    """What the quick tests say of one tree, up to the first that fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *TESTS]
    # These tests need no plugin; loading those that are installed takes longer than half of the mutations.
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Trial(is_caught=True, told=f"no end within {MOST_SECONDS} s")
    if done.returncode == 0:
        return Trial(is_caught=False, told="no test failed")
    failed = re.search(r"^(?:FAILED|ERROR) \S*?(test_\w+\.py\S*)", done.stdout, re.MULTILINE)
    if not failed:  # not a failure of a test but of this script
        return Trial(is_caught=False, told=(done.stdout + done.stderr).strip()[-400:])
    return Trial(is_caught=True, told=failed[1])
