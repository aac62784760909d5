"""Opens the local mirror of a changelog: in memory, or on disk where a warm start has little left to read.

A mirror on disk is a convenience and never the truth: one that is damaged, too old, ahead of its changelog or of
another topic of that name is put aside and built anew.
"""

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import structlog

from streams.engine.restore import Opening
from streams.engine.stage import EngineConfig, Observer
from streams.engine.store import Memory, Store

log = structlog.get_logger("engine")


class Mirrors:
    """All mirrors of a worker. Entered, it owns the data directory: raises Misconfigured when another worker does."""

    def __init__(self, config: EngineConfig, observer: Observer) -> None:
        self._durable = config.store == "rocksdb"
        self._directory = Path(config.data_dir)
        self._observer = observer
        self._owned = contextlib.ExitStack()

    def __enter__(self) -> Self:
        if self._durable:
            from streams.engine.rocks import lock_directory

            self._owned.enter_context(contextlib.closing(lock_directory(self._directory)))
        return self

    def __exit__(self, *_: object) -> None:
        self._owned.close()

    def opening(self, topic_ids: Mapping[str, str]) -> Opening:
        """How lanes open their mirrors; the store and the offset of its changelog to read on from."""

        def on_disk(topic: str, partition: int, low: int, end: int) -> tuple[Store, int]:
            from streams.engine.rocks import open_store

            path = self._directory / topic / str(partition)
            store, aside = open_store(path, topic_ids.get(topic, ""), end, low, int(time.time()))
            if aside is not None:
                self._observer.set_aside(aside.reason)
                log.warning("engine.store_set_aside", store=f"{topic}-{partition}", **aside._asdict())
            mark = store.mark()
            return store, mark.offset if mark else low

        return on_disk if self._durable else in_memory


def in_memory(_topic: str, _partition: int, low: int, _end: int) -> tuple[Store, int]:
    """Opens nothing: the whole changelog is read."""
    return Memory(), low
