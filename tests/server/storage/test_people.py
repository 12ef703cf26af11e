"""Tests of people: who may log in, that a password is kept as a hash, and that any change ends their sessions."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from envparity_agent.errors import UsageError
from envparity_server.storage import access, audit, people, sessions
from envparity_server.storage.actors import Actor, Environments, Role
from envparity_server.storage.database import reading, writing
from envparity_server.storage.people import AlreadyThere, Busy, Person
from envparity_server.storage.tables import user
from tests.server.making import NOON

LOCAL = Actor("local:root", Role.ADMIN)
DEV = frozenset({"dev"})
PASSWORD = "correct horse battery staple"  # noqa: S105  # nobody's


@pytest.fixture(scope="module")
def password_hash() -> str:
    """The hash of PASSWORD, which takes its time."""
    return people.hash_password(PASSWORD)


def added(
    database: Engine, name: str = "ada", environments: Environments = None, password: str | None = None
) -> Person:
    """A person who may decide."""
    with writing(database) as connection:
        return people.add(connection, LOCAL, name, Role.OPERATOR, environments, password, NOON)


def test_a_person_is_who_was_added(database: Engine) -> None:
    one = added(database, environments=DEV)
    with reading(database) as connection:
        assert people.by_name(connection, "ada") == one == Person("ada", Role.OPERATOR, DEV, NOON, None, False)
        assert people.by_name(connection, "bob") is None
        assert people.listed(connection, LOCAL) == [one]


def test_two_people_have_two_names(database: Engine) -> None:
    added(database)
    with pytest.raises(AlreadyThere, match="ada"):
        added(database)


@pytest.mark.parametrize("name", ["", " ", "a b", "ä", "-a", "a\n", "a\0", "<b>", "x" * 64, "../etc"])
def test_a_name_that_is_none_is_refused(database: Engine, name: str) -> None:
    with pytest.raises(UsageError, match="no name of a person"):
        added(database, name)


def test_a_person_is_no_pipeline(database: Engine) -> None:
    one = added(database)
    with writing(database) as connection:
        with pytest.raises(UsageError, match="not ci"):
            people.add(connection, LOCAL, "bob", Role.CI, None, None, NOON)
        with pytest.raises(UsageError, match="not ci"):
            people.change(connection, LOCAL, one, Role.CI, None, False, NOON)


@pytest.mark.parametrize(
    ("sees", "names"),
    [(None, ["all", "both", "dev", "prod"]), (DEV, ["dev"]), (frozenset({"dev", "prod"}), ["both", "dev", "prod"])],
)
def test_somebody_sees_the_people_who_see_no_more(database: Engine, sees: Environments, names: list[str]) -> None:
    reaches: dict[str, Environments] = {
        "all": None, "dev": DEV, "prod": frozenset({"prod"}), "both": frozenset({"dev", "prod"}),
    }  # fmt: skip
    for name, environments in reaches.items():
        added(database, name, environments)
    with reading(database) as connection:
        assert [one.name for one in people.listed(connection, Actor("person:x", Role.ADMIN, sees))] == names


def test_a_password_is_kept_as_a_hash_of_its_own(database: Engine, password_hash: str) -> None:
    added(database, password=password_hash)
    with reading(database) as connection:
        assert people.password_hash(connection, "ada") == password_hash
    assert password_hash.startswith("$argon2id$")
    assert PASSWORD not in password_hash
    assert people.verified(PASSWORD, password_hash)
    assert not people.verified(PASSWORD + "x", password_hash)
    assert people.hash_password(PASSWORD) != password_hash


def test_nobody_has_the_password_that_is_checked_for_unknown_names() -> None:
    assert not people.verified("nobody's", None)


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 1025])
def test_a_password_that_is_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(UsageError, match="12 to 1024"):
        people.hash_password(password)


def test_a_password_is_no_other_one_that_begins_alike() -> None:
    longest = "x" * people.LONGEST_PASSWORD
    assert not people.verified(longest + "y", people.hash_password(longest))


def test_only_so_many_passwords_are_checked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "LONGEST_WAIT", 0)
    monkeypatch.setattr(people, "_AT_ONCE", threading.BoundedSemaphore(1))
    with people._turn(), pytest.raises(Busy):
        people.verified(PASSWORD, None)
    assert not people.verified(PASSWORD, None)


def session_of(database: Engine, name: str = "ada") -> str:
    """A session's token."""
    with writing(database) as connection:
        return access.begin_session(connection, name, NOON)


def known(database: Engine, token: str) -> Actor | None:
    """Whose session a token is."""
    with reading(database) as connection:
        return access.person_of_session(connection, token, NOON)


@pytest.mark.parametrize("changed", ["role", "environments", "disabled", "password"])
def test_a_change_of_a_person_ends_every_session_and_code_and_is_in_the_audit(
    database: Engine, changed: str, password_hash: str
) -> None:
    one, other = added(database), added(database, "bob")
    tokens, bobs = [session_of(database) for _ in range(2)], session_of(database, "bob")
    with writing(database) as connection:
        code = access.make_login(connection, NOON, "ada")
        if changed == "password":
            people.set_password(connection, LOCAL, "ada", password_hash, NOON)
        else:
            role = Role.VIEWER if changed == "role" else one.role
            environments = DEV if changed == "environments" else None
            after = people.change(connection, LOCAL, one, role, environments, changed == "disabled", NOON)
            assert after == people.by_name(connection, "ada") != one
    assert [known(database, token) for token in tokens] == [None, None]
    assert known(database, bobs) == Actor("person:bob", other.role)
    with writing(database) as connection:
        assert access.use_login(connection, code, NOON) is None
        entry = audit.entries(connection)[0]
    assert (entry.actor, entry.object) == ("local:root", "ada")
    assert entry.action == ("person.password" if changed == "password" else "person.change")
    assert password_hash not in str(entry)


def test_a_change_that_changes_nothing_ends_no_session(database: Engine) -> None:
    one, token = added(database), session_of(database)
    with writing(database) as connection:
        assert people.change(connection, LOCAL, one, one.role, one.environments, False, NOON) == one
    assert known(database, token) is not None


def test_a_person_who_is_disabled_gets_no_session_until_enabled(database: Engine, password_hash: str) -> None:
    one = added(database, password=password_hash)
    with writing(database) as connection:
        disabled = people.change(connection, LOCAL, one, one.role, None, True, NOON)
        assert people.password_hash(connection, "ada") is None
        assert people.begin_session(connection, "ada", password_hash, NOON) is None
        later = people.change(connection, LOCAL, disabled, Role.VIEWER, None, True, NOON + timedelta(days=1))
        assert later.disabled_at == NOON
        people.change(connection, LOCAL, later, Role.VIEWER, None, False, NOON)
        assert people.begin_session(connection, "ada", password_hash, NOON)


def test_a_password_that_was_changed_while_it_was_checked_begins_no_session(
    database: Engine, password_hash: str
) -> None:
    added(database, password=password_hash)
    with writing(database) as connection:
        people.set_password(connection, LOCAL, "ada", people.hash_password("another " + PASSWORD), NOON)
    with writing(database) as connection:
        assert people.begin_session(connection, "ada", password_hash, NOON) is None


def test_sessions_are_listed_and_ended_one_by_one(database: Engine) -> None:
    added(database, environments=DEV)
    first, second = session_of(database), session_of(database)
    scoped = Actor("person:eve", Role.ADMIN, frozenset({"prod"}))
    with writing(database) as connection:
        found = sessions.listed(connection, LOCAL, NOON)
        assert [one.person for one in found] == ["ada", "ada"]
        assert sessions.listed(connection, scoped, NOON) == []
        assert sessions.listed(connection, LOCAL, NOON + access.SESSION_LIFE) == []
        assert sessions.revoke(connection, scoped, found[0].id, NOON) is None
        assert sessions.revoke(connection, LOCAL, found[0].id, NOON) == found[0]
        assert sessions.revoke(connection, LOCAL, found[0].id, NOON) is None
        assert sessions.listed(connection, LOCAL, NOON) == [found[1]]
        assert audit.entries(connection)[0].action == "session.revoke"
    assert sorted(known(database, token) is None for token in (first, second)) == [False, True]
    assert first not in str(found)


def test_no_password_is_stored_in_clear(database: Engine, password_hash: str) -> None:
    added(database, password=password_hash)
    with reading(database) as connection:
        assert PASSWORD not in str(connection.execute(select(user)).all())
