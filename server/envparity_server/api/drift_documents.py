"""The documents of the drifts' API: what it takes and what it answers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from envparity_agent.fingerprint import Value
from envparity_server.drift.findings import Item
from envparity_server.storage.drifts import Drift

MOST_ITEMS = 1000  # of one drift in an answer

SeverityWord = Literal["info", "low", "medium", "high", "critical"]
StateWord = Literal[
    "open", "all", "settling", "new", "ongoing", "acknowledged", "snoozed", "resolved", "regressed"
]  # fmt: skip

_Version = Annotated[int, Field(ge=1, lt=2**31, description="The version that was seen.", examples=[2])]
_Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00]+$"),
    Field(examples=["a hotfix, released with shop 1.5"]),
]
_Until = Annotated[AwareDatetime, Field(examples=["2026-12-01T08:00:00Z"])]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Acknowledgement(_Body):
    """Why it is fine as it is."""

    version: _Version
    reason: _Reason


class Snooze(_Body):
    """Why it can wait, and until when."""

    version: _Version
    reason: _Reason
    until: _Until


class Reopening(_Body):
    """The decision is taken back."""

    version: _Version


class Chosen(_Body):
    """One of several drifts."""

    id: Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")] = Field(examples=["5b7a863f2a9c0d1e"])
    version: _Version


class Decisions(_Body):
    """One decision about several drifts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "decision": "acknowledge",
                    "drifts": [{"id": "5b7a863f2a9c0d1e", "version": 2}],
                    "reason": "a hotfix, released with shop 1.5",
                }
            ]
        }
    )

    decision: Literal["acknowledge", "snooze", "reopen"]
    drifts: Annotated[list[Chosen], Field(min_length=1, max_length=1000)]
    reason: _Reason | None = None
    until: _Until | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Decisions":
        if (self.reason is None) != (self.decision == "reopen"):
            raise ValueError("a reason is for acknowledge and snooze, which need one")
        if (self.until is None) != (self.decision != "snooze"):
            raise ValueError("until is for snooze, which needs it")
        return self


class DriftSince(BaseModel):
    """It began between the last report without it and the first one with it."""

    after: datetime | None = Field(description="null: there is no report without it.")
    before: datetime


class DriftAnswer(BaseModel):
    """A drift: some items that differ on some hosts of a group, for one cause."""

    id: str
    words: str = Field(examples=["python/srv/shop: requests 2.31.0 -> 2.32.0 on 3 of 40 hosts, ..., actor unknown"])
    environment: str
    selector: str = Field(description="The group of hosts, or the environment as a whole.")
    reference: str = Field(description="What it is held against: baseline:NAME or a selector; empty for silence.")
    section: str
    kind: str = Field(description="Of the section; `stale` for hosts that stopped reporting.")
    severity: str
    state: str
    state_since: datetime
    first_seen: datetime
    last_seen: datetime
    last_moved: datetime = Field(description="When a host last joined or left it.")
    moved: str = Field(description="host, reference or unknown: who changed.")
    actor: str | None
    deploy: str | None = Field(description="The deploy that it began in.")
    reason: str | None
    decided_by: str | None
    until: datetime | None
    notified_at: datetime | None
    regressions: int = Field(description="How often it came again.")
    version: int
    host_count: int
    item_count: int


class DriftItem(BaseModel):
    """One item as it stands on some hosts; `left` is theirs, `right` the reference's."""

    section: str
    item: str | None
    attribute: str | None
    state: str
    left: Value
    right: Value
    distance: str | None
    severity: str
    hosts: list[str]
    since: DriftSince | None = Field(description="Of the first of them; null where it was so from the first report.")


class ShownDrift(DriftAnswer):
    """A drift with its hosts and items."""

    hosts: list[str]
    items: Annotated[list[DriftItem], Field(description=f"The most severe {MOST_ITEMS}.")]


class DriftsAnswer(BaseModel):
    """A list of drifts."""

    drifts: list[DriftAnswer]
    total: int


def answer(one: Drift, hosts: int, items: int) -> DriftAnswer:
    """A drift as a list has it."""
    return DriftAnswer(**_head(one, hosts, items))


def shown(one: Drift) -> ShownDrift:
    """A drift that was read with its items."""
    alike: dict[tuple[object, ...], list[Item]] = {}
    for item in one.live:
        alike.setdefault((item.key, item.state, item.left, item.right), []).append(item)
    folded = sorted(alike.values(), key=lambda items: (-items[0].severity, items[0].key, str(items[0].left)))
    return ShownDrift(
        **_head(one, len({item.subject for item in one.live}), len({item.key for item in one.live})),
        hosts=list(one.hosts),
        items=[_item(one, items) for items in folded[:MOST_ITEMS]],
    )


def _item(one: Drift, items: list[Item]) -> DriftItem:
    first = items[0]
    return DriftItem(
        section=first.key.section,
        item=first.key.item or None,
        attribute=first.key.attribute or None,
        state=first.state,
        left=first.left,
        right=first.right,
        distance=first.distance,
        severity=first.severity.word,
        hosts=sorted(one.names.get(item.subject, item.subject) for item in items),
        since=_since(items),
    )


def _since(items: Iterable[Item]) -> DriftSince | None:
    known = [(item.since_before, item.since_after) for item in items if item.since_before]
    if not known:
        return None
    before, after = min(known, key=lambda window: window[0])
    return DriftSince(after=after, before=before)


def _head(one: Drift, hosts: int, items: int) -> dict[str, Any]:
    names = DriftAnswer.model_fields.keys() - {"severity", "host_count", "item_count"}
    values = {name: getattr(one, name) for name in names}
    return {**values, "severity": one.severity.word, "host_count": hosts, "item_count": items}
