"""Who has an item, in which value, where and since when; and which values are in use."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from envparity_server.api.authentication import engine_of
from envparity_server.api.lists import Answer, Limit, Offset
from envparity_server.api.moments import Between, between
from envparity_server.api.roles import Acting
from envparity_server.storage import items
from envparity_server.storage.database import reading
from envparity_server.storage.items import Holding, InUse

router = APIRouter(prefix="/api/v1/items", tags=["items"])

Name = Annotated[
    str,
    Query(
        min_length=1,
        max_length=1024,
        description="An item's name, or a glob of * and ?; capital letters count.",
        examples=["openssl", "libssl*"],
    ),
]
Kind = Annotated[str, Query(max_length=64, description="Only in sections of this kind.", examples=["python"])]


class ItemAnswer(Answer):
    """An item that a host has now."""

    host: str = Field(description="Its id.", examples=["0123456789abcdef"])
    name: str = Field(examples=["web-7"])
    environment: str = Field(examples=["prod"])
    section: str = Field(examples=["container/shop.web/python/usr/lib/python3.11"])
    kind: str = Field(examples=["python"])
    item: str = Field(examples=["requests"])
    value: str | None = Field(description="Its version, or what else tells most of it.", examples=["2.32.3"])
    shadowed: bool = Field(description="It is there, but another one of its name is what imports.")
    since: Between


class ItemsAnswer(Answer):
    """Who has an item now."""

    items: list[ItemAnswer]
    total: int


class ValueAnswer(Answer):
    """A value of an item that hosts have now."""

    item: str = Field(examples=["openssl"])
    kind: str = Field(examples=["os-packages"])
    value: str | None = Field(examples=["3.0.11-1~deb12u2"])
    shadowed: bool
    hosts: dict[str, int] = Field(description="Environment -> hosts.", examples=[{"prod": 212, "test": 3}])


class ValuesAnswer(Answer):
    """The values of an item that are in use."""

    values: list[ValueAnswer]
    total: int


@router.get("")
def who_has(
    request: Request,
    acting: Acting,
    name: Name,
    value: Annotated[str | None, Query(max_length=1024, examples=["3.0.11-1~deb12u2"])] = None,
    kind: Kind = "",
    limit: Limit = 1000,
    offset: Offset = 0,
) -> ItemsAnswer:
    """Who has an item now, where, and since when; of a Python distribution its shadowed copies as well.

    `GET /api/v1/items?name=openssl&value=3.0.11-1~deb12u2`
    """
    with reading(engine_of(request)) as connection:
        found, total = items.having(connection, name, value, acting.environments, kind, limit, offset)
    return ItemsAnswer(items=[_item(one) for one in found], total=total)


@router.get("/values")
def values_of(request: Request, acting: Acting, name: Name, kind: Kind = "", limit: Limit = 1000) -> ValuesAnswer:
    """Every value of an item that is in use, with how many hosts of each environment have it.

    `GET /api/v1/items/values?name=openssl`
    """
    with reading(engine_of(request)) as connection:
        found, total = items.values(connection, name, acting.environments, kind, limit)
    return ValuesAnswer(values=[_value(one) for one in found], total=total)


def _item(one: Holding) -> ItemAnswer:
    return ItemAnswer(
        host=one.host_id, name=one.host, environment=one.environment, section=one.section, kind=one.kind,
        item=one.item, value=one.value, shadowed=one.shadowed, since=between(*one.since),
    )  # fmt: skip


def _value(one: InUse) -> ValueAnswer:
    return ValueAnswer(item=one.item, kind=one.kind, value=one.value, shadowed=one.shadowed, hosts=one.hosts)
