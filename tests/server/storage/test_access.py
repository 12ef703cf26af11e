"""Tests of tokens, login codes and sessions."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from envparity_server.storage import access
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tables import metadata
from tests.server.making import NOON

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

ADMIN = Actor("person:admin", Role.ADMIN)


def test_a_token_enrols_as_often_as_it_says(database: Engine) -> None:
    with writing(database) as connection:
        token = access.make_enrolment_token(connection, "prod", 2, DAY, NOON)
        used = [access.use_enrolment_token(connection, token, "prod", NOON) for _ in range(3)]
    assert used == ["prod", "prod", None]


@pytest.mark.parametrize(
    ("scope", "wanted", "given"),
    [("prod", "prod", "prod"), ("prod", None, "prod"), ("prod", "dev", None), (None, "dev", "dev"),
     (None, None, "default")],
)  # fmt: skip
def test_a_token_enrols_into_its_environment_only(
    database: Engine, scope: str | None, wanted: str | None, given: str | None
) -> None:
    with writing(database) as connection:
        token = access.make_enrolment_token(connection, scope, 1, DAY, NOON)
        assert access.use_enrolment_token(connection, token, wanted, NOON) == given


def test_a_token_that_was_refused_has_lost_no_use(database: Engine) -> None:
    with writing(database) as connection:
        token = access.make_enrolment_token(connection, "prod", 1, DAY, NOON)
        assert access.use_enrolment_token(connection, token, "dev", NOON) is None
        assert access.use_enrolment_token(connection, token, "prod", NOON) == "prod"


def test_an_enrolment_token_expires(database: Engine) -> None:
    with writing(database) as connection:
        token = access.make_enrolment_token(connection, None, 5, DAY, NOON)
        assert access.use_enrolment_token(connection, token, "prod", NOON + DAY) is None
        assert access.use_enrolment_token(connection, token, "prod", NOON + DAY - SECOND) == "prod"


def test_an_unknown_token_enrols_nobody(database: Engine) -> None:
    with writing(database) as connection:
        assert access.use_enrolment_token(connection, "epe_unknown", "prod", NOON) is None


def test_of_two_agents_at_the_last_use_exactly_one_gets_it(database: Engine) -> None:
    with writing(database) as connection:
        token = access.make_enrolment_token(connection, "prod", 3, DAY, NOON)
    start = threading.Barrier(6)
    results: list[str | None] = []

    def enrol() -> None:
        start.wait()
        with writing(database) as connection:
            got = access.use_enrolment_token(connection, token, "prod", NOON)
        results.append(got)

    threads = [threading.Thread(target=enrol) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results, key=str) == [None, None, None, "prod", "prod", "prod"]


def test_an_access_token_has_its_role_until_it_expires(database: Engine) -> None:
    with writing(database) as connection:
        token = access.make_access_token(connection, "ci", "github", DAY, NOON)
        assert access.holder_of(connection, token, NOON + DAY - SECOND) == Actor("token:github", Role.CI)
        assert access.holder_of(connection, token, NOON + DAY) is None
        assert access.holder_of(connection, f"{token}x", NOON) is None


def test_a_login_code_works_once(database: Engine) -> None:
    with writing(database) as connection:
        code = access.make_login(connection, NOON)
        session = access.use_login(connection, code, NOON)
        assert session is not None
        assert access.use_login(connection, code, NOON) is None
        assert access.person_of_session(connection, session, NOON) == ADMIN


def test_of_two_browsers_with_one_code_exactly_one_is_logged_in(database: Engine) -> None:
    with writing(database) as connection:
        code = access.make_login(connection, NOON)
    start = threading.Barrier(4)
    results: list[bool] = []

    def log_in() -> None:
        start.wait()
        with writing(database) as connection:
            results.append(access.use_login(connection, code, NOON) is not None)

    threads = [threading.Thread(target=log_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, False, False, True]


def test_a_login_code_expires(database: Engine) -> None:
    with writing(database) as connection:
        code = access.make_login(connection, NOON)
        assert access.use_login(connection, code, NOON + access.LOGIN_LIFE) is None


def test_a_session_expires_and_ends(database: Engine) -> None:
    with writing(database) as connection:
        first, second = (access.use_login(connection, access.make_login(connection, NOON), NOON) for _ in range(2))
        assert first
        assert second
        assert access.person_of_session(connection, first, NOON + access.SESSION_LIFE - SECOND) == ADMIN
        assert access.person_of_session(connection, first, NOON + access.SESSION_LIFE) is None
        access.end_session(connection, first)
        assert access.person_of_session(connection, first, NOON) is None
        assert access.person_of_session(connection, second, NOON) == ADMIN


def test_nothing_that_was_handed_out_is_stored(database: Engine) -> None:
    with writing(database) as connection:
        handed = [
            access.make_enrolment_token(connection, None, 1, DAY, NOON),
            access.make_access_token(connection, "viewer", "me", DAY, NOON),
            access.make_login(connection, NOON),
            access.use_login(connection, access.make_login(connection, NOON), NOON),
        ]
    with reading(database) as connection:
        stored = str([connection.execute(select(table)).all() for table in metadata.sorted_tables])
    assert all(one and one not in stored and access.hashed(one) in stored for one in handed)


def test_no_two_tokens_are_alike(database: Engine) -> None:
    with writing(database) as connection:
        made = {access.make_enrolment_token(connection, None, 1, DAY, NOON) for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) > 40 for one in made)
