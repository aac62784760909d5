"""resolve: a fact is filed under the subject it is about; from here on the subject's key orders everything."""

from streams.agents.ports import Ports
from streams.core.resolve import KINDS, commerce_fact, resolve
from streams.engine import Record, Stage, Step, each


def stage(ports: Ports) -> Stage:
    """commerce.* -> flow.inbox; remembers customer_ref -> subject."""

    def handle(record: Record, step: Step) -> None:
        fact = commerce_fact(record.topic, ports.codec.decode(record.value or b""))
        ref = fact.who.customer_ref.encode()
        known = step.get(ref)
        resolved = resolve(record.topic, fact, known.decode() if known else None, record.value or b"")
        subject = resolved.subject.encode()
        if known != subject:
            step.put(ref, subject)
        step.send("flow.inbox", subject, ports.codec.encode("flow.inbox", resolved.record))

    return Stage(
        name="resolve",
        sources=tuple(KINDS),
        changelog="resolve.changelog",
        dead_letters="resolve.dlq",
        dead_letter=ports.dead_letter,
        handle=each(handle),
    )
