"""What the project consists of: the files that are, or would be, committed."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("streams", "schemas", "connectors")
GENERATED = ("schemas/models/",)
_IGNORED = {".venv", ".git", ".run", ".cache", "dist", "build"}


@cache
def files() -> tuple[str, ...]:
    """Paths from the root, with slashes. In an unpacked archive, where git knows nothing, all but the usual residue."""
    asked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode == 0 and asked.stdout:
        names = asked.stdout.splitlines()
    else:
        names = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if not _residue(path)]
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


def _residue(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return any(part in _IGNORED or part.endswith(("_cache", "__pycache__", ".egg-info")) for part in parts)


def text(name: str) -> str | None:
    """The content, or None when it is no text."""
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def modules(*roots: str) -> list[str]:
    """Our Python files below these folders; generated ones are not ours to shape."""
    return [
        name
        for name in files()
        if name.endswith(".py") and name.split("/")[0] in roots and not name.startswith(GENERATED)
    ]


@cache
def parse(name: str) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), name)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function, methods and nested ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of what is imported anywhere in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
