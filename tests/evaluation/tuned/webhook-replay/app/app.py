"""Plays the events again that the payment service could not deliver over night."""

import os
import sys
from pathlib import Path

import structlog
from webhooks.dispatch import Dispatcher
from webhooks.events import read
from webhooks.ledger import Ledger

structlog.configure(processors=[structlog.processors.KeyValueRenderer(key_order=["event"])])
log = structlog.get_logger()


def main() -> int:
    strict = os.environ.get("WEBHOOKS_STRICT") == "1"
    ledger = Ledger()
    dispatcher = Dispatcher(ledger, strict=strict)
    for event in read(Path(__file__).with_name("undelivered.jsonl")):
        dispatcher.dispatch(event)
    log.info("replayed", events=dispatcher.count, skipped=dispatcher.skipped)
    if not ledger.balanced():
        log.error("ledger is off", by=ledger.off())
        return 1
    return 0


sys.exit(main())
