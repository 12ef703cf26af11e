"""The handlers: every module of this directory may register some."""

import importlib
import pkgutil
from collections.abc import Callable

from webhooks.events import Event
from webhooks.ledger import Ledger

Handler = Callable[[Event, Ledger], None]
REGISTERED: dict[str, Handler] = {}


def handles(*types: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        REGISTERED.update(dict.fromkeys(types, handler))
        return handler

    return register


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
