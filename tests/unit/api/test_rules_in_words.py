"""Every rule of the audits says in words what does not hold."""

import ast
from collections.abc import Iterator
from pathlib import Path

from api.pages.rules import RULES

ROOT = Path(__file__).parents[3] / "market"
FILES = (
    *(ROOT / "oversight").glob("*audits.py"),
    ROOT / "oversight" / "finding.py",
    *(ROOT / "record" / "auditing").glob("*.py"),
)


def rules_of(source: str) -> Iterator[str]:
    """The first word of every call of `Finding` or `finding`: written out, or by the name that a constant of the file gives it."""
    tree = ast.parse(source)
    named = {
        node.target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            first = node.args[0]
            if name in {"Finding", "finding"} and isinstance(first, ast.Constant):
                yield str(first.value)
            elif name in {"Finding", "finding"} and isinstance(first, ast.Name) and first.id in named:
                yield str(named[first.id])


def test_every_rule_has_words_and_no_words_are_without_a_rule() -> None:
    named = {rule for path in FILES for rule in rules_of(path.read_text())}
    assert named == RULES.keys()
