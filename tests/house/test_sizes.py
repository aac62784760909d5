"""Modules and functions stay small enough to be read at once."""

import ast
from collections.abc import Callable
from statistics import median

import pytest

from tests.house.tree import PACKAGES, ROOT, functions, modules, parse

MODULE_CAP = 400
FUNCTION_CAP = 50
MEDIAN_CAP = 90
PRODUCT = modules(*PACKAGES)


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


@pytest.mark.parametrize("name", modules(*PACKAGES, "tests"))
def test_a_module_fits_in_the_cap(name: str) -> None:
    """No module is longer than four hundred lines."""
    assert lines(name) <= MODULE_CAP


def test_half_of_the_modules_are_a_screen_or_two(record_property: Callable[[str, object], None]) -> None:
    """The median module of the product is ninety lines or less."""
    sizes = [size for name in PRODUCT if (size := lines(name)) > 5]
    record_property("median_module_lines", median(sizes))
    assert median(sizes) <= MEDIAN_CAP


@pytest.mark.parametrize("name", modules(*PACKAGES, "tests"))
def test_a_function_fits_in_the_cap(name: str) -> None:
    """No function is longer than fifty lines, its docstring aside."""
    long = {f"{node.name} line {node.lineno}": body_lines(node) for node in functions(parse(name))}
    assert {where: size for where, size in long.items() if size > FUNCTION_CAP} == {}


@pytest.mark.parametrize("name", [name for name in PRODUCT if lines(name) > 1])
def test_a_module_opens_with_why_it_exists(name: str) -> None:
    """The first lines of a module are a sentence, not a repetition of its name."""
    sentence = ast.get_docstring(parse(name)) or ""
    assert len(sentence.split()) >= 4
