"""The stages under test: two that count, chained through a transactional topic, and one with an effect.

Whatever is lost, repeated or reordered stays visible in their outputs and in their state for good.
"""

from pathlib import Path

from streams.engine import Record, Stage, Step, Timer, each
from streams.errors import Failure, Reject, Retry, Skip
from tests.crash.sink import Sink
from tests.crash.tally import Deed, Tally, output, parse_value

HOPS = ("one", "two", "deed")
"""Names of the stages in the order records pass them."""


def stages(prefix: str, outage: Path, sink: Sink | None) -> list[Stage]:
    """`in` -> `one` -> `two`, and with a sink -> `deed`; `one` asks something that is away while `outage` exists."""
    made = [_counting(prefix, "one", "in", outage), _counting(prefix, "two", "one", None)]
    return made if sink is None else [*made, _acting(prefix, "deed", "two", sink)]


def _letter(stage: str, record: Record, failure: Failure, now: int) -> bytes:
    return f"{stage} {record.topic} {record.partition} {record.offset} {failure}".encode()


def _counting(prefix: str, name: str, source: str, outage: Path | None) -> Stage:
    def count(record: Record, step: Step) -> None:
        if outage is not None and outage.exists():
            raise Retry("lookup_unavailable")
        ident, delay, _ = parse_value(record.value)
        tally = Tally.load(step.get(record.key)).add(ident)
        step.put(record.key, tally.dump())
        step.send(prefix + name, record.key, output(record.key, tally.count, record.offset, ident), here=True)
        if delay is not None:
            due = step.now + delay
            timer_id = "t" + ident.decode()
            step.schedule(Timer(timer_id, due, prefix + source, record.key, f"{timer_id}@{due}".encode()))

    return Stage(
        name, (prefix + source,), f"{prefix}{name}.changelog", f"{prefix}{name}.dlq", _letter, handle=each(count)
    )


def _acting(prefix: str, name: str, source: str, sink: Sink) -> Stage:
    def intend(record: Record, step: Step) -> None:
        deed = Deed.load(step.get(record.key))
        if record.offset <= deed.done:
            raise Skip("done")
        step.put(record.key, Deed(deed.tally, deed.done, record.offset).dump())

    async def act(record: Record, step: Step) -> None:
        deed = Deed.load(step.get(record.key))
        if deed.intent != record.offset:
            raise Reject("no_intent", f"{deed.intent} is intended")
        ident, _, _ = parse_value(record.value)
        await sink.do(record.key, ident)
        tally = deed.tally.add(ident)
        step.put(record.key, Deed(tally, record.offset).dump())
        step.send(prefix + name, record.key, output(record.key, tally.count, record.offset, ident), here=True)

    return Stage(
        name,
        (prefix + source,),
        f"{prefix}{name}.changelog",
        f"{prefix}{name}.dlq",
        _letter,
        handle=each(intend),
        act=act,
        backoff_s=0.05,
        backoff_cap_s=1.0,
    )
