"""The engine on the embedded broker: enough for a demo, and it says what it does not promise."""

from pathlib import Path

from streams.local.broker import open_broker
from tests.engine.workbench import workbench


def test_the_embedded_broker_carries_one_worker_and_promises_no_more(tmp_path: Path) -> None:
    """Records are counted there as anywhere, and the worker says at start that it is at least once, for one worker."""
    with open_broker("embedded") as broker, workbench(broker.bootstrap, tmp_path, embedded=True) as here:
        worker = here.start()
        for value in (b"1", b"2", b"3"):
            here.put(b"a", value)
        here.until(lambda out: len(out) == 3)
        assert [value for _, value in here.outputs] == [b"a|1|1", b"a|2|2", b"a|3|3"]
        assert "engine.at_least_once" in here.said(worker)
