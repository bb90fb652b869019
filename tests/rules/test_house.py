"""Rules of the house that no tool knows: where things stand, and that no float comes near money."""

import ast
import json
import os
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("market", "merchants", "cards", "api")
FOLDERS = {
    *PACKAGES,
    "alembic",
    "bench",
    "bin",
    "deploy",
    "docs",
    "frontend",
    "requirements",
    "static",
    "templates",
    "tests",
    ".ci",
}
MONEY = ("market/pricing", "market/ledger", "market/sales", "market/kit/money.py")
LINES = 500


def list_files() -> list[Path]:
    """Every file of the project, without the folders that .gitignore names."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.endswith("/")]
    files = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not any(fnmatch(name, left) for left in (".git", *ignored))]
        files += [Path(folder, name) for name in names]
    return files


def list_python(*folders: str) -> list[Path]:
    return [
        path
        for path in list_files()
        if path.suffix == ".py" and any(path.is_relative_to(ROOT / folder) for folder in folders)
    ]


def find_floats(source: str) -> Iterator[str]:
    """Every float literal, call of `float` and true division of a module, as `line: what`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float() | complex()):
                yield f"{node.lineno}: literal {node.value}"
            case ast.Call(func=ast.Name(id="float")):
                yield f"{node.lineno}: float()"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield f"{node.lineno}: true division"
            case ast.ImportFrom(module="operator", names=names) if any(name.name == "truediv" for name in names):
                yield f"{node.lineno}: truediv"


@pytest.mark.parametrize("source", ["x = 0.1", "float(x)", "a / b", "a /= b", "1e3", "from operator import truediv"])
def test_the_float_finder_finds(source: str) -> None:
    assert len(list(find_floats(source))) == 1


def test_the_float_finder_leaves_whole_numbers_alone() -> None:
    assert list(find_floats("a // b + 3 * c % 2\nx: float\n'0.1'")) == []


def test_no_float_comes_near_money() -> None:
    modules = list_python(*MONEY)
    assert len({module.relative_to(ROOT).parts[1] for module in modules}) >= 3
    found = [f"{module.relative_to(ROOT)}:{place}" for module in modules for place in find_floats(module.read_text())]
    assert found == []


def test_every_folder_at_the_top_has_its_declared_purpose() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in list_files() if path.parent != ROOT}
    assert folders <= FOLDERS
    assert set(PACKAGES) <= folders


def test_the_packages_are_the_same_for_every_tool() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert tuple(tool["mypy"]["packages"]) == PACKAGES
    assert tuple(tool["importlinter"]["root_packages"]) == PACKAGES
    assert tuple(tool["coverage"]["run"]["source"]) == PACKAGES
    assert tool["setuptools"]["packages"]["find"]["include"] == [f"{package}*" for package in PACKAGES]


def test_every_code_folder_is_a_package() -> None:
    """A folder without `__init__.py` escapes the contracts: the import graph does not see it."""
    assert [str(path.parent) for path in list_python(*PACKAGES) if not (path.parent / "__init__.py").exists()] == []


def test_the_migrations_do_not_shadow_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_the_migrations_see_every_table() -> None:
    """A models.py that alembic/env.py does not import is missing from migrations and from the check for differences."""
    env = (ROOT / "alembic" / "env.py").read_text()
    models = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in list_python(*PACKAGES)}
    models = {module for module in models if module.endswith(".models")}
    assert models == set(re.findall(r"^import (\S+\.models)$", env, flags=re.MULTILINE))


def test_every_migration_follows_one_other() -> None:
    parents = re.findall(
        r"^down_revision[^=]*= (.+)$",
        "\n".join(path.read_text() for path in (ROOT / "alembic" / "versions").glob("*.py")),
        flags=re.MULTILINE,
    )
    assert parents
    assert parents.count("None") == 1
    assert len(parents) == len(set(parents))


def test_locked_requirements_are_hashed_and_name_no_place() -> None:
    for path in (ROOT / "requirements").iterdir():
        text = path.read_text()
        assert not re.search(r"index|find-links|trusted-host|https?:|file:/|/opt/|/home/|/root/", text), path
        if path.suffix == ".txt":
            pins = re.findall(r"^([a-z0-9][\w.-]*)==\S+ \\\n    --hash=sha256:", text, flags=re.MULTILINE)
            assert pins == re.findall(r"^([a-zA-Z0-9][^=\s]*)==", text, flags=re.MULTILINE), path
            assert len(pins) > 20


def test_the_run_and_test_locks_agree() -> None:
    locks = [
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements" / name).read_text(), flags=re.MULTILINE))
        for name in ("run.txt", "dev.txt")
    ]
    assert locks[0].items() <= locks[1].items()


def test_everything_imported_at_run_time_is_in_the_run_lock() -> None:
    """The machine that runs Huigong has no test tools: an import that only dev.txt brings would fail there."""
    tests_only = {"pytest", "hypothesis", "playwright", "httpx2", "httpx", "pandas", "duckdb", "requests"}
    for path in list_python(*PACKAGES):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & tests_only, path


def test_no_javascript_lock_names_a_place() -> None:
    for path in list_files():
        if path.name == "package-lock.json":
            packages = json.loads(path.read_text())["packages"].values()
            assert not [package for package in packages if "resolved" in package]


def test_no_file_is_too_long_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in list_python(*PACKAGES, "tests", "bench")
        if (count := path.read_text().count("\n")) > LINES
    }
    assert long == {}


def test_the_licence_is_apache_2_in_full() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert text.lstrip().startswith("Apache License\n                           Version 2.0, January 2004")
    assert all(f"   {number}. " in text for number in range(1, 10))
    assert "END OF TERMS AND CONDITIONS" in text
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0"
