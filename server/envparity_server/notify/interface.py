"""The contract of notifications: what is told, who sends it, and how a sender fails."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Protocol

from envparity_agent.errors import EnvparityError

Networks = Sequence[IPv4Network | IPv6Network]  # where notifications may go although it is not the public internet


@dataclass(frozen=True)
class Item:
    """One thing that differs on one host, in text that is safe to show."""

    host: str
    section: str
    item: str
    words: str  # 3.0.11, not 3.0.15
    severity: str


@dataclass(frozen=True)
class Notification:
    """What is told: every text of it is one line, and inert in terminals, chats and pages."""

    event: str  # new, regressed, resolved, test
    title: str
    words: str
    severity: str
    environment: str
    link: str  # empty where the server does not know its own address
    items: tuple[Item, ...] = ()  # the first ones
    more: int = 0  # those beyond

    def document(self) -> dict[str, Any]:
        """The notification as it is stored, and as a webhook's body has it."""
        return {"schema": 1, **asdict(self), "items": [asdict(one) for one in self.items], "link": self.link or None}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Notification":
        """A notification that was stored."""
        given = {name: document[name] for name in cls.__dataclass_fields__}
        return cls(**{**given, "items": tuple(Item(**one) for one in document["items"]), "link": given["link"] or ""})

    def text(self) -> str:
        """The body for people, without the title."""
        lines = [f"- {one.host}: {one.section} {one.item}: {one.words} ({one.severity})" for one in self.items]
        more = [f"and {self.more} more"] if self.more else []
        return "\n".join([self.words, *([""] if lines else []), *lines, *more, *(["", self.link] if self.link else [])])


class Sender(Protocol):
    """One way to one receiver."""

    def send(self, delivery: str, notification: Notification, now: datetime) -> None:
        """Send once and return when the receiver has it; raises SendError. `delivery` is the same for every try."""


class SendError(EnvparityError):
    """It was not received; `permanent` says that sending the same again would not help.

    `retry_after` is how many seconds the receiver asks to wait.
    """

    exit_code = 3

    def __init__(self, message: str, permanent: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


class Transition(Protocol):
    """What became of a drift, as `evaluation.evaluate` returns it."""

    @property
    def drift_id(self) -> str:
        """Which drift."""

    @property
    def event(self) -> str:
        """What is told of it: new, regressed, resolved."""
