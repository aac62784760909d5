"""The list of checks. A check is an async function of a case whose docstring is the promise it proves."""

from collections.abc import Awaitable, Callable

from tests.connectors.conformance.case import Case

Check = Callable[[Case], Awaitable[None]]
CHECKS: list[tuple[Check, frozenset[str]]] = []


def check(*roles: str) -> Callable[[Check], Check]:
    """Registers a check for connectors with any of these roles; without roles, for all."""

    def register(function: Check) -> Check:
        CHECKS.append((function, frozenset(roles)))
        return function

    return register


def checks_of(case: Case) -> list[Check]:
    """What a connector has to pass."""
    return [function for function, roles in CHECKS if not roles or roles & case.connector.roles]
