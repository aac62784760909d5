"""Stores mirror a changelog: what one says it has, it has, whatever was done to its process, its disk or its files."""

import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.rocks import MARK, Aside, Rocks, StoreDamaged, lock_directory, open_store
from streams.engine.store import FRESH_S, Mark, Memory, Pair, Store
from streams.errors import Fatal, Misconfigured

ROOT = Path(__file__).parents[2]
NOW = 2_000_000_000
ENDLESS = 1 << 40
PRELUDE = """
import itertools, json, os, resource, signal, sys, time
from pathlib import Path
from streams.engine.rocks import lock_directory, open_store
from streams.errors import Failure
path = Path(sys.argv[1])
def opened(): return open_store(path, "log", 1 << 40, 0, int(time.time()))
def numbered(n): return [(b"%09d" % n, b"%d" % n * 400), (b"last", b"%d" % n)]
def say(*words): print(json.dumps(words), flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "count-3"


@contextmanager
def child(script: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs `script` after the prelude; dead when the block is left."""
    command = [sys.executable, "-c", PRELUDE + script, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str]) -> list[Any]:
    """What the child says next."""
    assert process.stdout is not None
    said: list[Any] = json.loads(process.stdout.readline())
    return said


def leave(path: Path, pairs: list[Pair], mark: int, changelog_id: str = "log") -> None:
    """Leave a well closed store behind, marked at NOW."""
    with closing(Rocks(path, changelog_id, lambda: NOW)) as store:
        store.write(pairs, mark)


def reopened(path: Path, now: int = NOW) -> tuple[Rocks, Aside | None]:
    return open_store(path, "log", ENDLESS, 0, now)


def today() -> int:
    """When the marks were made that were not made at NOW."""
    return int(time.time())


def why(aside: Aside | None) -> str | None:
    return aside.reason if aside is not None else None


def set_aside(path: Path) -> list[str]:
    """Names of what lies beside the store."""
    return sorted(beside.name for beside in path.parent.iterdir() if beside != path)


def assert_holds(path: Path, now: int, key: bytes, value: bytes | None) -> None:
    """The store opens warm and knows this."""
    store, aside = reopened(path, now)
    with closing(store):
        assert (aside, store.get(key)) == (None, value)


def assert_whole_up_to_its_mark(path: Path, at_least: int) -> None:
    """The store opens warm; what `numbered` wrote is there up to the mark and not beyond."""
    store, aside = reopened(path, today())
    with closing(store):
        mark = store.mark()
        assert aside is None
        assert mark is not None
        assert mark.offset >= at_least
        wanted = {b"%09d" % n: b"%d" % n * 400 for n in range(1, mark.offset + 1)}
        assert dict(store.scan(b"")) == {**wanted, b"last": b"%d" % mark.offset}
        assert all(store.get(key) == value for key, value in wanted.items())


def largest(path: Path, pattern: str) -> Path:
    return max(path.glob(pattern), key=lambda file: file.stat().st_size)


def flip(file: Path) -> None:
    """Spoil bytes in the middle."""
    with file.open("r+b") as handle:
        handle.seek(file.stat().st_size // 2)
        spoiled = bytes(byte ^ 0xFF for byte in handle.read(64))
        handle.seek(-len(spoiled), os.SEEK_CUR)
        handle.write(spoiled)


NOISE = random.Random(7)
MANY: list[Pair] = [(b"key-%06d" % n, NOISE.randbytes(60)) for n in range(20_000)]


def test_a_store_gives_back_what_was_written_to_an_earlier_life(path: Path) -> None:
    """Values, deletions, empty keys and reserved keys survive closing and opening again."""
    leave(path, [(b"a", b"1"), (b"b", b"2"), (b"", b"no"), (b"\x00position:in", b"7"), (b"a", None), (b"c", b"")], 6)
    store, aside = reopened(path)
    with closing(store):
        assert aside is None
        assert store.mark() == Mark("log", 6, NOW)
        assert dict(store.scan(b"")) == {b"b": b"2", b"": b"no", b"\x00position:in": b"7", b"c": b""}
        assert [store.get(key) for key in (b"a", b"b", b"c", b"unknown")] == [None, b"2", b"", None]


def test_a_scan_never_yields_the_mark(path: Path) -> None:
    """Whatever prefix is asked for, the store's own record is not among the pairs, nor counted among the keys."""
    with closing(Rocks(path, "log")) as store:
        store.write([(b"\x00timer:1", b"t"), (b"\x00\x00", b"z"), (b"k", b"v")], 3)
        assert [key for key, _ in store.scan(b"")] == [b"\x00\x00", b"\x00timer:1", b"k"]
        assert [key for key, _ in store.scan(b"\x00")] == [b"\x00\x00", b"\x00timer:1"]
        assert list(store.scan(MARK)) == []
        assert len(store) == 3


def test_a_long_scan_is_whole(path: Path) -> None:
    """More pairs than are read at a time come out once each, and one that is given up keeps nothing open."""
    nested = [(b"k" + b"\x00" * n, b"") for n in range(2500)]
    with closing(Rocks(path, "log")) as store:
        store.write([*MANY, *nested])
        assert list(store.scan(b"key-")) == MANY
        assert list(store.scan(b"key-0001")) == MANY[100:200]
        assert list(store.scan(b"k")) == [*nested, *MANY]
        given_up = store.scan(b"key-")
        assert next(given_up) == MANY[0]
    with closing(Rocks(path, "log")) as again:
        assert next(again.scan(b"key-")) == MANY[0]


def test_a_store_in_memory_has_nothing_a_later_life_could_rely_on() -> None:
    """It says that it is not durable and never shows a mark."""
    store: Store = Memory()
    store.write([(b"k", b"v")], 1)
    assert (store.durable, store.mark(), store.get(b"k"), len(store)) == (False, None, b"v", 1)


batches = st.lists(
    st.lists(st.tuples(st.binary(max_size=2), st.none() | st.binary(max_size=3)), max_size=6), min_size=1, max_size=6
)


@given(batches, st.binary(max_size=1), st.booleans())
@settings(max_examples=50, deadline=None)
def test_all_stores_do_the_same(written: list[list[Pair]], prefix: bytes, reopen: bool) -> None:
    """Nobody can tell by keys and values which store a lane uses, even where it was closed and opened on the way."""
    memory = Memory()
    with tempfile.TemporaryDirectory() as folder:
        store = Rocks(Path(folder) / "s", "log")
        for number, pairs in enumerate(written):
            memory.write(pairs, number)
            store.write(pairs, number)
            if reopen:
                store.close()
                store = Rocks(Path(folder) / "s", "log")
        with closing(store):
            keys = {key for pairs in written for key, _ in pairs}
            assert {key: store.get(key) for key in keys} == {key: memory.get(key) for key in keys}
            assert list(store.scan(prefix)) == sorted(memory.scan(prefix))
            mark = store.mark()
            assert mark is not None
            assert mark.offset == len(written) - 1


@pytest.mark.parametrize(
    ("changelog_id", "end", "low", "age", "reason"),
    [
        ("log", 100, 0, 0, None),
        ("log", 50, 50, FRESH_S - 1, None),
        ("log", 100, 0, -30, None),
        ("other", 100, 0, 0, "other_changelog"),
        ("log", 49, 0, 0, "ahead"),
        ("log", 100, 51, 0, "behind"),
        ("log", 100, 0, FRESH_S, "stale"),
        ("log", 100, 0, -3600, "stale"),
    ],
)
def test_a_store_is_used_only_if_its_changelog_can_complete_it(
    path: Path, changelog_id: str, end: int, low: int, age: int, reason: str | None
) -> None:
    """Same changelog, not ahead of it, nothing missing between, no tombstone missed: else it is set aside, unharmed."""
    leave(path, [(b"k", b"v")], 50)
    store, aside = open_store(path, changelog_id, end, low, NOW + age)
    with closing(store):
        if reason is None:
            assert (aside, store.get(b"k"), set_aside(path)) == (None, b"v", [])
            return
        assert (why(aside), store.mark(), list(store.scan(b""))) == (reason, None, [])
        assert set_aside(path) == [f"count-3.void-{NOW + age}"]
    with closing(Rocks(path.with_name(f"count-3.void-{NOW + age}"), changelog_id)) as old:
        assert old.get(b"k") == b"v"


def test_a_changelog_without_an_id_is_never_taken_for_the_same(path: Path) -> None:
    """Where the broker cannot tell which topic it is, there is no warm start."""
    leave(path, [(b"k", b"v")], 50, changelog_id="")
    store, aside = open_store(path, "", 100, 0, NOW)
    store.close()
    assert why(aside) == "other_changelog"


def test_a_first_start_is_no_incident(path: Path) -> None:
    """A store that was never there, or never written to, is opened without a reason to count."""
    for _ in range(2):
        store, aside = reopened(path)
        store.close()
        assert (aside, store.mark(), set_aside(path)) == (None, None, [])


def test_a_kill_leaves_what_the_mark_says(path: Path) -> None:
    """Killed between any two instructions, a store holds exactly the batches up to its mark, and all it confirmed."""
    endless = "store, _ = opened()\nfor n in itertools.count(1): store.write(numbered(n), n); say(n)"
    with child(endless, path) as process:
        said = next(n for n in (heard(process)[0] for _ in itertools.count()) if n >= 6000)
    assert_whole_up_to_its_mark(path, said)


def test_a_kill_in_a_load_without_marks_makes_the_store_void(path: Path) -> None:
    """A store that holds something and cannot say how much of it there is starts again from nothing."""
    endless = "store, _ = opened()\nfor n in itertools.count(1): store.write(numbered(n)); say(n)"
    with child(endless, path) as process:
        while heard(process) != [3000]:
            pass
    store, aside = reopened(path)
    with closing(store):
        assert (why(aside), list(store.scan(b"")), set_aside(path)) == ("no_mark", [], [f"count-3.void-{NOW}"])


@pytest.mark.parametrize("harm", [flip, lambda file: os.truncate(file, file.stat().st_size // 3)])
def test_a_torn_log_takes_the_mark_back_with_it(path: Path, harm: Callable[[Path], None]) -> None:
    """When the end of the write-ahead log is lost, the mark is that of the last batch that is whole."""
    lines = "store, _ = opened()\nfor n in range(1, 2001): store.write(numbered(n), n)\nsay(n)\nos._exit(0)"
    with child(lines, path) as process:
        assert heard(process) == [2000]
        process.wait()
    harm(largest(path, "*.log"))
    assert_whole_up_to_its_mark(path, 1)
    assert_holds(path, today(), b"%09d" % 2000, None)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: (path / "CURRENT").unlink(),
        lambda path: (path / "CURRENT").write_bytes(b"MANIFEST-999999\n"),
        lambda path: os.truncate(next(path.glob("MANIFEST-*")), 10),
        lambda path: largest(path, "*.sst").unlink(),
        lambda path: os.truncate(largest(path, "*.sst"), 1000),
    ],
    ids=["no-current", "wrong-current", "cut-manifest", "no-data", "cut-data"],
)
def test_a_store_that_cannot_be_opened_is_set_aside(path: Path, harm: Callable[[Path], object]) -> None:
    """The worker goes on with an empty store, learns why, and the damaged one is there to be looked at."""
    leave(path, MANY, 20_000)
    harm(path)
    store, aside = reopened(path)
    with closing(store):
        assert (why(aside), set_aside(path)) == ("damaged", [f"count-3.damaged-{NOW}"])
        store.write([(b"k", b"v")], 1)
    assert_holds(path, today(), b"k", b"v")


@pytest.mark.parametrize(
    "use",
    [lambda store: [store.get(key) for key, _ in MANY], lambda store: list(store.scan(b"key-"))],
    ids=["get", "scan"],
)
def test_damage_met_on_the_way_ends_this_life_and_not_the_next(path: Path, use: Callable[[Rocks], object]) -> None:
    """Spoiled bytes are neither handed out nor silently left out: reading raises, and the next opening starts anew."""
    leave(path, MANY, 20_000)
    flip(largest(path, "*.sst"))
    store, aside = reopened(path)
    assert aside is None
    with pytest.raises(StoreDamaged, match="store_damaged: ") as raised:
        use(store)
    store.close()
    store, aside = reopened(path)
    with closing(store):
        assert aside == Aside("damaged", raised.value.detail)
        assert (list(store.scan(b"")), set_aside(path)) == ([], [f"count-3.damaged-{NOW}"])


def test_of_damaged_stores_the_two_newest_are_kept(path: Path) -> None:
    """Damage again and again fills no disk, and the newest stays, even within one second or with a clock set back."""
    for now in (100, 200, 200, 50):
        leave(path, [(b"k", b"v")], 1)
        (path / "CURRENT").unlink()
        reopened(path, now)[0].close()
    assert set_aside(path) == ["count-3.damaged-201", "count-3.damaged-202"]


def test_a_mistake_of_the_caller_is_no_damage(path: Path) -> None:
    """Wrong arguments, and use after closing, say what they are and cost nobody a store."""
    store = Rocks(path, "log", lambda: NOW)
    store.write([(b"k", b"v")], 1)
    with pytest.raises(KeyError):
        store.get("k")  # type: ignore[arg-type]
    store.close()
    store.close()
    with pytest.raises(Exception, match="closed") as raised:
        store.get(b"k")
    assert not isinstance(raised.value, Fatal)
    assert_holds(path, NOW, b"k", b"v")


def test_a_store_in_use_elsewhere_is_left_alone(path: Path) -> None:
    """Two workers with one data directory: the second refuses to start, says what to do, and moves nothing."""
    with child('store, _ = opened()\nstore.write([(b"k", b"v")], 1)\nsay("open")\nsys.stdin.read()', path) as process:
        assert heard(process) == ["open"]
        with pytest.raises(Misconfigured, match=f"data_dir_in_use: {path} .* a data directory of its own"):
            reopened(path)
        assert set_aside(path) == []
    assert_holds(path, today(), b"k", b"v")


def test_a_data_directory_has_one_owner_until_it_ends(tmp_path: Path) -> None:
    """A claimed directory is refused to others, and free again when the owner was killed or lets go."""
    data = tmp_path / "data"
    with child('handle = lock_directory(path)\nsay("mine")\nsys.stdin.read()', data) as process:
        assert heard(process) == ["mine"]
        with pytest.raises(Misconfigured, match=f"data_dir_in_use: {data} "):
            lock_directory(data)
    lock_directory(data).close()
    with lock_directory(data), pytest.raises(Misconfigured):
        lock_directory(data)


def test_a_full_disk_costs_a_start_and_no_data(path: Path) -> None:
    """Where nothing more fits, writing and opening say so; with room again everything confirmed is there."""
    script = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store, _ = opened()
resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, resource.RLIM_INFINITY))
codes = []
def tried(what):
    try: what()
    except Failure as error: codes.append((type(error).__name__, error.code))
for n in itertools.count(1):
    tried(lambda: store.write(numbered(n), n))
    if codes: break
tried(lambda: store.write(numbered(n), n))
tried(store.close)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
tried(opened)
say(n - 1, codes)
"""
    with child(script, path) as process:
        confirmed, codes = heard(process)
    assert codes == [["Fatal", "disk_full"]] * 4
    assert set_aside(path) == []
    assert_whole_up_to_its_mark(path, confirmed)


def test_too_few_file_handles_are_no_damage(path: Path) -> None:
    """A limit of the process says nothing about the store: it stays where it is."""
    leave(path, MANY, 20_000)
    few = 'resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 2,) * 2)\n'
    script = few + "try: opened()\nexcept Failure as error: say(type(error).__name__, error.code)"
    with child(script, path) as process:
        assert heard(process) == ["Fatal", "out_of_handles"]
    assert_holds(path, NOW, *MANY[0])


def test_a_place_that_is_no_folder_is_a_matter_for_a_person(tmp_path: Path) -> None:
    """Where no folder can be made, the worker refuses to start and names the place."""
    below = tmp_path / "file" / "data"
    below.parent.touch()
    for attempt in (lambda: lock_directory(below), lambda: reopened(below / "s")):
        with pytest.raises(Misconfigured, match=f"data_dir_unusable: .*{below.parent}"):
            attempt()
