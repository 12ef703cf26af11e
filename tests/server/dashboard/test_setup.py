"""Tests of the first run: who logs in by the first code makes an administrator, once, and may leave it."""

from datetime import UTC, datetime

import httpx
import pytest

from envparity_server.api.authentication import SESSION_COOKIE
from envparity_server.storage import access, audit
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading, writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen

PASSWORD = "correct horse battery staple"  # noqa: S105  # nobody's


def set_up(person: Asking, name: str = "ada", password: str = PASSWORD, again: str = PASSWORD) -> httpx.Response:
    """The answer to the form."""
    return person.ask("POST", "/setup", data={"name": name, "password": password, "again": again})


def log_in(asking: Asking, next: str = "/") -> str:
    """Where the first person is led who logs in by a code."""
    with writing(asking.engine) as connection:
        code = access.make_login(connection, datetime.now(UTC))
    return asking.get("/login", code=code, next=next).headers["location"]


@pytest.mark.parametrize("name", ["ada", "admin"])
def test_the_first_person_makes_an_administrator_and_goes_on_as_that_one(small_api: Asking, name: str) -> None:
    assert log_in(small_api) == "/setup"
    assert log_in(small_api, "/compare") == "/compare"
    first = small_api.logged_in()
    assert {"name", "password", "again"} <= set(seen(first.get("/setup")).values("input", "name"))
    answer = set_up(first, name)
    assert (answer.status_code, answer.headers["location"]) == (303, "/setup")
    assert first.get("/hosts").status_code == 303  # its session has ended
    session = answer.headers["set-cookie"].partition(";")[0]
    following = seen(first.ask("GET", "/setup", headers={"Cookie": session}))
    assert {"/hosts/add", "/"} <= set(following.links)
    assert following.values("form", "action").count("/demo") == 1
    assert name in seen(first.ask("GET", "/account", headers={"Cookie": session})).text
    by_password = small_api.ask("POST", "/login", data={"name": name, "password": PASSWORD})
    assert SESSION_COOKIE in by_password.headers["set-cookie"]
    with reading(small_api.engine) as connection:
        assert audit.entries(connection)[0].action in ("person.add", "person.password")


def test_it_is_done_once(pages: Asking) -> None:
    assert set_up(pages).status_code == 303
    assert set_up(pages.logged_in(), "eve").status_code == 409
    assert log_in(pages) == "/"


@pytest.mark.parametrize(
    ("changed", "status"), [({"again": "another one"}, 422), ({"password": "short", "again": "short"}, 422),
                            ({"name": "<b>"}, 422), ({"name": ""}, 422)],
)  # fmt: skip
def test_what_is_wrong_is_said_and_makes_nobody(pages: Asking, changed: dict[str, str], status: int) -> None:
    answer = set_up(pages, **changed)
    assert answer.status_code == status
    assert seen(answer).dangers() == []
    assert "<input" in pages.get("/setup").text
    assert PASSWORD not in answer.text


def test_nobody_is_led_there_without_a_login_and_no_operator(pages: Asking) -> None:
    assert Asking(pages.app, pages.engine).get("/setup").headers["location"].startswith("/login")
    operator = pages.as_person("olaf", Role.OPERATOR)
    assert operator.get("/setup").status_code == 403
    assert set_up(operator).status_code == 403
