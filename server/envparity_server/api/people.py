"""People: who may log in, as what, and for which environments."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from sqlalchemy import Connection

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Limit, Offset, Scope, environments_of, not_there
from envparity_server.api.problems import Problem
from envparity_server.api.roles import Acting
from envparity_server.storage import people
from envparity_server.storage.actors import Actor, Environments, Role, stored
from envparity_server.storage.database import reading, writing
from envparity_server.storage.people import Person

router = APIRouter(prefix="/api/v1", tags=["people"])

PersonName = Annotated[str, Path(pattern=people.NAME, examples=["ada"])]
PersonRole = Literal["viewer", "operator", "admin"]
Password = Annotated[SecretStr, Field(min_length=people.SHORTEST_PASSWORD, max_length=people.LONGEST_PASSWORD)]


class PersonAnswer(BaseModel):
    """Somebody who may log in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "ada", "role": "operator", "environments": ["dev", "test"], "has_password": True,
                    "created_at": "2026-10-01T08:00:00+00:00", "disabled_at": None,
                }
            ]
        }
    )  # fmt: skip

    name: str
    role: PersonRole
    environments: list[str] | None = Field(description="Those that the person sees; null for all.")
    has_password: bool = Field(description="Else a one-time code is the only way in.")
    created_at: datetime
    disabled_at: datetime | None


class PersonList(BaseModel):
    """Some people, and how many there are."""

    people: list[PersonAnswer]
    total: int


class NewPerson(BaseModel):
    """Somebody to add."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"name": "ada", "role": "operator", "environments": ["dev", "test"]}]},
    )

    name: Annotated[str, StringConstraints(pattern=people.NAME)]
    role: PersonRole
    environments: Scope = None
    password: Password | None = None


class PersonChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"role": "viewer", "environments": None}]}
    )

    role: PersonRole | None = None
    environments: Scope = None
    disabled: bool | None = None


class NewPassword(BaseModel):
    """A password."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"password": "correct horse battery staple"}]}
    )

    password: Password


def _answer(one: Person) -> PersonAnswer:
    return PersonAnswer(
        name=one.name,
        role=one.role.value,  # type: ignore[arg-type]  # one of people.ROLES
        environments=stored(one.environments),
        has_password=one.has_password,
        created_at=one.created_at,
        disabled_at=one.disabled_at,
    )


@router.get("/people")
def list_people(request: Request, actor: Acting, limit: Limit = 100, offset: Offset = 0) -> PersonList:
    """The people whose environments the actor sees."""
    with reading(engine_of(request)) as connection:
        found = people.listed(connection, actor)
    return PersonList(people=[_answer(one) for one in found[offset : offset + limit]], total=len(found))


@router.post("/people")
def add_person(request: Request, body: NewPerson, actor: Acting) -> PersonAnswer:
    """Add somebody: with a password, or to log in by one-time codes."""
    role, environments = Role(body.role), environments_of(body.environments)
    allow(actor, role, environments)
    password_hash = people.hash_password(body.password.get_secret_value()) if body.password else None
    with writing(engine_of(request)) as connection:
        return _answer(people.add(connection, actor, body.name, role, environments, password_hash, now()))


def allow(actor: Actor, role: Role, environments: Environments) -> None:
    """Raise Problem 403 where somebody would grant more than he has."""
    if not actor.may_grant(role, environments):
        own = "all" if actor.environments is None else ", ".join(sorted(actor.environments))
        raise Problem(403, "nobody grants more than he has", f"yours: {actor.role}, environments {own}")


def _known(connection: Connection, name: str, actor: Actor) -> Person:
    found = people.by_name(connection, name)
    if found is None or not actor.covers(found.environments):
        raise not_there("person")
    return found


@router.get("/people/{name}")
def show_person(request: Request, name: PersonName, actor: Acting) -> PersonAnswer:
    """One person."""
    with reading(engine_of(request)) as connection:
        return _answer(_known(connection, name, actor))


@router.patch("/people/{name}")
def change_person(request: Request, name: PersonName, body: PersonChange, actor: Acting) -> PersonAnswer:
    """Change what somebody may do, or whether at all. It ends the person's sessions."""
    with writing(engine_of(request)) as connection:
        before = _known(connection, name, actor)
        role = before.role if body.role is None else Role(body.role)
        scoped = "environments" in body.model_fields_set
        environments = environments_of(body.environments) if scoped else before.environments
        disabled = before.disabled_at is not None if body.disabled is None else body.disabled
        allow(actor, role, environments)
        return _answer(people.change(connection, actor, before, role, environments, disabled, now()))


@router.put("/people/{name}/password")
def set_password(request: Request, name: PersonName, body: NewPassword, actor: Acting) -> PersonAnswer:
    """Give somebody a password. It ends the person's sessions."""
    password_hash = people.hash_password(body.password.get_secret_value())
    with writing(engine_of(request)) as connection:
        _known(connection, name, actor)
        people.set_password(connection, actor, name, password_hash, now())
        return _answer(_known(connection, name, actor))
