"""One way to write a line, for our code and for the libraries below it: JSON in a container, readable on a terminal.

Silence is health: only changes of state and refusals are written, the rest is counted. Each line carries the ids bound
by its caller (stage, connector, record and communication ids), never an address.
"""

import logging
import sys
import time
from collections.abc import Callable
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from streams.runtime.masking import mask

KAFKA_CLIENT = "librdkafka"
"""The logger to hand to confluent-kafka clients, so that their lines are thinned out like aiokafka's."""

_QUIET = {
    "aiokafka": logging.WARNING,
    "asyncio": logging.WARNING,
    "faust": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "mode": logging.WARNING,
    "stamina": logging.WARNING,
    "uvicorn": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,
}
_THINNED = ("aiokafka", "kafka", "mode", "faust", KAFKA_CLIENT)

bound = structlog.contextvars.bound_contextvars
"""`with bound(stage="decide", record_id=...)`: every line written inside carries these ids, also across awaits."""


def get(name: str) -> Any:
    """A logger; call `log.warning("what_happened", some_id=...)`."""
    return structlog.stdlib.get_logger(name)


def mask_addresses(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor that runs last, after tracebacks became text."""
    return {name: mask(value, name) for name, value in event.items()}


class Thin(logging.Filter):
    """Lets a client library say the same thing once per `every_s` seconds and tells how often it was held back.

    During one broker outage the Kafka clients write a line per attempt to reconnect: hundreds that say nothing new.
    """

    def __init__(self, every_s: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every_s = every_s
        self._clock = clock
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """False drops the line."""
        if not record.name.startswith(_THINNED):
            return True
        key = (record.name, record.levelno, _gist(record))
        now = self._clock()
        since, held = self._seen.get(key, (-self._every_s, 0))
        if now - since < self._every_s:
            self._seen[key] = (since, held + 1)
            return False
        if len(self._seen) >= 1000:
            self._seen.clear()
        self._seen[key] = (now, 0)
        if held:
            record.msg, record.args = f"{record.getMessage()} [{held} like it held back]", ()
        return True


def _gist(record: logging.LogRecord) -> str:
    """What stays the same when a line is said again: its template, and librdkafka's facility (FAIL, ERROR, ...)."""
    first = record.args[0] if isinstance(record.args, tuple) and record.args else ""
    return f"{record.msg}|{first}" if record.name == KAFKA_CLIENT else str(record.msg)


def configure(
    level: str = "info", style: Literal["auto", "json", "console"] = "auto", stream: TextIO | None = None
) -> None:
    """Set up the whole process; calling it again replaces the former set-up."""
    out = stream or sys.stderr
    for_people = style == "console" or (style == "auto" and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.addFilter(Thin())
    handler.setFormatter(_formatter(shared, for_people=for_people))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in _QUIET.items():
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(least, root.level))
    logging.captureWarnings(capture=True)


def _formatter(shared: list[Processor], *, for_people: bool) -> logging.Formatter:
    rendered: Processor = structlog.processors.JSONRenderer(default=str)
    if for_people:
        rendered = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_addresses,
            rendered,
        ],
    )
