"""The troupe: processes are awaited by what they say of themselves, and one that fails is named with its last words."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.http import Wire
from streams.demo.troupe import Member, Troupe
from streams.errors import Fatal
from streams.local.ports import free_port
from streams.local.supervise import Supervisor

SERVER = """
import http.server, json, os, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ok = os.path.exists(sys.argv[1])
        body = json.dumps({"ok": ok, "reasons": {} if ok else {"lanes": "restoring"}}).encode()
        self.send_response(200 if ok else 503)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["TIDINGS_HTTP_PORT"])), Ready).serve_forever()
"""


@pytest.fixture
async def troupe(tmp_path: Path) -> AsyncIterator[Troupe]:
    wire = Wire()
    async with Supervisor() as supervisor:
        made = Troupe(supervisor, wire, tmp_path)
        watching = asyncio.create_task(made.watch())
        yield made
        watching.cancel()
    await wire.aclose()


async def until_detail(troupe: Troupe, detail: str) -> None:
    for _ in range(1500):
        if troupe.processes()[0].detail == detail:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"never: {detail}")


async def test_a_process_is_ready_when_it_says_so(troupe: Troupe, tmp_path: Path) -> None:
    """Answering is not enough: as long as it gives a reason it is starting, and the reason is shown."""
    flag = tmp_path / "ready"
    troupe.start(Member("worker", ("-c", SERVER, str(flag)), free_port()), {})
    await until_detail(troupe, "lanes: restoring")
    assert troupe.processes()[0].state == "starting"
    flag.touch()
    await troupe.ready("worker")
    assert [(process.name, process.state) for process in troupe.processes()] == [("worker", "running")]


async def test_a_process_that_ends_is_named_with_its_last_words(troupe: Troupe) -> None:
    """A wrong setting ends the start at once, with what the process said, and nobody waits for it."""
    saying = ("-c", "import sys; print('misconfigured: no broker', file=sys.stderr); sys.exit(78)")
    troupe.start(Member("worker", saying, free_port()), {})
    with pytest.raises(Fatal, match=r"worker ended with 78 .*misconfigured: no broker"):
        await troupe.ready("worker")
    assert [(process.state, process.detail) for process in troupe.processes()] == [("failed", "exit code 78")]
