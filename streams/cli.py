"""`tidings`: every role and every tool of the product, each as one command.

Exit codes: 0 done, 1 it found problems, 2 wrong usage, 70 could not keep its promises (start it again),
78 misconfigured.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import typer

from streams.errors import Failure, Misconfigured
from streams.topics import STAGES, TABLE, Stage

MISCONFIGURED = 78

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
schemas_app = typer.Typer(no_args_is_help=True, help="The Avro schemas and the registry.")
dlq_app = typer.Typer(no_args_is_help=True, help="Dead letters: look at them, put them back.")
app.add_typer(schemas_app, name="schemas")
position_app = typer.Typer(no_args_is_help=True, help="Where the lanes of a stage stand in their topics.")
app.add_typer(dlq_app, name="dlq")
app.add_typer(position_app, name="position")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
OfStage = Annotated[list[str] | None, typer.Option("--stage", help="Only this stage; may be repeated.")]


@contextmanager
def _answering() -> Iterator[None]:
    """Failures become one line on stderr and an exit code."""
    try:
        yield
    except Misconfigured as failure:
        print(f"misconfigured: {failure}", file=sys.stderr)
        raise typer.Exit(MISCONFIGURED) from None
    except Failure as failure:
        print(f"{type(failure).__name__.lower()}: {failure}", file=sys.stderr)
        raise typer.Exit(1) from None


def _settings(*needed: Literal["kafka", "registry"]) -> Any:
    """The settings, checked; `needed` must be addresses."""
    from connectors.discovery import discover
    from streams.runtime.environment import check_names, load
    from streams.runtime.logs import configure
    from streams.settings import BROKER_WORDS, Settings

    check_names(connector.settings for connector in discover().values())
    settings = load(Settings)
    for name in needed:
        if getattr(settings, name) in BROKER_WORDS:
            detail = f"this command needs an address: set TIDINGS_{name.upper()} (`make demo` starts one itself)"
            raise Misconfigured("no_address", detail)
    configure(settings.log_level, settings.log_format)
    return settings


def _stages(names: list[str] | None) -> list[Stage]:
    chosen = [stage for stage in STAGES if not names or stage in names]
    if unknown := set(names or ()) - set(STAGES):
        raise Misconfigured("unknown_stage", f"{', '.join(sorted(unknown))}: stages are {', '.join(STAGES)}")
    return chosen


@app.command()
def demo(
    kafka: Annotated[str, typer.Option(help="embedded, local, docker, auto or host:port.")] = "embedded",
    once: Annotated[bool, typer.Option(help="Play a fixed set, print a JSON summary, end.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
) -> None:
    """The whole loop on this machine: broker, registry, sandboxes, workers, status page."""
    from streams.demo.run import run

    with _answering():
        raise typer.Exit(asyncio.run(run(kafka=kafka, once=once, workers=workers)))


@app.command()
def worker(
    stages: Annotated[list[str] | None, typer.Argument(help="Stages to run; all when none is named.")] = None,
) -> None:
    """Run stages until SIGTERM."""
    from streams.app import run_worker

    with _answering():
        asyncio.run(run_worker(_settings("kafka", "registry"), _stages(stages)))


@app.command()
def ingress() -> None:
    """Accept webhooks until SIGTERM."""
    from streams.app import run_ingress

    with _answering():
        asyncio.run(run_ingress(_settings("kafka", "registry")))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8900,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
) -> None:
    """Serve the stand-ins of all outside systems."""
    from streams.app import run_sandboxes

    with _answering():
        asyncio.run(run_sandboxes(host, port))


@app.command()
def setup() -> None:
    """Create the topics and publish the schemas; repeating it changes nothing."""
    from streams.local.setup import prepare

    with _answering():
        settings = _settings("kafka", "registry")
        prepare(
            settings.kafka,
            settings.registry,
            "embedded" if settings.embedded else "external",
            settings.partitions,
            settings.replication_factor,
        )


@app.command()
def subscribe(
    connector: str, destination: Annotated[str, typer.Argument(help="https://<ingress>/hooks/<connector>/<account>")]
) -> None:
    """Have a platform send its webhooks to the ingress; repeating it repairs what is missing."""
    from streams import app as root

    with _answering():
        _settings()
        for event, done in asyncio.run(root.subscribe(connector, destination)).items():
            print(f"{event}\t{done}")


@app.command()
def settings() -> None:
    """Print what is in force, secrets hidden."""
    from connectors.discovery import discover
    from streams.runtime.environment import load, redacted

    with _answering():
        shown = redacted(_settings())
        for connector in discover().values():
            shown |= redacted(load(connector.settings))
        print(json.dumps(shown, indent=2, default=str))


def _report(report: Any) -> None:
    for line in report.lines:
        print(line)
    for problem in report.problems:
        print(problem, file=sys.stderr)
    if report.problems:
        raise typer.Exit(1)


@schemas_app.command()
def generate(check: Annotated[bool, typer.Option(help="Only say what is not current.")] = False) -> None:
    """Write the models and the AsyncAPI document from the schemas."""
    from schemas import commands

    with _answering():
        _report(commands.generate(TABLE, check))


@schemas_app.command()
def lint() -> None:
    """Documentation, logical types, and compatibility with every published version."""
    from schemas import commands

    with _answering():
        _report(commands.lint())


@schemas_app.command()
def diff() -> None:
    """What changed since the last published version, field by field."""
    from schemas import commands

    with _answering():
        _report(commands.diff(TABLE))


@schemas_app.command()
def release() -> None:
    """Keep the present schemas as published versions."""
    from schemas import commands

    with _answering():
        _report(commands.release(TABLE))


@schemas_app.command()
def publish() -> None:
    """Register the schemas; the registry must find them FULL_TRANSITIVE."""
    from schemas import commands
    from schemas.registry import ConfluentRegistry

    with _answering():
        _report(commands.publish(ConfluentRegistry(_settings("registry").registry), TABLE))


@dlq_app.command("list")
def dlq_list(stage: OfStage = None, as_json: AsJson = False) -> None:
    """Every dead letter: where it lies, why, and where it came from."""
    for place, letter in _letters(stage):
        row = {
            "place": place,
            **letter.model_dump(mode="json", include={"stage", "topic", "family", "reason", "detail"}),
        }
        print(json.dumps(row) if as_json else f"{place}\t{letter.topic}\t{letter.reason}\t{letter.detail}")


@dlq_app.command("show")
def dlq_show(place: str) -> None:
    """One dead letter with its bytes; these may hold personal data."""
    from streams.agents.deadletters import find
    from streams.app import open_codec

    with _answering():
        settings = _settings("kafka", "registry")
        letter = find(settings.kafka, open_codec(settings), place).letter
        shown = letter.model_dump(exclude={"key", "value"})
        shown["key"], shown["value"] = repr(letter.key), repr(letter.value)
        print(json.dumps(shown, indent=2, default=str))


@dlq_app.command("replay")
def dlq_replay(
    places: Annotated[list[str] | None, typer.Argument(help="As printed by `tidings dlq list`.")] = None,
    stage: OfStage = None,
    everything: Annotated[bool, typer.Option("--all", help="Every letter of the stages.")] = False,
) -> None:
    """Put dead letters back on the topic they came from, byte for byte."""
    from streams.agents.deadletters import letters, replay
    from streams.app import open_codec

    with _answering():
        if not places and not everything:
            raise Misconfigured("nothing_named", "name places, or use --all")
        settings = _settings("kafka", "registry")
        found = list(letters(settings.kafka, open_codec(settings), _stages(stage)))
        chosen = [one for one in found if everything or one.place in (places or ())]
        if missing := set(places or ()) - {one.place for one in chosen}:
            raise Misconfigured("unknown_place", f"no such dead letter: {', '.join(sorted(missing))}")
        replay(settings.kafka, chosen)
        print(f"put back {len(chosen)}")


def _letters(stage: list[str] | None) -> Iterator[tuple[str, Any]]:
    from streams.agents.deadletters import letters
    from streams.app import open_codec

    with _answering():
        settings = _settings("kafka", "registry")
        for one in letters(settings.kafka, open_codec(settings), _stages(stage)):
            yield one.place, one.letter


@position_app.command("show")
def position_show(stage: str, as_json: AsJson = False) -> None:
    """The next offset of each source that each lane of a stage will process; workers may run."""
    from streams.app import engine_config
    from streams.engine.repair import show

    with _answering():
        (one,) = _stages([stage])
        for partition, positions in show(engine_config(_settings("kafka"), "all"), f"{one}.changelog").items():
            for topic, at in sorted(positions.items()):
                row = {"partition": partition, "topic": topic, "offset": at.offset}
                print(json.dumps(row) if as_json else f"{one}-{partition}\t{topic}\t{at.offset}")


@position_app.command("set")
def position_set(
    stage: str,
    topic: str,
    to: Annotated[str, typer.Argument(help="start, end, or an offset.")],
    partition: Annotated[list[int] | None, typer.Option(help="Only this partition; may be repeated.")] = None,
) -> None:
    """Place the lanes of a stage in a source topic. Stop the stage's workers first.

    Before an offset means once more, behind it means never: only a person can say which is right. What was composed or
    sent once is not sent again, because ids are derived and the ledger knows them.
    """
    from streams.app import engine_config
    from streams.engine.repair import place

    with _answering():
        (one,) = _stages([stage])
        config = engine_config(_settings("kafka"), "all")
        if to not in ("start", "end") and not to.isdecimal():
            raise Misconfigured("no_such_offset", f"{to!r} is neither start nor end nor a number")
        where: Any = int(to) if to.isdecimal() else to
        chosen = partition or list(range(config.partitions))
        for number, offset in zip(chosen, place(config, one, f"{one}.changelog", topic, chosen, where), strict=True):
            print(f"{one}-{number}\t{topic}\t{offset}")


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
