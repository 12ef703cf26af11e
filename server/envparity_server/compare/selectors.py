"""Selectors: how a person names hosts or a baseline, a moment and a part of a fingerprint.

env:prod            the hosts of an environment
env:prod,role=web   those of them that have a label; each further label narrows it
env:*,role=web      hosts of all environments, with or without labels
role=web            the same in short
host:web-1          one host, by its name or id
baseline:shop       the approved version of a baseline
baseline:shop/3     its third version, approved or not

Each with @MOMENT and #SECTION after it: host:web-1@2026-11-01T02:00#python/srv/app/.venv
"""

import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from envparity_agent.errors import UsageError

ALL = "*"  # the name of the environment that stands for every one

_FORM = re.compile(
    r"^(?P<kind>env|host|baseline):(?P<name>[^@#,]+)(?:,(?P<labels>[^@#]+))?(?:@(?P<moment>[^#]+))?(?:#(?P<section>.+))?$"
)
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_LABELS_ONLY = re.compile(rf"^{_NAME}={_NAME}(?:,{_NAME}={_NAME})*(?:[@#].*)?$")
_BASELINE = re.compile(rf"(?P<name>{_NAME})(?:/(?P<version>[1-9][0-9]{{0,8}}))?")
_ADVICE = (
    "a selector is env:prod, env:prod,role=web, role=web, host:web-1, baseline:shop or baseline:shop/3, "
    "with @2026-11-01T02:00 or #python/NAME after it"
)


@dataclass(frozen=True)
class Selector:
    """What a selector says; `moment` is None for now, `version` for the approved one of a baseline."""

    text: str
    kind: str  # env, host or baseline
    name: str
    labels: dict[str, str] = field(default_factory=dict)
    moment: datetime | None = None
    section: str = ""
    version: int | None = None

    @property
    def whom(self) -> str:
        """The selector without its moment and section: whom it names."""
        return re.split("[@#]", self.text, maxsplit=1)[0]


def is_selector(text: str) -> bool:
    """Whether a text names hosts or a baseline on a server, and no target on this machine.

    A file may be called role=web: where there is one, it is meant.
    """
    return text.startswith(("env:", "host:", "baseline:")) or bool(_LABELS_ONLY.match(text) and not _is_there(text))


def _is_there(path: str) -> bool:
    return "\0" not in path and os.path.lexists(path)


def parse_selector(text: str, now: datetime) -> Selector:
    """Read a selector; raises UsageError with what a selector looks like."""
    found = _FORM.match(f"env:{ALL},{text}" if _LABELS_ONLY.match(text) else text)
    if not found or "\0" in text:
        raise UsageError(f"{text!r} is not a selector", _ADVICE)
    kind, name = found["kind"], found["name"]
    if found["labels"] and kind != "env":
        raise UsageError(f"{text!r} is not a selector: labels choose among hosts of environments", _ADVICE)
    moment = parse_moment(found["moment"], now) if found["moment"] else None
    section = found["section"] or ""
    if kind != "baseline":
        return Selector(text, kind, name, _labels(found["labels"] or "", text), moment, section)
    which = _BASELINE.fullmatch(name)
    if not which:
        raise UsageError(f"{name!r} in {text!r} is no name of a baseline", _ADVICE)
    version = int(which["version"]) if which["version"] else None
    return Selector(text, kind, which["name"], {}, moment, section, version)


def _labels(words: str, text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    for part in words.split(",") if words else ():
        key, separator, value = part.partition("=")
        if not key or not separator or not value:
            raise UsageError(f"{part!r} in {text!r} is not a label", _ADVICE)
        labels[key] = value
    return labels


def parse_moment(text: str, now: datetime) -> datetime:
    """Read a moment, in UTC where it has no offset; raises UsageError."""
    if text == "yesterday":
        return now - timedelta(days=1)
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: the year 1 or 9999 with an offset
        raise UsageError(
            f"{text!r} is not a moment", "a moment is 2026-11-01T02:00 (UTC), with an offset, or yesterday"
        ) from None
