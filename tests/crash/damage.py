"""Damage to a store on disk, as power cuts and bad blocks do it: files gone, cut off, or with bytes turned."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path


def stores(data_dir: Path) -> list[Path]:
    """The stores in use below a worker's directory."""
    # Those that were set aside carry more than a number in their names.
    return sorted(path.parent for path in data_dir.rglob("CURRENT") if path.parent.name.isdecimal())


def damage(store: Path, dice: random.Random) -> str:
    """Damage one store in a random way; what was done."""
    tables, manifests, logs = (sorted(store.glob(shape)) for shape in ("*.sst", "MANIFEST-*", "*.log"))
    ways: list[tuple[str, Callable[[], None]]] = [("CURRENT gone", (store / "CURRENT").unlink)]
    for name, files in (("table", tables), ("manifest", manifests), ("log", logs)):
        if filled := [path for path in files if path.stat().st_size]:
            victim = dice.choice(filled)
            ways.append((f"{name} cut", partial(_cut, victim, dice)))
            ways.append((f"{name} turned", partial(_turn, victim, dice)))
    said, act = dice.choice(ways)
    act()
    return said


def _cut(path: Path, dice: random.Random) -> None:
    with path.open("r+b") as file:
        file.truncate(dice.randrange(path.stat().st_size))


def _turn(path: Path, dice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(min(64, len(content))):
        content[dice.randrange(len(content))] ^= 0xFF
    path.write_bytes(content)
