"""Builds what contestants need that the project does not: an environment for other libraries, a Java program.

Kept in the project's cache under a digest of what it was made from, so it is made again only when that changed. What
cannot be built is told as a reason to leave a contestant out.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from streams.errors import Misconfigured
from streams.local.fetch import Tell, cache_dir
from streams.local.java import find_java, find_maven

HERE = Path(__file__).parent
PATIENCE_S = 900
_COMPLETE = "complete"


def peers(tell: Tell) -> Path:
    """The Python of the environment of peers.txt. Raises Misconfigured."""
    wanted = HERE / "peers.txt"
    folder = _made("bench-peers", [wanted], tell, lambda into: _environment(into, wanted), str(sys.version_info[:2]))
    return folder / "bin" / "python"


def kstreams(tell: Tell) -> Path:
    """A folder with `classes` and `libs` of the Kafka Streams contestant. Raises Misconfigured."""
    find_java()
    find_maven()
    project = HERE / "kstreams"
    sources = [project / "pom.xml", *sorted((project / "src").rglob("*.java"))]
    return _made("bench-kstreams", sources, tell, lambda into: _compiled(into, project))


def _made(name: str, sources: Sequence[Path], tell: Tell, make: Callable[[Path], None], salt: str = "") -> Path:
    digest = hashlib.sha256(salt.encode() + b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    target = cache_dir() / f"{name}-{digest}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / _COMPLETE).exists():
            tell(f"building {target.name}, once for {target.parent}")
            shutil.rmtree(target, ignore_errors=True)
            make(target)
            (target / _COMPLETE).touch()
    return target


def _environment(into: Path, wanted: Path) -> None:
    beside = Path(sys.executable).with_name("uv")
    uv = shutil.which("uv") or (str(beside) if beside.exists() else None)
    if uv:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(into)])
        _run([uv, "pip", "install", "--quiet", "--python", str(into / "bin" / "python"), "-r", str(wanted)])
    else:
        _run([sys.executable, "-m", "venv", str(into)])
        _run([str(into / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r", str(wanted)])


def _compiled(into: Path, project: Path) -> None:
    # Maven leaves a folder beside the pom it is given.
    copy = into / "project"
    shutil.copytree(project, copy)
    _run([str(find_maven()), "-q", "-B", "-f", str(copy / "pom.xml"), f"-Dinto={into}", "compile"])


def _run(argv: Sequence[str]) -> None:
    environ = {**os.environ, "JAVA_HOME": str(find_java().resolve().parent.parent)} if "mvn" in argv[0] else None
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=PATIENCE_S, env=environ)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Misconfigured("not_built", f"{argv[0]}: {error}") from None
    if done.returncode:
        said = " | ".join((done.stdout + done.stderr).strip().splitlines()[-3:])
        raise Misconfigured("not_built", f"{Path(argv[0]).name} said: {said}")
