"""Tests of one's own account: who one is, a new password, and one's own sessions."""

from datetime import UTC, datetime

import httpx
import pytest

from envparity_server.api.attempts import MOST_BY_ACCOUNT
from envparity_server.storage import people
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen

OLD, NEW = "correct horse battery staple", "another sentence that is long"


@pytest.fixture
def ada(pages: Asking) -> Asking:
    """A viewer of dev who has a password."""
    ada = pages.as_person("ada", Role.VIEWER, frozenset({"dev"}))
    password_hash, now = people.hash_password(OLD), datetime.now(UTC)
    with writing(pages.engine) as connection:
        people.set_password(connection, Actor("local:tests", Role.ADMIN), "ada", password_hash, now)
    return log_in(ada)


def log_in(asking: Asking, password: str = OLD) -> Asking:
    """A new session of ada."""
    answer = asking.ask("POST", "/login", data={"name": "ada", "password": password})
    return Asking(asking.app, asking.engine, {"Cookie": answer.headers["set-cookie"].partition(";")[0]})


def change(ada: Asking, old: str = OLD, password: str = NEW, again: str = NEW) -> httpx.Response:
    """The answer to the form."""
    return ada.ask("POST", "/account/password", data={"old": old, "password": password, "again": again})


def test_it_says_who_one_is(ada: Asking) -> None:
    text = seen(ada.get("/account")).text
    assert all(word in text for word in ("ada", "Role viewer", "Environments dev", "this one"))


def test_a_new_password_ends_every_other_session_and_keeps_this_one(ada: Asking) -> None:
    other = log_in(ada)
    answer = change(ada)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?changed=1")
    assert [one.get("/account").status_code for one in (ada, other)] == [303, 303]
    kept = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
    assert ada.ask("GET", "/account", headers=kept).status_code == 200
    assert log_in(ada, NEW).get("/account").status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"old": "wrong"}, 403), ({"old": ""}, 403), ({"again": "x"}, 422), ({"password": "x", "again": "x"}, 422)],
)
def test_a_wrong_form_changes_nothing(ada: Asking, fields: dict[str, str], status: int) -> None:
    assert change(ada, **fields).status_code == status
    assert log_in(ada).get("/account").status_code == 200


def test_guessing_the_old_password_ends(ada: Asking) -> None:
    statuses = [change(ada, "wrong").status_code for _ in range(MOST_BY_ACCOUNT + 1)]
    assert statuses == [403] * MOST_BY_ACCOUNT + [429]
    assert change(ada).status_code == 429


def test_who_logs_in_by_codes_sets_a_first_password(pages: Asking) -> None:
    assert "Set a password" in seen(pages.get("/account")).text
    assert change(pages, "").status_code == 303


def test_one_ends_ones_own_sessions_and_nobody_elses(ada: Asking, pages: Asking) -> None:
    other = log_in(ada)
    (end,) = [one for one in seen(ada.get("/account")).values("form", "action") if one.startswith("/account/sessions/")]
    (mine,) = [one for one in seen(other.get("/account")).values("form", "action") if one.startswith("/account/sess")]
    assert pages.ask("POST", end).status_code == 404
    assert ada.ask("POST", end).status_code == 303
    assert (other.get("/account").status_code, ada.get("/account").status_code) == (303, 200)
    assert mine != end


def test_nobody_has_no_account(small_api: Asking) -> None:
    assert small_api.get("/account").headers["location"] == "/login?next=%2Faccount"
