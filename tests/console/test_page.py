"""The status page: complete in itself, readable without scripts, and safe with whatever it is given."""

import re

import pytest
from starlette.testclient import TestClient

from schemas.models import Outcome
from streams.console.page import app
from streams.console.tally import Tally
from streams.console.view import Process, View
from streams.topics import STAGES
from tests.console import records
from tests.console.test_tally import FLOW, counted


def shown(view: View) -> TestClient:
    return TestClient(app(lambda: view))


@pytest.fixture
def client() -> TestClient:
    processes = (Process("ingress", "running"), Process("worker", "failed", "exit code 78"))
    return shown(View(counted(FLOW).snapshot(), processes, "Apache Kafka 4.1.0 (local)"))


def test_the_page_shows_the_flow(client: TestClient) -> None:
    """All seven stages, what was held back, what just happened and how the processes are."""
    html = client.get("/").text
    places = [html.index(f"<h3>{stage}</h3>") for stage in STAGES]
    assert places == sorted(places)
    for expected in ("Apache Kafka 4.1.0 (local)", "consent absent", "1 dead letter", "exit code 78", "bounced hard"):
        assert expected in html


def test_the_page_works_before_anything_happened() -> None:
    """An empty flow says what will appear, and where."""
    answer = shown(View(Tally().snapshot())).get("/")
    assert answer.status_code == 200
    assert "The first webhook appears here." in answer.text


def test_the_page_asks_nobody_else(client: TestClient) -> None:
    """No request leaves the page but to its own server, and the browser is told to refuse any other."""
    answer = client.get("/")
    assert not re.findall(r"(?:src|href)=\"(?!status\.json)", answer.text)
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_the_page_escapes_what_it_shows() -> None:
    """A carrier's or template's name is text, whatever it contains."""
    tally = Tally()
    tally.add("communication.decisions", records.decision("d", Outcome.SEND, kind="<script>alert(1)</script>"))
    html = shown(View(tally.snapshot())).get("/").text
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_the_page_reloads_without_scripts_and_can_be_paused(client: TestClient) -> None:
    """Nobody needs a script to see new numbers, and whoever reads slowly can hold them still."""
    html = client.get("/").text
    assert '<noscript><meta http-equiv="refresh"' in html
    assert 'aria-pressed="false"' in html
    assert '<html lang="en">' in html


def test_status_json_says_the_same_as_data(client: TestClient) -> None:
    """Programs read the counts, the processes and the newest story first."""
    answer = client.get("/status.json")
    body = answer.json()
    assert [stage["stage"] for stage in body["stages"]] == list(STAGES)
    assert body["summary"] == counted(FLOW).summary()
    assert body["state"] == "failed"
    assert body["stories"][0]["about"] == "dead letter"
    assert answer.headers["cache-control"] == "no-store"
