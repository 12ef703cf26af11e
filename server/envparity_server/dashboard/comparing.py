"""How a comparison is asked for: what its address says, and the addresses that lead on from it."""

import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from glob import escape
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends

from envparity_agent.errors import UsageError
from envparity_server.compare.model import Difference
from envparity_server.compare.selectors import parse_selector
from envparity_server.dashboard.addresses import Text, permalink

_PARTS = re.compile(r"(?P<whom>[^@#]*)(?:@[^#]*)?(?P<section>(?:#.*)?)", re.DOTALL)


@dataclass(frozen=True)
class Question:
    """What is held against what, and how it is shown; the fields are those of the address."""

    left: str = ""
    right: str = ""
    only: str = ""
    app: str = ""
    good: str = ""  # right: what works is on the right; else it is on the left
    layout: str = ""  # side: the two sides in columns of their own; else in one
    all: str = ""  # 1: what is equal is shown as well

    @property
    def sides(self) -> tuple[str, str]:
        """The selectors, where it works first."""
        return (self.right, self.left) if self.good == "right" else (self.left, self.right)

    @property
    def swapped(self) -> "Question":
        """The same the other way round."""
        return replace(self, left=self.right, right=self.left)

    def address(self, path: str = "/compare", **changed: str) -> str:
        """The permalink, or the address of something else about the same comparison."""
        return permalink(path, **{**asdict(self), **changed})

    def rule_address(self, difference: Difference) -> str:
        """Where a rule is made that expects a difference, and that leads back here."""
        return permalink("/rules/new", match=_match(difference), hosts=self._hosts, back=self.address())

    @property
    def _hosts(self) -> str:
        """The hosts of the side that is held against the good one; a baseline has none, then those of the other."""
        for text in reversed(self.sides):
            if not text.startswith("baseline:"):
                return _parts(text)[0]
        return ""


def _asked(
    left: Text = "", right: Text = "", only: Text = "", app: Text = "", good: Text = "", layout: Text = "",
    all: Text = "",
) -> Question:  # fmt: skip
    return Question(
        left, right, only, app, "right" if good == "right" else "", "side" if layout == "side" else "",
        "1" if all == "1" else "",
    )  # fmt: skip


Asked = Annotated[Question, Depends(_asked)]


def question_of(address: str) -> Question | None:
    """The comparison that an address of this page names; None where it names none."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or parts.path != "/compare":
        return None
    told = {name: values[0][:1024] for name, values in parse_qs(parts.query).items() if "\0" not in values[0]}
    found = _asked(**{name: told[name] for name in Question.__dataclass_fields__.keys() & told.keys()})
    return found if found.left and found.right else None


def at(text: str, moment: str) -> str:
    """A selector at another moment: `host:web-1#python/shop` at `2026-11-01T02:00`."""
    if not moment:
        return text
    whom, section = _parts(text)
    return f"{whom}@{moment}{section}"


def split(text: str, now: datetime) -> tuple[str, str]:
    """A selector without its moment, and the moment as a field of a form has it, in UTC; a wrong one stays as it is."""
    try:
        moment = parse_selector(text, now).moment
    except UsageError:
        return text, ""
    if moment is None:
        return text, ""
    later = moment + timedelta(microseconds=999_999)  # such a field has no part of a second: a report then is meant
    precision = "minutes" if later.second == 0 else "seconds"
    return "".join(_parts(text)), later.replace(tzinfo=None).isoformat(timespec=precision)


def _parts(text: str) -> tuple[str, str]:
    """A selector without its moment: whom it names, and its section with the sign before it."""
    found = _PARTS.fullmatch(text)
    return (found["whom"], found["section"]) if found else (text, "")


def _match(difference: Difference) -> str:
    """The glob that fits this difference: of a whole section the section itself, and not what is in it."""
    place = f"{difference.section}/{difference.item}" if difference.item else f"{difference.section}#"
    return escape(place) if difference.item else escape(place) + escape(difference.attribute)
