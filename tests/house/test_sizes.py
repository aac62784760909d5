"""Modules and functions stay small enough to be read at once."""

import ast
from statistics import median

from tests.house.tree import PACKAGES, ROOT, functions, modules, parse

MODULE_CAP = 400
FUNCTION_CAP = 50
MEDIAN_CAP = 100
"""The aim is ninety; the cap leaves room for one module that is being taken apart."""
TAIL_CAP = 250
PRODUCT = modules(*PACKAGES)
ALL = [*PRODUCT, *modules("tests")]


def lines(name: str) -> int:
    """Lines of a file."""
    return len((ROOT / name).read_text(encoding="utf-8").splitlines())


def span(node: ast.stmt) -> range:
    """The line numbers of a statement."""
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring and without the classes it builds: their methods count alone."""
    aside = [child for child in ast.walk(node) if isinstance(child, ast.ClassDef)]
    without = {line for child in aside for line in span(child)}
    if ast.get_docstring(node) is not None:
        without.update(span(node.body[0]))
    return len([line for line in span(node) if line not in without])


def test_modules_fit_in_the_cap() -> None:
    """No module is longer than four hundred lines."""
    assert {name: size for name in ALL if (size := lines(name)) > MODULE_CAP} == {}


def test_most_modules_are_a_screen_or_two() -> None:
    """Half of the product's modules stay near ninety lines, nine of ten below two hundred and fifty."""
    sizes = sorted(size for name in PRODUCT if (size := lines(name)) > 5)
    assert median(sizes) <= MEDIAN_CAP
    assert sizes[len(sizes) * 9 // 10] <= TAIL_CAP


def test_functions_fit_in_the_cap() -> None:
    """No function is longer than fifty lines, its docstring aside."""
    sizes = {f"{name}:{node.lineno} {node.name}": body_lines(node) for name in ALL for node in functions(parse(name))}
    assert {where: size for where, size in sizes.items() if size > FUNCTION_CAP} == {}


def test_modules_open_with_why_they_exist() -> None:
    """The first lines of a module are a sentence, not a repetition of its name."""
    opening = {name: ast.get_docstring(parse(name)) or "" for name in PRODUCT if lines(name) > 1}
    assert [name for name, sentence in opening.items() if len(sentence.split()) < 4] == []
