"""Keeps the reason a process left for until it starts again.

A guard counts itself and ends the process in the same instant, so nobody ever scrapes that count. What it leaves in
this file is counted by the next start instead.
"""

import os
from pathlib import Path

LIMIT = 100


class LastWords:
    """A file in the data directory; losing it loses a count and nothing else."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "last-words"

    def leave(self, word: str) -> None:
        """Write the word through to the disk; a disk that refuses must not stop the process from leaving."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="ascii", errors="replace") as file:
                file.write(f"{word}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            return

    def take(self) -> list[str]:
        """The words left since the last start, at most a hundred; each is handed out once."""
        mine = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.replace(mine)
            words = mine.read_text(encoding="ascii", errors="replace").split()
            mine.unlink()
        except OSError:
            return []
        return words[-LIMIT:]
