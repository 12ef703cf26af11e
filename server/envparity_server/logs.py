"""The server's log: one line an event on stderr, as JSON or as text, whatever is in it."""

import logging
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

QUIET = ("apscheduler", "httpx", "alembic", "uvicorn.access")  # their ordinary words are no news


class LogFormat(StrEnum):
    """How a line looks."""

    JSON = "json"
    TEXT = "text"


_SHARED: Sequence[Processor] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,  # the calls, never what their variables hold
)


def logger(name: str) -> Any:
    """A logger of events: `log.info("request", status=200)`."""
    return structlog.wrap_logger(
        logging.getLogger(name),
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def configure(form: LogFormat, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Write what the server and its libraries have to tell, each event on one line.

    What comes from hosts and people is escaped: no line break and no terminal sequence of theirs reaches the log.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(form)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _renderer(form: LogFormat) -> Processor:
    if form == LogFormat.JSON:
        return structlog.processors.JSONRenderer()  # ASCII only
    return structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"], repr_native_str=True)
