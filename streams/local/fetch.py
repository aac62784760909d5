"""Fetches published archives with Maven into a cache, once per machine.

Promises: two processes never fetch the same thing at once, a half-fetched thing is never used, and a passing network
failure is tried again.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import stamina

from streams.errors import Retry
from streams.local.java import find_java, find_maven

PATIENCE_S = 900

Tell = Callable[[str], None]
"""Is told, before, what will take a while."""


def untold(_: str) -> None:
    """Says nothing."""


def cache_dir() -> Path:
    """Where fetched archives are kept: TIDINGS_CACHE, else `.cache/tidings` in the working directory."""
    return Path(os.environ.get("TIDINGS_CACHE") or Path.cwd() / ".cache" / "tidings").resolve()


def fetched(name: str, version: str, tell: Tell, finish: Callable[[Path], None] = lambda _: None) -> Path:
    """The directory that `<name>.pom.xml` of this package fills; fetched now if the cache does not have it.

    `finish` completes a fresh directory before anyone can see it. Raises Retry("fetch_failed") when the network fails.
    """
    target = cache_dir() / f"{name}-{version}"
    if target.is_dir():
        return target
    with _locked(target.with_name(f"{target.name}.lock")):
        if not target.is_dir():
            tell(f"fetching {name} {version} from Maven Central, once for {target.parent}")
            partial = target.with_name(f"{target.name}.part")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            _fetch(name, version, partial)
            finish(partial)
            partial.rename(target)
    return target


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # the kernel lets go of it when the holder dies
        yield


@stamina.retry(on=Retry, attempts=3, wait_initial=2, wait_max=15)
def _fetch(name: str, version: str, into: Path) -> None:
    maven, java = find_maven(), find_java()
    pom = into / "pom.xml"
    pom.write_text(files("streams.local").joinpath(f"{name}.pom.xml").read_text(encoding="utf-8"), encoding="utf-8")
    argv = [str(maven), "-q", "-B", "-f", str(pom), f"-Dinto={into}", f"-Dpublished={version}", "validate"]
    environ = {**os.environ, "JAVA_HOME": str(java.resolve().parent.parent)}
    try:
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, timeout=PATIENCE_S, env=environ, cwd=into
        )
    except subprocess.TimeoutExpired:
        raise Retry("fetch_failed", f"Maven did not fetch {name} within {PATIENCE_S} s") from None
    if done.returncode:
        said = " | ".join((done.stdout + done.stderr).strip().splitlines()[:3])
        raise Retry("fetch_failed", f"Maven could not fetch {name}, is Maven Central within reach? It said: {said}")
