"""Tests of logging in with a one-time code or a password, and of logging out."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from envparity_server.api.attempts import MOST_BY_ACCOUNT, MOST_BY_ADDRESS
from envparity_server.api.authentication import SESSION_COOKIE
from envparity_server.app import create_app
from envparity_server.storage import access, people
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen


@pytest.fixture
def anybody(sqlite: Engine) -> Asking:
    """Somebody who is not logged in."""
    return Asking(create_app(sqlite), sqlite)


def code(asking: Asking, age: timedelta = timedelta(0)) -> str:
    """A one-time code."""
    with writing(asking.engine) as connection:
        return access.make_login(connection, datetime.now(UTC) - age)


def with_cookie(asking: Asking, header: str) -> Asking:
    """The same with the session that an answer set."""
    found = re.match(rf"{SESSION_COOKIE}=([^;]+)", header)
    assert found
    return Asking(asking.app, asking.engine, {"Cookie": f"{SESSION_COOKIE}={found[1]}"})


def test_a_page_asks_for_a_login_and_comes_back(anybody: Asking) -> None:
    answer = anybody.get("/compare", left="env:dev", right="env:prod")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fcompare%3Fleft%3Denv%253Adev%26right%3Denv%253Aprod"
    form = seen(anybody.get(answer.headers["location"]))
    assert "/compare?left=env%3Adev&right=env%3Aprod" in form.values("input", "value")
    assert "Log out" not in form.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_code_works_once(anybody: Asking, method: str) -> None:
    one = code(anybody)
    for status in (303, 401):
        if method == "GET":
            answer = anybody.get("/login", code=one, next="/compare")
        else:
            answer = anybody.ask("POST", "/login", data={"code": f" {one}\n", "next": "/compare"})
        assert answer.status_code == status
        if status == 303:
            assert answer.headers["location"] == "/compare"
            assert with_cookie(anybody, answer.headers["set-cookie"]).get("/hosts").status_code == 200
        else:
            assert "set-cookie" not in answer.headers
            assert "was used already" in seen(answer).text


def test_a_code_that_has_expired_or_never_was_is_refused(anybody: Asking) -> None:
    for one in (code(anybody, timedelta(hours=2)), "unknown", "x" * 100_000, "\N{SNOWMAN}"):
        answer = anybody.ask("POST", "/login", data={"code": one})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers


def test_a_form_without_a_code_is_refused_with_a_page(anybody: Asking) -> None:
    answer = anybody.ask("POST", "/login", data={})
    assert answer.status_code == 422
    assert seen(answer).text


@pytest.mark.parametrize(
    "next",
    [
        "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
        "http:evil.example", "javascript:alert(1)", "evil.example", "", " //evil.example", "\t//evil.example",
        "/\t/evil.example", "/\n/evil.example", "\x01//evil.example", "/\r\nSet-Cookie: a=b",
    ],
)  # fmt: skip
def test_a_login_never_leads_away(anybody: Asking, next: str) -> None:
    answer = anybody.ask("POST", "/login", data={"code": code(anybody), "next": next})
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert re.match(r"^/(?![/\\\t\n\r])", location)
    assert not re.search(r"[\t\r\n\\]", location)
    assert len(answer.headers.get_list("set-cookie")) == 1


def test_a_session_is_kept_from_scripts_and_other_sites(anybody: Asking) -> None:
    cookie = anybody.get("/login", code=code(anybody)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie or "samesite=strict" in cookie
    assert "max-age=1209600" in cookie
    assert "secure" not in cookie
    safe = anybody.ask("GET", f"https://envparity.test/login?code={code(anybody)}")
    assert "secure" in safe.headers["set-cookie"].lower()


def test_every_login_is_a_session_of_its_own(anybody: Asking) -> None:
    first, second = (
        with_cookie(anybody, anybody.get("/login", code=code(anybody)).headers["set-cookie"]) for _ in "ab"
    )
    assert first.headers != second.headers
    fixed = Asking(anybody.app, anybody.engine, {"Cookie": f"{SESSION_COOKIE}=fixed"})
    answer = fixed.get("/login", code=code(anybody))
    assert "fixed" not in answer.headers["set-cookie"]
    assert fixed.get("/hosts").status_code == 303


def test_logging_out_ends_the_session_and_no_other(anybody: Asking) -> None:
    first, second = (
        with_cookie(anybody, anybody.get("/login", code=code(anybody)).headers["set-cookie"]) for _ in "ab"
    )
    answer = first.ask("POST", "/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert f'{SESSION_COOKIE}=""' in answer.headers["set-cookie"]
    assert first.get("/hosts").status_code == 303
    assert second.get("/hosts").status_code == 200


def test_a_link_cannot_log_out(anybody: Asking) -> None:
    person = anybody.logged_in()
    assert person.get("/logout").status_code == 405
    assert person.get("/hosts").status_code == 200


def test_a_token_of_a_reader_opens_no_page(anybody: Asking) -> None:
    assert anybody.as_role("viewer").get("/hosts").status_code == 303


def test_another_site_can_neither_log_in_nor_out(anybody: Asking) -> None:
    person = anybody.logged_in()
    for path in ("/login", "/logout"):
        answer = person.ask("POST", path, headers={"Sec-Fetch-Site": "cross-site"}, data={"code": "x"})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    assert person.get("/hosts").status_code == 200


def test_a_form_of_nobody_is_read_up_to_a_cap(anybody: Asking) -> None:
    assert anybody.ask("POST", "/login", content=b"code=" + b"x" * (3 * 1024 * 1024)).status_code == 413


LOCAL = Actor("local:tests", Role.ADMIN)
PASSWORD = "correct horse battery staple"  # noqa: S105  # nobody's


@pytest.fixture(scope="module")
def password_hash() -> str:
    """The hash of PASSWORD, which takes its time."""
    return people.hash_password(PASSWORD)


@pytest.fixture
def ada(anybody: Asking, password_hash: str) -> people.Person:
    """Somebody with a password."""
    with writing(anybody.engine) as connection:
        return people.add(connection, LOCAL, "ada", Role.VIEWER, None, password_hash, datetime.now(UTC))


def by_password(anybody: Asking, name: str = "ada", password: str = PASSWORD, **more: Any) -> httpx.Response:
    """The answer to the form."""
    return anybody.ask("POST", "/login", data={"name": name, "password": password, "next": "/compare"}, **more)


def test_a_password_logs_in(anybody: Asking, ada: people.Person) -> None:
    answer = by_password(anybody, f" {ada.name} ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/compare")
    assert with_cookie(anybody, answer.headers["set-cookie"]).get("/hosts").status_code == 200


def test_every_login_by_password_is_a_session_of_its_own(anybody: Asking, ada: people.Person) -> None:
    fixed = Asking(anybody.app, anybody.engine, {"Cookie": f"{SESSION_COOKIE}=fixed"})
    first, second = (by_password(fixed, ada.name).headers["set-cookie"] for _ in range(2))
    assert first != second
    assert "fixed" not in first + second
    assert fixed.get("/hosts").status_code == 303


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong"), ("bob", PASSWORD), ("bob", "nobody's"), ("ada", ""), ("", ""), ("ada\0", PASSWORD),
        ("ADA", PASSWORD), ("ada", PASSWORD * 100), ("x" * 10_000, "x"), ("admin", ""),
    ],
)  # fmt: skip
def test_a_wrong_name_and_a_wrong_password_have_one_answer(
    anybody: Asking, ada: people.Person, name: str, password: str
) -> None:
    wrong = by_password(anybody, name, password)
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    assert wrong.text == by_password(anybody, ada.name, "another").text
    assert "The name or the password is not right." in seen(wrong).text


def test_a_person_who_is_disabled_or_has_no_password_is_like_nobody(anybody: Asking, ada: people.Person) -> None:
    now = datetime.now(UTC)
    with writing(anybody.engine) as connection:
        people.add(connection, LOCAL, "eve", Role.ADMIN, None, None, now)
        people.change(connection, LOCAL, ada, ada.role, None, True, now)
    tried = [by_password(anybody, name) for name in ("ada", "eve", "bob")]
    assert {(one.status_code, one.text) for one in tried} == {(401, tried[0].text)}


def test_guessing_at_an_account_is_ended_whatever_it_forwards(anybody: Asking, ada: people.Person) -> None:
    answers = [
        by_password(anybody, ada.name, "wrong", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
        for number in range(MOST_BY_ACCOUNT + 2)
    ]
    assert answers == [401] * MOST_BY_ACCOUNT + [429] * 2
    refused = by_password(anybody, ada.name)
    assert (refused.status_code, "set-cookie" in refused.headers) == (429, False)
    assert "too many logins failed: wait five minutes" in seen(refused).text
    assert anybody.get("/login", code=code(anybody)).status_code == 303
    assert by_password(Asking(create_app(anybody.engine), anybody.engine)).status_code == 303


def test_guessing_from_an_address_is_ended_whomever_it_names(anybody: Asking, ada: people.Person) -> None:
    for number in range(MOST_BY_ADDRESS):
        assert anybody.ask("POST", "/login", data={"code": f"wrong-{number}"}).status_code == 401
    assert by_password(anybody, ada.name).status_code == 429


def test_a_login_that_succeeds_counts_for_nothing(anybody: Asking, ada: people.Person) -> None:
    for _ in range(MOST_BY_ACCOUNT + 1):
        assert by_password(anybody, ada.name).status_code == 303


@pytest.mark.parametrize("data", [{}, {"name": "ada"}, {"password": "x"}, {"next": "/"}])
def test_a_form_without_its_fields_is_refused(anybody: Asking, data: dict[str, str]) -> None:
    assert anybody.ask("POST", "/login", data=data).status_code == 422


def test_a_session_behind_a_proxy_with_tls_is_sent_by_tls_only(anybody: Asking) -> None:
    headers = {"X-Forwarded-Proto": "https"}
    answer = anybody.ask("GET", f"/login?code={code(anybody)}", headers=headers)
    assert "secure" in answer.headers["set-cookie"].lower()
