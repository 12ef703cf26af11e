"""Who changed an OS package, as far as the logs of the package managers tell that an agent sends beside a report.

Each log entry is when -> what: `2026-11-01 02:00:00` -> `apt upgrade by ada (1000): curl 8.1 -> 8.2, and 3 more`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from envparity_agent.fingerprint import Value

_MORE = re.compile(r"^and \d+ more$")
_ACTOR = re.compile(r"[\w .@$()-]{1,160}", re.ASCII)
_NOBODY = "a package manager"  # neither a program nor a person


@dataclass(frozen=True)
class Transaction:
    """One run of a package manager: when it began, who ran it, and the packages that it names."""

    began: datetime | None  # what is local time is read as UTC: nothing says the zone
    actor: str  # apt upgrade (by ada)
    packages: Mapping[str, str]  # name -> `old -> new`, one of them for what came or went
    more: bool  # there are packages that it does not name


def transactions(observed: Mapping[str, Value]) -> list[Transaction]:
    """The transactions that an `os-packages` section's `observed` tells, the newest first; whatever else is skipped."""
    told = sorted(((when, what) for when, what in observed.items() if isinstance(what, str)), reverse=True)
    found = (_transaction(when, what) for when, what in told)
    return [one for one in found if one]


def _transaction(when: str, what: str) -> Transaction | None:
    head, _, tail = what.partition(": ")
    command, _, user = head.partition(" by ")
    if not command or (command == _NOBODY and not user):
        return None
    parts = [part for part in tail.split(", ") if part]
    named = (part.lstrip("+-").partition(" ") for part in parts if not _MORE.match(part))
    who = f"{command} (by {user.partition(' (')[0]})" if user else command
    if not _ACTOR.fullmatch(who):  # no agent writes so
        return None
    return Transaction(
        _moment(when), who, {name: versions for name, _, versions in named}, any(map(_MORE.match, parts))
    )


def _moment(when: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(when.partition(" #")[0])
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def actor(
    told: Sequence[Transaction], package: str, left: Value, right: Value, after: datetime, before: datetime
) -> str | None:
    """Who made this change of a package (`left` is its version before, `right` after it), None where no log tells.

    1. The newest transaction that names the package with the version that it has now, or that went.
    2. Else the newest one between the two reports (of the host's own clock) that does not name all of its packages.
    """
    name = package.partition(":")[0]
    made = right if right is not None else left
    for one in told:
        if isinstance(made, str) and one.packages.get(name, "").rpartition(" ")[2] == made:
            return one.actor
    moments = after - timedelta(minutes=1), before + timedelta(minutes=1)  # a log's time is to the second
    within = (one for one in told if one.more and one.began and moments[0] <= one.began <= moments[1])
    return next((one.actor for one in within), None)
