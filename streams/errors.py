"""Errors are families by what the caller should do next, never by where they came from.

    Failure
     ├─ Retry          not done, certainly; try again, after `after` seconds when given
     ├─ Reject         this input will never work; dead-letter it with its bytes and the reason
     ├─ Skip           nothing to do; count it and go on
     ├─ Ambiguous      it may or may not have happened; find out, never guess
     ├─ Misconfigured  a person must change something; stop this sink or refuse to start, drop nothing
     └─ Fatal          the process can no longer keep its promises; leave with exit code 70

Each carries a machine-readable `code` (snake_case, bounded set per module: it becomes a metric label) and a detail that
says what, where and what to do. Details never hold addresses, tokens or bodies.
"""


class Failure(Exception):
    """Base of all families; raise one of the families, never this."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Retry(Failure):
    """Certainly not done. `after` is the other side's wish in seconds, or None."""

    def __init__(self, code: str, detail: str = "", after: float | None = None) -> None:
        super().__init__(code, detail)
        self.after = after


class Reject(Failure):
    """Bad for good: goes to the stage's dead-letter topic."""


class Skip(Failure):
    """Nothing to do for this record."""


class Ambiguous(Failure):
    """The other side may have done it: a time-out, a reset, a 5xx without a promise."""


class Misconfigured(Failure):
    """Wrong credentials, a missing template, a missing topic: a person must act."""


class Fatal(Failure):
    """The process leaves with 70 and its supervisor starts it again."""
