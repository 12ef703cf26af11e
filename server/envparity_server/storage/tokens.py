"""The tokens that people hand out: made and told once, then named by their ids, and revoked; each of it audited."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, select, update

from envparity_server.storage import access, audit
from envparity_server.storage.actors import Actor, Environments, Role, from_stored, stored
from envparity_server.storage.tables import access_token, enrolment_token


@dataclass(frozen=True)
class AccessToken:
    """A token of a role."""

    id: str
    name: str
    role: Role
    environments: Environments
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None  # to the hour
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """`valid`, `expired` or `revoked`."""
        return _state(self.expires_at, self.revoked_at, now)


@dataclass(frozen=True)
class EnrolmentToken:
    """A token with which agents enrol."""

    id: str
    environment: str | None  # None: the agent says which
    uses_left: int
    host_life: timedelta | None  # of ephemeral hosts
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None

    @property
    def environments(self) -> Environments:
        """Where it enrols into."""
        return None if self.environment is None else frozenset({self.environment})

    def state(self, now: datetime) -> str:
        """`valid`, `used up`, `expired` or `revoked`."""
        state = _state(self.expires_at, self.revoked_at, now)
        return "used up" if state == "valid" and self.uses_left < 1 else state


def _state(expires_at: datetime, revoked_at: datetime | None, now: datetime) -> str:
    if revoked_at is not None:
        return "revoked"
    return "valid" if now < expires_at else "expired"


_ACCESS = [column for column in access_token.c if column.name != "token_hash"]
_ENROLMENT = [column for column in enrolment_token.c if column.name != "token_hash"]


def _access(row: Row[Any]) -> AccessToken:
    return AccessToken(**{**row._mapping, "role": Role(row.role), "environments": from_stored(row.environments)})


def _enrolment(row: Row[Any]) -> EnrolmentToken:
    life = None if row.host_life is None else timedelta(seconds=row.host_life)
    return EnrolmentToken(**{**row._mapping, "host_life": life})


def access_tokens(connection: Connection, actor: Actor) -> Sequence[AccessToken]:
    """The access tokens that reach no further than an actor does, by name."""
    rows = connection.execute(select(*_ACCESS).order_by(access_token.c.name, access_token.c.id))
    return [one for one in map(_access, rows) if actor.covers(one.environments)]


def enrolment_tokens(connection: Connection, actor: Actor) -> Sequence[EnrolmentToken]:
    """The enrolment tokens that reach no further than an actor does, those that last longest first."""
    order = (enrolment_token.c.expires_at.desc(), enrolment_token.c.id)
    rows = connection.execute(select(*_ENROLMENT).order_by(*order))
    return [one for one in map(_enrolment, rows) if actor.covers(one.environments)]


def add_access_token(
    connection: Connection, actor: Actor, role: Role, name: str, environments: Environments, life: timedelta,
    now: datetime,
) -> tuple[str, AccessToken]:  # fmt: skip
    """Make an access token; returns it, this once, and what is told of it."""
    token = access.make_access_token(connection, role, name, life, now, actor.name, environments)
    query = select(*_ACCESS).where(access_token.c.token_hash == access.hashed(token))
    made = _access(connection.execute(query).one())
    audit.write(connection, actor, "token.add", made.id, now, name=name, role=role, environments=stored(environments))
    return token, made


def add_enrolment_token(
    connection: Connection, actor: Actor, environment: str | None, uses: int, life: timedelta,
    host_life: timedelta | None, now: datetime,
) -> tuple[str, EnrolmentToken]:  # fmt: skip
    """Make an enrolment token; returns it, this once, and what is told of it."""
    token = access.make_enrolment_token(connection, environment, uses, life, now, actor.name, host_life)
    query = select(*_ENROLMENT).where(enrolment_token.c.token_hash == access.hashed(token))
    made = _enrolment(connection.execute(query).one())
    lasting = None if host_life is None else host_life.total_seconds()
    audit.write(connection, actor, "enrolment-token.add", made.id, now, environment, uses=uses, host_life=lasting)
    return token, made


def revoke_access_token(connection: Connection, actor: Actor, token_id: str, now: datetime) -> AccessToken | None:
    """End an access token; None where the actor sees none of that id. One that was revoked stays so since then."""
    one = next((one for one in access_tokens(connection, actor) if one.id == token_id), None)
    if one is None or one.revoked_at is not None:
        return one
    _revoke(connection, access_token, token_id, now)
    audit.write(connection, actor, "token.revoke", token_id, now, name=one.name)
    return replace(one, revoked_at=now)


def revoke_enrolment_token(connection: Connection, actor: Actor, token_id: str, now: datetime) -> EnrolmentToken | None:
    """Let no more hosts enrol by a token, those that did stay; None where the actor sees none of that id."""
    one = next((one for one in enrolment_tokens(connection, actor) if one.id == token_id), None)
    if one is None or one.revoked_at is not None:
        return one
    _revoke(connection, enrolment_token, token_id, now)
    audit.write(connection, actor, "enrolment-token.revoke", token_id, now, one.environment)
    return replace(one, revoked_at=now)


def _revoke(connection: Connection, table: Table, token_id: str, now: datetime) -> None:
    connection.execute(update(table).where(table.c.id == token_id, table.c.revoked_at.is_(None)).values(revoked_at=now))
