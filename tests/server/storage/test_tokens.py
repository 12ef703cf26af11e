"""Tests of tokens that were handed out: told by their ids, never by what they are, and revoked."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from envparity_server.storage import access, audit, tokens
from envparity_server.storage.actors import Actor, Environments, Role
from envparity_server.storage.database import reading, writing
from tests.server.making import NOON

LOCAL = Actor("local:root", Role.ADMIN)
SCOPED = Actor("person:eve", Role.ADMIN, frozenset({"dev"}))
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def made(database: Engine, environments: Environments = None) -> tuple[str, tokens.AccessToken]:
    """A token of a pipeline."""
    with writing(database) as connection:
        return tokens.add_access_token(connection, LOCAL, Role.CI, "github", environments, DAY, NOON)


def enrolling(
    database: Engine, environment: str | None = "prod", host_life: timedelta | None = None
) -> tuple[str, tokens.EnrolmentToken]:
    """A token with which one agent enrols."""
    with writing(database) as connection:
        return tokens.add_enrolment_token(connection, LOCAL, environment, 1, DAY, host_life, NOON)


def test_an_access_token_works_and_is_told_without_what_it_is(database: Engine) -> None:
    token, one = made(database, frozenset({"prod"}))
    with reading(database) as connection:
        assert access.holder_of(connection, token, NOON) == Actor("token:github", Role.CI, frozenset({"prod"}))
        assert tokens.access_tokens(connection, LOCAL) == [one]
        told = [*tokens.access_tokens(connection, LOCAL), *audit.entries(connection)]
    assert (one.created_by, one.created_at, one.expires_at) == ("local:root", NOON, NOON + DAY)
    assert token not in str(told)
    assert access.hashed(token) not in str(told)
    assert [one.state(moment) for moment in (NOON, NOON + DAY - SECOND, NOON + DAY)] == ["valid", "valid", "expired"]


def test_an_access_token_that_is_revoked_works_no_more(database: Engine) -> None:
    token, one = made(database)
    other, _ = made(database)
    with writing(database) as connection:
        revoked = tokens.revoke_access_token(connection, LOCAL, one.id, NOON)
        assert revoked is not None
        assert (revoked.state(NOON), revoked.revoked_at) == ("revoked", NOON)
        assert tokens.revoke_access_token(connection, LOCAL, one.id, NOON + DAY) == revoked
        assert access.holder_of(connection, token, NOON) is None
        assert access.holder_of(connection, other, NOON) is not None
        entries = [entry.action for entry in audit.entries(connection)]
    assert entries == ["token.revoke", "token.add", "token.add"]


def test_an_enrolment_token_that_is_revoked_enrols_nobody(database: Engine) -> None:
    token, one = enrolling(database)
    with writing(database) as connection:
        revoked = tokens.revoke_enrolment_token(connection, LOCAL, one.id, NOON)
        assert revoked is not None
        assert revoked.state(NOON) == "revoked"
        assert access.use_enrolment_token(connection, token, "prod", NOON) is None


def test_an_enrolment_token_tells_its_uses_and_how_long_its_hosts_last(database: Engine) -> None:
    token, one = enrolling(database, host_life=timedelta(hours=2))
    assert (one.uses_left, one.host_life, one.state(NOON)) == (1, timedelta(hours=2), "valid")
    with writing(database) as connection:
        assert access.use_enrolment_token(connection, token, None, NOON) == "prod"
        assert access.terms_of(connection, token) == (timedelta(hours=2), one.id)
        [used] = tokens.enrolment_tokens(connection, LOCAL)
    assert (used.uses_left, used.state(NOON), used.state(NOON + DAY)) == (0, "used up", "expired")


def test_somebody_sees_the_tokens_that_reach_no_further(database: Engine) -> None:
    (_, everywhere), (_, dev) = made(database), made(database, frozenset({"dev"}))
    (_, anywhere), (_, into_dev) = enrolling(database, None), enrolling(database, "dev")
    with writing(database) as connection:
        assert tokens.access_tokens(connection, SCOPED) == [dev]
        assert tokens.enrolment_tokens(connection, SCOPED) == [into_dev]
        assert tokens.revoke_access_token(connection, SCOPED, everywhere.id, NOON) is None
        assert tokens.revoke_enrolment_token(connection, SCOPED, anywhere.id, NOON) is None
        assert all(one.revoked_at is None for one in tokens.access_tokens(connection, LOCAL))
        assert all(one.revoked_at is None for one in tokens.enrolment_tokens(connection, LOCAL))


@pytest.mark.parametrize("passed", [timedelta(0), timedelta(minutes=59), timedelta(hours=1), timedelta(days=1)])
def test_a_use_is_noted_once_an_hour(database: Engine, passed: timedelta) -> None:
    token, _ = made(database)
    with writing(database) as connection:
        assert not access.is_use_noted(connection, token, NOON)
        access.note_use(connection, token, NOON)
        assert access.is_use_noted(connection, token, NOON + passed) is (passed < timedelta(hours=1))
        [one] = tokens.access_tokens(connection, LOCAL)
    assert one.last_used_at == NOON
