"""How strictly a gate judges, from what a person writes: `high`, `95%`, `6h`, `warn`."""

import re
from dataclasses import dataclass
from datetime import timedelta

from envparity_agent.errors import UsageError
from envparity_server.compare.model import Severity
from envparity_server.drift.severity import parse_severity

FAIL, WARN = "fail", "warn"
_PERCENT = re.compile(r"([0-9]{1,3})\s?%?")
_AGE = re.compile(r"([0-9]{1,6})\s?([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Strictness:
    """What fails, how much has to be compared, how old the reference may be, and whether a gap in it fails."""

    threshold: Severity = Severity.LOW
    min_coverage: int = 100
    max_age: timedelta | None = None
    warns: bool = False


def strictness(fail_on: str, min_coverage: str, max_age: str | None, on_unknown: str) -> Strictness:
    """Read the options; raises UsageError for the first that says nothing."""
    if on_unknown not in (FAIL, WARN):
        raise UsageError(f"--on-unknown {on_unknown} is not known", f"give {FAIL} or {WARN}")
    return Strictness(
        threshold(fail_on), percent(min_coverage), age(max_age) if max_age is not None else None, on_unknown == WARN
    )


def threshold(word: str) -> Severity:
    """A severity by its word; raises UsageError."""
    return parse_severity(word, f"--fail-on {word}")


def percent(text: str) -> int:
    """`95%` or `95`: 1 to 100; raises UsageError."""
    found = _PERCENT.fullmatch(text.strip())
    if not found or not 1 <= int(found[1]) <= 100:
        raise UsageError(f"--min-coverage {text} is no share", "give whole percents from 1 to 100: --min-coverage 95%")
    return int(found[1])


def age(text: str) -> timedelta:
    """`90m`, `6h`, `2d`: a time that is longer than none; raises UsageError."""
    found = _AGE.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise UsageError(f"--max-age {text} is no time", "give a number with s, m, h, d or w after it: --max-age 6h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
