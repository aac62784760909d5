"""Which scenes are played: a fixed set that can be judged to the last message, or ever more until somebody stops it."""

import itertools
import random
from collections.abc import Iterator

from streams.demo import scenes
from streams.demo.acts import Person, Scene

_NAMES = ("Ada", "Ben", "Cleo", "Dara", "Eli", "Finn", "Gia", "Hal", "Ida", "Jon", "Kai", "Lea", "Max", "Nia", "Pia")


class _People:
    """Hands out people nobody else is."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def one(self, mark: str = "ok", *, phone: bool = False, guest: bool = False, willing: bool = False) -> Person:
        """`mark` decides what becomes of their mail; who is willing allowed newsletters and reminders."""
        number = next(self._numbers)
        name, allowed = _NAMES[number % len(_NAMES)], willing or None
        # From the range kept free for fiction, without the last digits that decide what becomes of an SMS.
        digits = f"+447700900{100 + number % 800}" if phone else None
        language = ("en", "de")[number % 2]
        return Person(f"{mark}.{name.lower()}{number}", name, language, digits, allowed, allowed, guest)


def fixed_set() -> tuple[Scene, ...]:
    """Always the same two dozen scenes, those that take longest first."""
    one = _People().one
    regular = one(phone=True)
    return (
        scenes.opted_out("a1", one("optout", willing=True)),
        scenes.recovered("a2", one(willing=True)),
        scenes.unreachable("a3", one("hard", phone=True)),
        scenes.shipped("a4", one(phone=True)),
        scenes.called_off("a5", one()),
        scenes.reminded("a6", one(willing=True)),
        scenes.not_asked("a7", one()),
        scenes.confirmed("a8", one("soft")),
        scenes.unfinished("a9", one()),
        scenes.finished_later("b1", one(guest=True)),
        scenes.shipped("b2", one(phone=True, guest=True)),
        scenes.confirmed("b3", one("open"), "opened"),
        scenes.opted_out("b4", one("optout", willing=True)),
        scenes.called_off("b5", one(guest=True)),
        scenes.confirmed("b6", regular),
        scenes.unreachable("b7", one("hard", phone=True)),
        scenes.reminded("b8", one(willing=True)),
        scenes.shipped("b9", regular),
        scenes.confirmed("c1", one(guest=True)),
        scenes.finished_later("c2", one()),
        scenes.unfinished("c3", one(guest=True)),
        scenes.confirmed("c4", one("soft", guest=True)),
        scenes.confirmed("c5", one()),
        scenes.confirmed("c6", regular),
    )


def endless(seed: int = 1) -> Iterator[Scene]:
    """Scenes without end, mostly plain ones; the same seed gives the same ones."""
    dice, people = random.Random(seed), _People()
    for number in itertools.count(1):
        yield _any(dice, people, f"n{number}")


def _any(dice: random.Random, people: _People, key: str) -> Scene:
    guest = dice.random() < 0.3
    match dice.choices(range(10), weights=(30, 18, 8, 6, 6, 6, 5, 9, 6, 6))[0]:
        case 0:
            return scenes.confirmed(key, people.one(guest=guest))
        case 1:
            return scenes.shipped(key, people.one(phone=True, guest=guest))
        case 2:
            return scenes.called_off(key, people.one(guest=guest))
        case 3:
            return scenes.unfinished(key, people.one(guest=guest))
        case 4:
            return scenes.finished_later(key, people.one(guest=guest))
        case 5:
            return scenes.unreachable(key, people.one("hard", phone=True, guest=guest))
        case 6:
            return scenes.opted_out(key, people.one("optout", willing=True))
        case 7:
            return scenes.reminded(key, people.one(willing=True))
        case 8:
            return scenes.not_asked(key, people.one())
        case _:
            return scenes.recovered(key, people.one(willing=True))
