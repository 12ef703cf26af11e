"""What the hosts of a selector agree on, item by item, and who deviates."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import Connection

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Answer, Offset, Text
from envparity_server.api.roles import Acting
from envparity_server.drift.shares import Share, is_in, shares
from envparity_server.references import votes
from envparity_server.storage import changes, content, hosts
from envparity_server.storage.changes import Change
from envparity_server.storage.database import reading

router = APIRouter(prefix="/api/v1", tags=["majority"])

_MOST_HOSTS = 100  # named for one item; how many there are is told beside them


class Value(Answer):
    """One of the values that hosts have."""

    value: str = Field(examples=["3.0.11-1~deb12u2"])
    hosts: int = Field(examples=[212])


class Since(Answer):
    """A change is known to lie between two reports."""

    after: datetime = Field(description="The last report without it.")
    before: datetime = Field(description="The first report with it.")


class Deviator(Answer):
    """A host that has not what most have."""

    host: str = Field(description="Its id.", examples=["0123456789abcdef"])
    name: str = Field(examples=["web-7"])
    value: str = Field(examples=["3.0.9-1"])
    since: Since | None = Field(description="When the item last changed there; null: it was so from its first report.")


class Agreement(Answer):
    """Where the hosts stand on one item."""

    section: str = Field(examples=["os-packages"])
    kind: str = Field(examples=["os-packages"])
    item: str | None = Field(description="None: the whole section, which some hosts do not have.", examples=["openssl"])
    split: bool = Field(description="No value has more than half of the hosts.")
    value: str | None = Field(description="The majority's; none where it is split.", examples=["3.0.11-1~deb12u2"])
    share: str | None = Field(examples=["212 of 300"])
    values: list[Value] = Field(description="Every value, the one that most have first.")
    deviating: int = Field(description="How many hosts have another value than the majority.", examples=[88])
    deviators: list[Deviator] = Field(description=f"The first {_MOST_HOSTS} of them.")


class Unread(Answer):
    """Hosts that have no vote on a section, as theirs could not be read whole."""

    section: str
    hosts: list[str] = Field(description="Their names.")


class Majority(Answer):
    """What hosts agree on."""

    of: str = Field(examples=["env:prod,role=web"])
    hosts: int = Field(description="How many spoke for the selector: fresh ones that last.", examples=[300])
    majority: list[Agreement]
    total: int = Field(description="How many items there are to page through.")
    agreed: int = Field(description="How many items all hosts have alike.")
    unread: list[Unread]
    notes: list[str]


@router.get("/majority")
def majority_of(
    request: Request,
    actor: Acting,
    of: Text,
    section: Text = "",
    item: Text = "",
    everything: Annotated[bool, Query(alias="all", description="Also the items on which all agree.")] = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    offset: Offset = 0,
) -> Majority:
    """The majority of each item, its share, and who deviates; by default only what not all agree on.

    `GET /api/v1/majority?of=env:prod,role=web&section=os-packages`
    """
    with reading(engine_of(request)) as connection:
        found = votes(connection, of, now(), actor.environments)
        narrowed = section or found.selector.section
        trees = [
            {path: one for path, one in vote.sections.items() if is_in(path, narrowed)}
            for vote in found.by_host.values()
        ]
        content.open_differing(trees, whole=everything)
        counted = shares(found.by_host, narrowed, item, everything)
        names = {one.id: one.name for one in hosts.all_hosts(connection, actor.environments)}
        told = [_agreement(connection, one, names) for one in counted.shares[offset : offset + limit]]
    return Majority(
        of=of,
        hosts=len(found.by_host),
        majority=told,
        total=len(counted.shares),
        agreed=counted.agreed,
        unread=[Unread(section=path, hosts=_named(ids, names)) for path, ids in counted.unread.items()],
        notes=list(found.notes),
    )


def _agreement(connection: Connection, share: Share, names: dict[str, str]) -> Agreement:
    others = [] if share.is_split else [(id, stand.value) for stand in share.stands[1:] for id in stand.hosts]
    shown = others[:_MOST_HOSTS]
    moved = changes.latest(connection, [id for id, _ in shown], share.section, share.item)
    return Agreement(
        section=share.section,
        kind=share.kind,
        item=share.item or None,
        split=share.is_split,
        value=None if share.is_split else share.stands[0].value,
        share=None if share.is_split else share.words,
        values=[Value(value=stand.value, hosts=len(stand.hosts)) for stand in share.stands],
        deviating=len(others),
        deviators=[
            Deviator(host=id, name=names.get(id, id), value=value, since=_since(moved.get(id))) for id, value in shown
        ],
    )


def _since(change: Change | None) -> Since | None:
    return Since(after=change.after, before=change.before) if change else None


def _named(ids: Sequence[str], names: dict[str, str]) -> list[str]:
    return sorted(names.get(id, id) for id in ids)
