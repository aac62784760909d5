"""What supervision promises: restarts that help, an end that is an end, and no orphans whatever happens to us."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.errors import Misconfigured
from streams.local.supervise import Backoff, Supervisor
from streams.local.waiting import until
from tests.local.children import CRASH_ONCE, POLITE, STAY, STUBBORN, TALK, child, held, leaves_with

PATIENCE_S = 20.0
AT_ONCE = Backoff(first_s=0.0, max_restarts=3)


def test_a_child_that_leaves_with_70_is_started_again(tmp_path: Path) -> None:
    """A worker that can no longer keep its promises leaves with 70 and gets a fresh start."""
    with Supervisor(backoff=AT_ONCE) as supervisor:
        supervisor.start(child(CRASH_ONCE, tmp_path / "seen"))
        assert until(lambda: supervisor.restarts == {"worker": 1} and "worker" in supervisor.pids, PATIENCE_S)
        assert supervisor.exits == {"worker": [70]}


def test_a_killed_child_comes_back_as_another_process(tmp_path: Path) -> None:
    """What kill -9 does to a worker is repaired by a new process of the same name."""
    lock = tmp_path / "lock"
    with Supervisor(backoff=AT_ONCE) as supervisor:
        supervisor.start(child(STAY, lock))
        assert until(lambda: held(lock), PATIENCE_S)
        first = supervisor.pids["worker"]
        supervisor.kill("worker")
        assert until(lambda: supervisor.pids.get("worker", first) != first and held(lock), PATIENCE_S)
        assert supervisor.exits["worker"] == [-signal.SIGKILL]


@pytest.mark.parametrize("code", [0, 2, 78])
def test_what_a_restart_cannot_change_is_not_restarted(code: int, tmp_path: Path) -> None:
    """A child that is done, was called wrongly or is misconfigured ends once and stays ended."""
    with Supervisor(backoff=AT_ONCE) as supervisor:
        supervisor.start(leaves_with(code, tmp_path))
        assert until(lambda: supervisor.ended == {"worker": code}, PATIENCE_S)
        assert supervisor.restarts == {"worker": 0}


def test_a_program_that_does_not_exist_is_not_tried_for_ever(tmp_path: Path) -> None:
    """A wrong path shows at once, in the exit code and in the log."""
    wrong = child("", tmp_path / "x")
    wrong = type(wrong)(wrong.name, [str(tmp_path / "no-such-program")], wrong.log)
    with Supervisor() as supervisor:
        supervisor.start(wrong)
        assert until(lambda: supervisor.ended == {"worker": 127}, PATIENCE_S)
    assert "no-such-program" in wrong.log.read_text()


def test_endless_crashing_is_given_up(tmp_path: Path) -> None:
    """A child that crashes each time is started a bounded number of times, and the last exit code stays to be seen."""
    told: list[tuple[str, int, bool]] = []
    with Supervisor(backoff=AT_ONCE, on_exit=lambda *exit_: told.append(exit_)) as supervisor:
        supervisor.start(leaves_with(70, tmp_path))
        assert until(lambda: supervisor.ended == {"worker": 70}, PATIENCE_S)
        assert supervisor.restarts == {"worker": 3}
    assert told == [("worker", 70, True)] * 3 + [("worker", 70, False)]


def test_waits_double_up_to_a_limit() -> None:
    """A child that keeps crashing does not keep the machine busy."""
    backoff = Backoff(first_s=0.5, longest_s=3.0)
    assert [backoff.wait_s(n) for n in (1, 2, 3, 4, 1000)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_restart_on_request_heeds_no_exit_code(tmp_path: Path) -> None:
    """A child that ends well when asked to is started again when the asking was a restart."""
    lock = tmp_path / "lock"
    with Supervisor(backoff=AT_ONCE) as supervisor:
        supervisor.start(child(POLITE, lock))
        assert until(lambda: held(lock), PATIENCE_S)
        supervisor.restart("worker")
        assert until(lambda: supervisor.restarts == {"worker": 1}, PATIENCE_S)
    assert supervisor.exits["worker"][0] in {0, -signal.SIGTERM}


def test_leaving_ends_even_those_who_do_not_listen(tmp_path: Path) -> None:
    """A child that ignores SIGTERM, and its own children, are dead when the supervisor has been left."""
    lock = tmp_path / "lock"
    with Supervisor(grace_s=0.2) as supervisor:
        supervisor.start(child(STUBBORN, lock))
        assert until(lambda: held(lock), PATIENCE_S)
    assert not held(lock)
    assert supervisor.pids == {}
    assert supervisor.ended == {"worker": -signal.SIGKILL}


async def test_an_asynchronous_owner_is_served_alike(tmp_path: Path) -> None:
    """The demo holds its children in an event loop; leaving the block ends them too."""
    lock = tmp_path / "lock"
    async with Supervisor() as supervisor:
        supervisor.start(child(STAY, lock))
        assert until(lambda: held(lock), PATIENCE_S)
    assert not held(lock)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nobody_outlives_the_supervising_process(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, a polite end and kill -9 of the parent all leave no child and no grandchild behind."""
    lock = tmp_path / "lock"
    parent = subprocess.Popen([sys.executable, "-m", "tests.local.parent", str(lock)], stderr=subprocess.DEVNULL)
    assert until(lambda: held(lock), PATIENCE_S)
    parent.send_signal(number)
    parent.wait()
    assert until(lambda: not held(lock), PATIENCE_S)


def test_all_a_child_says_is_in_its_log(tmp_path: Path) -> None:
    """Both streams of a child reach its log and nothing else, and it has the variables it was given."""
    with Supervisor() as supervisor:
        talking = child(TALK, tmp_path / "said", WORD="hello")
        supervisor.start(talking)
        assert until(lambda: supervisor.ended == {"worker": 0}, PATIENCE_S)
    assert sorted(talking.log.read_text().split("\n")) == ["", "err", "out hello"]


def test_wrong_names_are_refused(tmp_path: Path) -> None:
    """A name stands for one running child, and an unknown one is an error that lists the known."""
    with Supervisor() as supervisor:
        supervisor.start(child(STAY, tmp_path / "lock"))
        with pytest.raises(Misconfigured, match="name_taken"):
            supervisor.start(child(STAY, tmp_path / "lock"))
        with pytest.raises(Misconfigured, match="there are: worker"):
            supervisor.kill("wroker")
