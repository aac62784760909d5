"""Which ids were seen lately, in bounded memory, so that a repeat counts once."""

from collections import OrderedDict


class Known:
    """Remembers up to `limit` ids. One that was forgotten would count again; a repeat comes long before that."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._ids: OrderedDict[str, str] = OrderedDict()

    def new(self, ident: str, value: str = "") -> bool:
        """Whether `ident` is seen for the first time; remembers it with `value`."""
        if ident in self._ids:
            return False
        self._ids[ident] = value
        if len(self._ids) > self._limit:
            self._ids.popitem(last=False)
        return True

    def value(self, ident: str) -> str | None:
        """What was remembered with `ident`."""
        return self._ids.get(ident) or None
