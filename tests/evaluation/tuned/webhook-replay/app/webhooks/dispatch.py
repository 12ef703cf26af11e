"""Gives each event to the function that was registered for its type."""

from webhooks.events import Event
from webhooks.handlers import REGISTERED
from webhooks.ledger import Ledger


class NobodyHandles(LookupError):
    """An event of a type that no handler was registered for."""


class Dispatcher:
    def __init__(self, ledger: Ledger, strict: bool) -> None:
        self._ledger = ledger
        self._strict = strict
        self.count = 0
        self.skipped = 0

    def dispatch(self, event: Event) -> None:
        handler = REGISTERED.get(event.type)
        if handler is None:
            if self._strict:
                raise NobodyHandles(f"{event.type} ({event.id}); known are {len(REGISTERED)} types")
            self.skipped += 1
            return
        handler(event, self._ledger)
        self.count += 1
