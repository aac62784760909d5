"""report: an outcome goes back to the platform that holds the order or customer it is about.

Order is kept per subject and a write-back that fails is tried again in its place, so an older state never overtakes a
newer one.
"""

from schemas.models import Feedback
from streams.agents.ports import Ports
from streams.core.report import commands
from streams.engine import Record, Stage, Step


def stage(ports: Ports) -> Stage:
    """communication.feedback -> the platforms -> report.results."""

    async def act(record: Record, step: Step) -> None:
        feedback = ports.codec.decode_as(record.value or b"", Feedback)
        for command in commands(feedback):
            result = await ports.client(command.platform).write_back(command.feedback)
            step.send("report.results", record.key, ports.codec.encode("report.results", result))

    return Stage(
        name="report",
        sources=("communication.feedback",),
        changelog="report.changelog",
        dead_letters="report.dlq",
        dead_letter=ports.dead_letter,
        act=act,
        attempts=ports.attempts,
        batch_max=200,
    )
