"""Tests are promises: each says what it promises, waits for conditions and never for time, and none is left out."""

import ast
from collections.abc import Iterator

from tests.house.tree import functions, imported, modules, parse

TESTS = [name for name in modules("tests") if name.rpartition("/")[2].startswith("test_")]
FORBIDDEN = {
    "time.sleep": "await the condition instead",
    "pytest.skip": "a test that cannot run has to fail",
    "pytest.xfail": "a known failure has to be repaired or removed",
    "pytest.importorskip": "what is tested is installed",
    "pytest.mark.skip": "a test that cannot run has to fail",
    "pytest.mark.skipif": "a test that cannot run has to fail",
    "pytest.mark.xfail": "a known failure has to be repaired or removed",
    "unittest.mock": "replace the wire, not our classes",
}


def dotted(node: ast.AST) -> str:
    """`a.b.c` for such an expression, else nothing."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def used(tree: ast.Module) -> Iterator[str]:
    """Dotted names a file uses or imports."""
    yield from imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield dotted(node)


def test_tests_state_their_promise() -> None:
    """Every test function has a sentence that says what must hold."""
    silent = [
        f"{name}:{node.lineno} {node.name}"
        for name in TESTS
        for node in functions(parse(name))
        if node.name.startswith("test_") and len((ast.get_docstring(node) or "").split()) < 4
    ]
    assert silent == []


def test_nothing_is_skipped_slept_through_or_mocked() -> None:
    """The suite contains no way to pass without proving something."""
    found = {name: FORBIDDEN.keys() & set(used(parse(name))) for name in modules("tests")}
    assert {name: words for name, words in found.items() if words} == {}


def naps(node: ast.AST, *, polling: bool = False) -> Iterator[int]:
    """Lines with a pause that is not the pause between two looks at a condition."""
    for child in ast.iter_child_nodes(node):
        inside = (polling or isinstance(child, ast.While | ast.For | ast.AsyncFor)) and not isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef
        )
        if isinstance(child, ast.Call) and dotted(child.func) in {"asyncio.sleep", "sleep"} and not inside:
            seconds = child.args[0] if child.args else None
            if not (isinstance(seconds, ast.Constant) and seconds.value == 0):
                yield child.lineno
        yield from naps(child, polling=inside)


def test_a_pause_stands_only_between_two_looks_at_a_condition() -> None:
    """A test that waits for time instead of a condition is slow when it passes and wrong when it fails."""
    found = {name: list(naps(parse(name))) for name in modules("tests")}
    assert {name: places for name, places in found.items() if places} == {}


SETS_ASIDE = "tests/conftest.py"
"""Sets guarantee tests aside, aloud, where no real broker can be had; continuous integration refuses to run so."""


def test_no_configuration_leaves_tests_out() -> None:
    """What is in the tree is collected, and what is collected runs."""
    hooks = {"pytest_ignore_collect", "pytest_collection_modifyitems", "collect_ignore", "collect_ignore_glob"}
    for name in modules("tests"):
        if name.endswith("conftest.py") and name != SETS_ASIDE:
            names = {node.name for node in functions(parse(name))}
            names |= {node.id for node in ast.walk(parse(name)) if isinstance(node, ast.Name)}
            assert hooks & names == set(), name
