"""A store on disk, so that a restart reads the tail of a changelog and not all of it. `open_store` decides and opens.

Nothing is synced per write and nothing has to be: the mark lies in the same batch as what it speaks of, so whatever a
kill or a dying machine tears off, the mark falls back with it. A damaged store is set aside and built anew; a full disk
or a store in use is no damage.
"""

import contextlib
import fcntl
import shutil
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple

from rocksdict import BlockBasedOptions, Cache, DbClosedError, DBCompressionType, Options, Rdict, WriteBatch

from streams.engine.store import Mark, Pair, doubt
from streams.errors import Failure, Fatal, Misconfigured

MARK = b"\x00\x00mark"
"""Beside the engine's reserved keys and none of them: no changelog has it."""

FLAG = "damaged"
"""A file in the store's folder: an earlier life met damage here."""

KEPT = 2
"""How many stores that were set aside stay on disk for a person to look at, per store and kind."""

MIB = 1 << 20
PIECE = 2000
_FORMAT = 1
_MARK = struct.Struct(">Bqq")

# What the operating system says; RocksDB hands its words on, but no number.
FULL = ("No space left", "File too large", "Disk quota exceeded")
REFUSED = ("Permission denied", "Operation not permitted", "Read-only file system")
STARVED = ("Too many open files", "Cannot allocate memory")
HELD = "lock hold by current process"
LOCKED = "While lock file"


class StoreDamaged(Fatal):
    """RocksDB could not read or write what is there. The folder is flagged; the next `open_store` builds it anew."""


class Aside(NamedTuple):
    """Why a store was set aside: a label (`damaged`, or one of `doubt`'s) and what is known."""

    reason: str
    detail: str


class Rocks:
    """One RocksDB: at most four write buffers of 8 MiB and a block cache of 8 MiB, since a worker may hold dozens.

    Every method may raise StoreDamaged or Fatal("disk_full"); opening also Misconfigured, when the folder is in use.
    """

    durable = True

    def __init__(self, path: Path, changelog_id: str, clock: Callable[[], float] = time.time) -> None:
        self._changelog_id, self._clock = changelog_id, clock
        self._guard = _Guard(path)
        with self._guard:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Before the flag is looked at: this takes the lock, and a store in use elsewhere is not ours to judge.
            self._db = Rdict(str(path), _options())
        try:
            self._guard.check_flag()
            self._mark = _unpack(self.get(MARK))
        except Failure:
            with contextlib.suppress(Failure):
                self.close()
            raise

    def get(self, key: bytes, /) -> bytes | None:
        """The value, or None; never one whose checksum is wrong."""
        with self._guard:
            found: bytes | None = self._db.get(key)
            return found

    def write(self, pairs: Iterable[Pair], mark: int | None = None) -> None:
        """One batch, the mark in it. Stops the whole process meanwhile: hand over megabytes at most."""
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        for key, value in pairs:
            if value is None:
                delete(key)
            else:
                put(key, value)
        marked = self._mark
        if mark is not None:
            marked = Mark(self._changelog_id, mark, int(self._clock()))
            put(MARK, _pack(marked))
        with self._guard:
            self._db.write(batch)
        self._mark = marked

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """In the order of keys, never the mark; read piece by piece, each as of the moment it is read."""
        start = prefix
        while piece := self._piece(start, prefix):
            yield from (pair for pair in piece if pair[0] != MARK)
            start = piece[-1][0] + b"\x00"

    def _piece(self, start: bytes, prefix: bytes) -> list[tuple[bytes, bytes]]:
        found: list[tuple[bytes, bytes]] = []
        with self._guard:
            iterator = self._db.iter()
            try:
                iterator.seek(start)
                while len(found) < PIECE and iterator.valid():
                    key = iterator.key()
                    if not key.startswith(prefix):
                        break
                    found.append((key, iterator.value()))
                    iterator.next()
                # A damaged block looks like the end until asked for; `Rdict.items()` never asks.
                iterator.status()
            finally:
                # While one lives, be it in a traceback, `close` leaves the folder locked.
                del iterator
        return found

    def __len__(self) -> int:
        """RocksDB's estimate: right when every key was written once, too high while overwritten values are around."""
        with self._guard:
            estimate = self._db.property_int_value("rocksdb.estimate-num-keys") or 0
        return max(0, estimate - (self._mark is not None))

    def mark(self) -> Mark | None:
        """The mark written last, by this life or an earlier one."""
        return self._mark

    def close(self) -> None:
        """Writes out what is in memory, so that the next opening has nothing to replay."""
        with contextlib.suppress(DbClosedError), self._guard:
            self._db.close()


class _Guard:
    """Turns what RocksDB or the file system raises inside into what it means, and flags the folder when it is damage.

    RocksDB's errors come as bare `Exception`. Wrong arguments and a closed store have classes of their own and pass.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._met: Failure | None = None

    def check_flag(self) -> None:
        """Raises StoreDamaged when an earlier life left the flag."""
        if (self._path / FLAG).exists():
            raise StoreDamaged("store_damaged", (self._path / FLAG).read_text(encoding="utf-8", errors="replace"))

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not (type(error) is Exception or isinstance(error, OSError)):
            return
        # Later errors follow from the first and may not say why: "Writer has previous error".
        self._met = self._met or _meaning(self._path, error)
        if isinstance(self._met, StoreDamaged):
            # Where not even this can be written, the next life meets the same damage by itself.
            with contextlib.suppress(OSError):
                (self._path / FLAG).write_text(self._met.detail, encoding="utf-8")
        raise self._met from error


def open_store(path: Path, changelog_id: str, end: int, low: int, now: int) -> tuple[Rocks, Aside | None]:
    """The mirror of a changelog that ends at `end` and begins at `low`, at epoch second `now`. Blocking.

    With a mark it is warm: read on from there. Without one it is empty. When there was a store that cannot be used, the
    second value says why, and it lies beside the path, as `<name>.damaged-<now>` or `<name>.void-<now>`. The caller
    holds `lock_directory`. Raises Misconfigured, Fatal("disk_full").
    """
    try:
        store = Rocks(path, changelog_id)
        mark = store.mark()
        reason = doubt(mark, changelog_id, end, low, now)
        if reason is None or (mark is None and next(store.scan(b""), None) is None):
            return store, None
        aside = Aside(reason, f"{mark} does not fit changelog {changelog_id} from {low} to {end} at {now}")
        store.close()
    except StoreDamaged as error:
        aside = Aside("damaged", error.detail)
    _set_aside(path, "damaged" if aside.reason == "damaged" else "void", now)
    return Rocks(path, changelog_id), aside


def lock_directory(path: Path) -> BinaryIO:
    """Claim a data directory for this process, until the handle is closed or the process ends: keep the handle.

    Raises Misconfigured when another process holds it, or when it cannot be written; Fatal("disk_full").
    """
    with _Guard(path):
        path.mkdir(parents=True, exist_ok=True)
        handle = (path / "lock").open("ab")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.close()
            if isinstance(error, BlockingIOError):
                raise _in_use(path) from error
            raise
        return handle


def _set_aside(path: Path, kind: str, now: int) -> None:
    stem = f"{path.name}.{kind}-"
    with _Guard(path):
        there = [(p, p.name.removeprefix(stem)) for p in path.parent.iterdir() if p.name.startswith(stem)]
        kept = {int(stamp): p for p, stamp in there if stamp.isdecimal()}
        # Never an older number than the last: it would be thrown away as the oldest.
        newest = max([now, *(stamp + 1 for stamp in kept)])
        kept[newest] = path.rename(path.with_name(f"{stem}{newest}"))
        for stamp in sorted(kept)[:-KEPT]:
            if kept[stamp].is_dir():
                shutil.rmtree(kept[stamp])
            else:
                kept[stamp].unlink()


def _meaning(path: Path, error: Exception) -> Failure:
    text = str(error)
    if any(words in text for words in FULL):
        return Fatal("disk_full", f"free space or raise the quota; nothing is lost. {text}")
    if any(words in text for words in STARVED):
        return Fatal("out_of_handles", f"raise the limit of open files or memory. {text}")
    if isinstance(error, OSError) or any(words in text for words in REFUSED):
        return Misconfigured("data_dir_unusable", f"the worker needs to write below {path.parent}. {text}")
    if HELD in text:
        # A lane that was closed in the middle of a long step still holds it; after a restart nobody does.
        return Fatal("store_still_open", text)
    if LOCKED in text:
        return _in_use(path)
    return StoreDamaged("store_damaged", text)


def _in_use(path: Path) -> Misconfigured:
    advice = "give each worker a data directory of its own"
    return Misconfigured("data_dir_in_use", f"{path} is in use, most likely by another worker: {advice}")


def _pack(mark: Mark) -> bytes:
    return _MARK.pack(_FORMAT, mark.offset, mark.at) + mark.changelog_id.encode()


def _unpack(raw: bytes | None) -> Mark | None:
    if raw is None or len(raw) < _MARK.size or raw[0] != _FORMAT:
        return None
    _, offset, at = _MARK.unpack_from(raw)
    return Mark(raw[_MARK.size :].decode(errors="replace"), offset, at)


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    # rocksdict keeps the interpreter's lock while it writes, so a write that waits for a flush or a merge would stop
    # every thread: there are buffers to spare, and merges may fall far behind before a write is slowed down.
    options.set_write_buffer_size(8 * MIB)
    options.set_max_write_buffer_number(4)
    options.set_level_zero_slowdown_writes_trigger(40)
    options.set_level_zero_stop_writes_trigger(60)
    options.set_target_file_size_base(32 * MIB)
    options.set_max_background_jobs(2)
    options.set_max_open_files(128)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_paranoid_checks(True)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(MIB)
    options.set_stats_dump_period_sec(0)
    options.set_stats_persist_period_sec(0)
    table = BlockBasedOptions()
    table.set_block_cache(Cache(8 * MIB))
    table.set_bloom_filter(10, block_based=False)
    options.set_block_based_table_factory(table)
    return options
