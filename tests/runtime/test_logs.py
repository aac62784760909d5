"""Lines are JSON with ids, addresses never get through, and client libraries do not flood."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from streams.runtime import logs


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """What the process writes; the former set-up of logging returns afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    """The lines written so far."""
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_and_ids(out: io.StringIO) -> None:
    """A log collector can index every line without rules of its own."""
    with logs.bound(stage="decide", record_id="r-1"):
        logs.get("tidings.test").warning("state_changed", order="4711")
    [line] = lines(out)
    assert line["event"] == "state_changed"
    assert (line["stage"], line["record_id"], line["order"]) == ("decide", "r-1", "4711")
    assert (line["level"], line["logger"]) == ("warning", "tidings.test")
    assert line["timestamp"].endswith("Z")


def test_lines_of_libraries_take_the_same_form(out: io.StringIO) -> None:
    """A library that logs through the standard module is no exception."""
    logging.getLogger("some.library").error("failed for %s", "ada@example.test")
    [line] = lines(out)
    assert line["event"] == "failed for [email]"
    assert line["level"] == "error"


def test_a_traceback_shows_no_address(out: io.StringIO) -> None:
    """What an exception quotes is masked like everything else."""
    try:
        raise ValueError("cannot send to ada@example.test or +4915112345678")
    except ValueError:
        logs.get("tidings.test").exception("failed")
    [line] = lines(out)
    assert "ValueError" in line["exception"]
    assert "example.test" not in out.getvalue()
    assert "4915112345678" not in out.getvalue()


def test_debug_lines_are_not_written_at_info(out: io.StringIO) -> None:
    """The level holds for our code and for libraries."""
    logs.get("tidings.test").debug("detail")
    logging.getLogger("aiokafka.conn").info("chatter")
    assert lines(out) == []


def test_a_terminal_gets_lines_for_people() -> None:
    """The console form is readable, masked and not JSON."""
    root = logging.getLogger()
    before = root.handlers[:]
    stream = io.StringIO()
    logs.configure("info", "console", stream)
    logs.get("tidings.test").info("started", who="ada@example.test")
    root.handlers[:] = before
    logging.captureWarnings(capture=False)
    assert "started" in stream.getvalue()
    assert "[email]" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def record(name: str, message: str, *args: object) -> logging.LogRecord:
    """A line as a library would write it."""
    return logging.LogRecord(name, logging.ERROR, __file__, 1, message, args, None)


def test_a_client_that_cannot_reconnect_says_so_once_per_interval() -> None:
    """An outage costs one line per kind and interval, and the next one tells how many were held back."""
    now = [0.0]
    thin = logs.Thin(30, clock=lambda: now[0])
    attempts = [thin.filter(record("aiokafka.conn", "Unable to connect to %s", node)) for node in range(100)]
    assert attempts == [True, *[False] * 99]
    now[0] = 31.0
    late = record("aiokafka.conn", "Unable to connect to %s", 7)
    assert thin.filter(late)
    assert "99 like it held back" in late.getMessage()


def test_different_librdkafka_facilities_are_told_apart() -> None:
    """Its lines share one template, so the facility decides what is a repetition."""
    thin = logs.Thin(30, clock=lambda: 0.0)
    template = "%s [%s] %s"
    assert thin.filter(record(logs.KAFKA_CLIENT, template, "FAIL", "producer-1", "refused after 1 ms"))
    assert not thin.filter(record(logs.KAFKA_CLIENT, template, "FAIL", "producer-1", "refused after 2 ms"))
    assert thin.filter(record(logs.KAFKA_CLIENT, template, "FATAL", "producer-1", "fenced"))


def test_our_own_lines_are_never_held_back() -> None:
    """A refusal that happens twice is two refusals."""
    thin = logs.Thin(30, clock=lambda: 0.0)
    assert all(thin.filter(record("tidings.notify", "refused")) for _ in range(5))
