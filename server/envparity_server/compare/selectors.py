"""Selectors: how a person names hosts, a moment and a part of a fingerprint.

env:prod    env:prod,role=web    host:web-1    each with @MOMENT and #SECTION after it:
host:web-1@2026-11-01T02:00      host:web-1#python/srv/app/.venv
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from envparity_agent.errors import UsageError

_FORM = re.compile(
    r"^(?P<kind>env|host):(?P<name>[^@#,]+)(?:,(?P<labels>[^@#]+))?(?:@(?P<moment>[^#]+))?(?:#(?P<section>.+))?$"
)
_ADVICE = "a selector is env:prod, env:prod,role=web or host:web-1, with @2026-11-01T02:00 or #python/NAME after it"


@dataclass(frozen=True)
class Selector:
    """What a selector says; `moment` is None for now."""

    text: str
    kind: str  # env or host
    name: str
    labels: dict[str, str] = field(default_factory=dict)
    moment: datetime | None = None
    section: str = ""


def is_selector(text: str) -> bool:
    """Whether a text names hosts on a server, and no target on this machine."""
    return text.startswith(("env:", "host:"))


def parse_selector(text: str, now: datetime) -> Selector:
    """Read a selector; raises UsageError with what a selector looks like."""
    found = _FORM.match(text)
    if not found or "\0" in text:
        raise UsageError(f"{text!r} is not a selector", _ADVICE)
    labels: dict[str, str] = {}
    for part in (found["labels"] or "").split(",") if found["labels"] else ():
        key, separator, value = part.partition("=")
        if not key or not separator or not value:
            raise UsageError(f"{part!r} in {text!r} is not a label", _ADVICE)
        labels[key] = value
    moment = _moment(found["moment"], now) if found["moment"] else None
    return Selector(text, found["kind"], found["name"], labels, moment, found["section"] or "")


def _moment(text: str, now: datetime) -> datetime:
    if text == "yesterday":
        return now - timedelta(days=1)
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: the year 1 or 9999 with an offset
        raise UsageError(
            f"{text!r} is not a moment", "a moment is 2026-11-01T02:00 (UTC), with an offset, or yesterday"
        ) from None
