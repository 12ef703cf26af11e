"""Tests of refusals: who may ask what, and that every answer says what is wrong and guards the browser."""

from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import Engine, text

from envparity_server.api.roles import NEEDS, Stranger
from envparity_server.app import CONTENT_SECURITY_POLICY, FOR_PROGRAMS, create_app
from envparity_server.storage.database import open_database, writing
from tests.server.api.routes import filled, routes
from tests.server.asking import Asking
from tests.server.making import OPERATING_SYSTEM, host

# what anybody may have: the login, the page's own files, and what the API promises
PUBLIC = {
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/static"),
    ("GET", "/openapi.json"),
    *(route for route, needs in NEEDS.items() if needs == Stranger.ANYBODY),
}
# ends whatever session there is, and sends to the login
HARMLESS = {("POST", "/logout")}


def is_for_programs(path: str) -> bool:
    """Whether a route is of the API, and no page about it."""
    return path.startswith(FOR_PROGRAMS) and path != "/api/docs"


@pytest.fixture
def anybody(sqlite: Engine) -> Asking:
    """Somebody without a credential."""
    return Asking(create_app(sqlite), sqlite)


def test_there_are_routes_to_check(anybody: Asking) -> None:
    assert len(set(routes(anybody.app))) >= 15
    assert set(routes(anybody.app)) >= PUBLIC | HARMLESS


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer unknown"},
        {"Authorization": "Bearer " + "x" * 129},
        {"Authorization": "Bearer " + "x" * 1_000_000},
        {"Authorization": "Bearer \xff\xfe"},
        {"Cookie": "envparity_session=unknown"},
        {"Cookie": "envparity_session="},
        {"Cookie": "envparity_session=" + "x" * 100_000},
    ],
    ids=["nothing", "empty", "no token", "blank", "basic", "unknown", "long", "very long", "no ASCII", "cookie",
         "empty cookie", "long cookie"],
)  # fmt: skip
def test_every_route_needs_a_credential_but_those_that_are_public(anybody: Asking, headers: dict[str, str]) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    document = anybody.app.openapi()
    for method, path in sorted(set(routes(anybody.app)) - PUBLIC - HARMLESS):
        more: dict[str, Any] = {"json": {}} if method != "GET" else {}
        if path.startswith("/api/v1/hosts/{"):
            more = {"json": {"name": "web-1", "credential": "x" * 32}}
        answer = anybody.ask(method, filled(document, method, path), headers=encoded, **more)
        if is_for_programs(path):
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
        else:
            assert answer.status_code == 303, (method, path, answer.text)
            assert answer.headers["location"].startswith("/login")


def test_every_wrong_token_has_the_same_answer(anybody: Asking) -> None:
    answers = [
        anybody.ask("GET", "/api/v1/hosts", headers={"Authorization": one}).json()
        for one in ("", "Bearer x", "Bearer " + "x" * 500, "Basic eDp5")
    ]
    assert all(one == answers[0] for one in answers)
    assert set(answers[0]) == {"title", "status", "detail", "advice"}


def test_what_is_public_asks_for_nothing(anybody: Asking) -> None:
    for path in ("/login", "/static/icon.svg", "/openapi.json", "/api/v1/schemas/fingerprint"):
        assert anybody.get(path).status_code == 200
    assert anybody.ask("POST", "/logout").headers["location"] == "/login"


def test_a_session_that_was_ended_may_ask_nothing(anybody: Asking) -> None:
    person = anybody.logged_in()
    assert person.get("/api/v1/hosts").status_code == 200
    person.ask("POST", "/logout")
    assert person.get("/api/v1/hosts").status_code == 401


HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/login", 200),
        ("GET", "/static/icon.svg", 200),
        ("GET", "/static/missing.js", 404),
        ("GET", "/openapi.json", 200),
        ("GET", "/hosts", 303),
        ("GET", "/nowhere", 404),
        ("DELETE", "/login", 405),
        ("GET", "/api/v1/hosts", 401),
        ("GET", "/api/v1/nowhere", 404),
        ("DELETE", "/api/v1/hosts", 405),
        ("PUT", "/api/v1/hosts/odd%20id", 401),
        ("POST", "/login", 422),
    ],
)
def test_every_answer_guards_the_browser(anybody: Asking, method: str, path: str, status: int) -> None:
    answer = anybody.ask(method, path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert ("no-store" in answer.headers.get("cache-control", "")) == (not path.startswith("/static/"))


def test_the_policy_lets_no_inline_script_and_no_other_server_in() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == rules["form-action"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/api/v1/hosts/odd%20id", "/api/v1/reports/x/1"])
def test_every_refusal_of_the_api_is_a_problem_document(anybody: Asking, path: str) -> None:
    answer = anybody.bearing("x").ask("PUT", path, json={})
    assert answer.status_code in (401, 404, 405)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().keys() >= {"title", "status", "detail"}
    assert isinstance(answer.json()["detail"], str)


def test_an_error_of_the_server_tells_nothing_of_itself(tmp_path_factory: pytest.TempPathFactory) -> None:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('broken') / 'without-tables.db'}")
    asking = Asking(create_app(engine), engine)
    answer = asking.bearing("x").get("/api/v1/hosts")
    engine.dispose()
    assert answer.status_code in (500, 503)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert not any(word in answer.text for word in ("Traceback", "sqlite", "no such table", "SELECT"))


def test_the_document_of_the_api_can_be_generated(anybody: Asking) -> None:
    document = anybody.get("/openapi.json").json()
    described = {path for path in document["paths"] if path.startswith(FOR_PROGRAMS)}
    assert described == {path for _, path in routes(anybody.app) if is_for_programs(path)}
    assert all(path.startswith(FOR_PROGRAMS) for path in document["paths"])
    assert all(one.get("description") for path in document["paths"].values() for one in path.values())


def test_the_schema_of_a_fingerprint_is_a_schema_that_fingerprints_fit(anybody: Asking) -> None:
    schema = anybody.get("/api/v1/schemas/fingerprint").json()
    Draft202012Validator.check_schema(schema)
    document = host(OPERATING_SYSTEM).document()
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert list(Draft202012Validator(schema).iter_errors({**document, "root": "sha256:x"}))


def test_a_new_application_has_no_page_that_loads_from_elsewhere(anybody: Asking) -> None:
    app: FastAPI = anybody.app
    assert (app.docs_url, app.redoc_url) == (None, None)


def test_a_database_that_cannot_be_used_is_never_an_acknowledgement() -> None:
    gone = Asking(create_app(open_database("sqlite:////nowhere/at/all.db")), open_database("sqlite://"))
    answer = gone.bearing("epa_" + "x" * 40).ask("PUT", "/api/v1/reports/00112233/1", json={"root": "0" * 64})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    page = gone.ask("GET", "/hosts", headers={"Cookie": "envparity_session=x"})
    assert (page.status_code, "cannot be used now" in page.text) == (503, True)


# https://www.postgresql.org/docs/current/errcodes-appendix.html
@pytest.mark.postgres
@pytest.mark.parametrize(
    "code",
    [
        "40001",
        "40P01",
        "55P03",
        "57P01",
        "57P02",
        "57P03",
        "25P03",
        "25006",
        "53100",
        "53200",
        "53300",
        "08006",
        "58030",
    ],
)
def test_whatever_befalls_postgresql_is_said_to_pass(migrated_postgres: Engine, code: str) -> None:
    """Serialisation, deadlock, lock time-out, shutdown, idle too long, read-only, disk full, memory, connections."""
    app = create_app(migrated_postgres)

    def befall() -> None:
        with writing(migrated_postgres) as connection:
            connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$")

    app.add_api_route("/api/v1/befalls", befall)
    answer = Asking(app, migrated_postgres).get("/api/v1/befalls")
    assert answer.status_code == 503, answer.text
    assert 1 <= int(answer.headers["retry-after"]) <= 60


@pytest.mark.postgres
def test_a_connection_that_postgresql_ends_is_a_503_and_the_next_is_fine(migrated_postgres: Engine) -> None:
    app = create_app(migrated_postgres)

    def ended() -> None:
        with writing(migrated_postgres) as connection, writing(migrated_postgres) as other:
            process = connection.scalar(text("SELECT pg_backend_pid()"))
            other.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
            connection.execute(text("SELECT 1"))

    app.add_api_route("/api/v1/ended", ended)
    asking = Asking(app, migrated_postgres)
    assert asking.get("/api/v1/ended").status_code == 503
    assert asking.get("/readyz").status_code == 200
