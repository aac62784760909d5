"""Real registries: one on Java, started once for this module, and one in a container behind a stand-in for docker."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.errors import Misconfigured
from streams.local.registry import Registry, open_registry
from tests.local.children import held
from tests.local.rest import ask

SCHEMA = json.dumps({"type": "record", "name": "A", "fields": [{"name": "id", "type": "string"}]})


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    """Apicurio on this machine."""
    with open_registry("local") as running:
        yield running


@pytest.mark.broker
def test_a_local_registry_speaks_confluents_interface(registry: Registry) -> None:
    """Schemas are registered, found by id and held to the compatibility level that was set."""
    schema_id = ask(registry.url, "POST", "/subjects/a-value/versions", {"schema": SCHEMA})["id"]
    assert json.loads(ask(registry.url, "GET", f"/schemas/ids/{schema_id}")["schema"]) == json.loads(SCHEMA)
    assert ask(registry.url, "POST", "/subjects/a-value", {"schema": SCHEMA})["id"] == schema_id
    ask(registry.url, "PUT", "/config/a-value", {"compatibility": "FULL_TRANSITIVE"})
    other = {"schema": SCHEMA.replace('"id"', '"other"')}
    verdict = ask(registry.url, "POST", "/compatibility/subjects/a-value/versions/latest", other)
    assert verdict["is_compatible"] is False


@pytest.mark.broker
def test_a_local_registry_says_what_and_where_it_is(registry: Registry) -> None:
    """A run prints which registry it uses; the text holds version, kind and address."""
    assert registry.describe == f"Apicurio Registry 2.5.11 (local, {registry.url})"
    assert registry.url.startswith("http://127.0.0.1:")


# Serves what `--publish host:port:inner` asks for, and knows the verbs the product uses.
DOCKER = """
import fcntl, http.server, json, os, pathlib, signal, subprocess, sys
state = pathlib.Path(os.environ["STATE"])
verb, rest = sys.argv[1], sys.argv[2:]
with (state / "calls").open("a") as calls:
    print(verb, file=calls)
def serve():
    return subprocess.Popen([sys.executable, __file__, "serve"], start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
def end():
    os.kill(int((state / "pid").read_text()), signal.SIGKILL)
if verb == "version":
    print("28.0.0")
elif verb == "run":
    if os.environ.get("BROKEN"):
        sys.exit("no space left")
    (state / "publish").write_text(rest[rest.index("--publish") + 1])
    (state / "image").write_text(rest[-1])
    serve()
elif verb == "start":
    serve()
elif verb in ("kill", "rm"):
    end()
elif verb == "inspect":
    print("running")
elif verb == "serve":
    lock = (state / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (state / "pid").write_text(str(os.getpid()))
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"[]")
    host, port, _ = (state / "publish").read_text().split(":")
    http.server.HTTPServer((host, int(port)), Answer).serve_forever()
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose `docker` command answers; gives the folder in which it keeps its state."""
    script = tmp_path / "docker.py"
    script.write_text(DOCKER)
    command = tmp_path / "docker"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{script}" "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("STATE", str(tmp_path))
    monkeypatch.delenv("TIDINGS_REGISTRY", raising=False)
    return tmp_path


def test_a_container_is_published_on_loopback_killed_brought_back_and_removed(engine: Path) -> None:
    """Where Docker answers, it is preferred; the container keeps its address over a kill and is gone after us."""
    with open_registry(require_real=True) as registry:
        assert (registry.kind, registry.describe) == ("docker", f"Apicurio Registry 2.5.11 (docker, {registry.url})")
        assert (engine / "publish").read_text().startswith("127.0.0.1:")
        assert (engine / "image").read_text() == "apicurio/apicurio-registry-mem:2.5.11.Final"
        assert held(engine / "lock")
        registry.kill()
        registry.start()
        assert held(engine / "lock")
    assert not held(engine / "lock")
    assert [call for call in (engine / "calls").read_text().split() if call in {"run", "kill", "start", "rm"}] == [
        "run",
        "kill",
        "start",
        "rm",
    ]


def test_a_container_that_does_not_run_is_a_clear_error(engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What docker refuses is passed on with its own words."""
    monkeypatch.setenv("BROKEN", "1")
    with pytest.raises(Misconfigured, match=r"docker run for .* said: no space left"):
        open_registry("docker").start()
