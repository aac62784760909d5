"""Alive and ready answer different questions, with reasons."""

from streams.runtime.health import NOT_YET, STOPPING, Health


def test_a_process_is_not_ready_until_every_expected_part_reported() -> None:
    """Traffic comes only when all parts work; a slow start is not a reason to be killed."""
    health = Health()
    health.expect("lanes", vital=True)
    assert health.ready().reasons == {"lanes": NOT_YET}
    assert health.live().ok
    health.good("lanes")
    assert health.ready().ok


def test_only_a_vital_part_decides_on_being_alive() -> None:
    """A registry that is away holds work up, but a restart would not cure it."""
    health = Health()
    health.expect("lanes", vital=True)
    health.good("lanes")
    health.bad("registry", "no answer")
    assert health.live().ok
    assert health.ready().reasons == {"registry": "no answer"}
    health.bad("lanes", "no commit for 95 s")
    assert health.live().reasons == {"lanes": "no commit for 95 s"}


def test_a_probe_is_asked_at_each_request() -> None:
    """A state that changes by itself is seen without anyone reporting it."""
    answers = iter(["behind", None])
    health = Health()
    health.probe("lag", lambda: next(answers))
    assert health.ready().reasons == {"lag": "behind"}
    assert health.ready().ok


def test_a_probe_that_breaks_is_a_reason_and_not_an_error() -> None:
    """The answer always comes, and does not quote what the error quoted."""

    def broken() -> str | None:
        raise RuntimeError("ada@example.test")

    health = Health()
    health.probe("store", broken, vital=True)
    assert health.live().reasons == {"store": "check failed with RuntimeError"}


def test_a_stopping_process_is_alive_and_not_ready() -> None:
    """Nothing new is sent to a process that is finishing its work."""
    health = Health()
    health.stop()
    assert health.live().ok
    assert health.ready().reasons == {"process": STOPPING}
