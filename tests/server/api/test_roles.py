"""The role x route table: who may ask each route of the OpenAPI document, as the real application answers.

`goldens/roles.md` is the table; ENVPARITY_WRITE_GOLDENS=1 writes it anew, to be read before it is committed. A route
that is new is asked without a change here: it needs an entry in `api/roles.py` and its line in the table.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from envparity_server.api.roles import NEEDS, Stranger
from envparity_server.app import create_app
from envparity_server.storage.actors import Role
from envparity_server.storage.database import open_database, writing
from tests.server.api.elsewhere import OBJECTS
from tests.server.api.routes import described, filled
from tests.server.asking import Asking

GOLDEN = Path(__file__).parent / "goldens" / "roles.md"

UNKNOWN, FORBIDDEN, THROUGH = "401", "403", "yes"
ROLES = tuple(Role)
PEOPLE = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
WHO = (
    "nobody",
    "agent",
    "enrolling",
    *(f"token: {role}" for role in ROLES),
    *(f"person: {role}" for role in PEOPLE),
    *(f"{role} of dev" for role in ROLES),
)


def document() -> dict[str, Any]:
    """The OpenAPI document, of an application that needs no database to tell it."""
    made: dict[str, Any] = create_app(open_database("sqlite://")).openapi()
    return made


DOCUMENT = document()
ROUTES = sorted(set(described(DOCUMENT)), key=lambda route: (route[1], route[0]))
DEV = frozenset({"dev"})


@pytest.fixture
def askers(sqlite: Engine) -> Mapping[str, Asking]:
    """Everybody who may ask, by the name that the table gives him."""
    anybody = Asking(create_app(sqlite), sqlite)
    return {
        "nobody": anybody,
        "agent": anybody.as_agent(),
        "enrolling": anybody.bearing(anybody.enrolment_token()),
        **{f"token: {role}": anybody.as_role(role) for role in ROLES},
        **{f"person: {role}": anybody.as_person(role.value, role) for role in PEOPLE},
        **{f"{role} of dev": anybody.as_role(role, DEV) for role in ROLES},
    }


def outcome(asking: Asking, method: str, path: str) -> str:
    """Whether somebody is known, and may."""
    more: dict[str, Any] = {} if method == "GET" else {"json": {}}
    answer = asking.ask(method, filled(DOCUMENT, method, path), **more)
    assert answer.status_code < 500, (method, path, answer.text)
    return str(answer.status_code) if answer.status_code in (401, 403) else THROUGH


def expected(who: str, needs: Role | Stranger) -> set[str]:
    """What an entry of NEEDS promises about somebody."""
    if needs == Stranger.ANYBODY:
        return {THROUGH}
    if isinstance(needs, Stranger):
        return {THROUGH} if who == needs.value else {UNKNOWN}
    if who in ("nobody", "agent", "enrolling"):
        return {UNKNOWN}
    scoped = who.endswith(" of dev")
    role = Role(who.removesuffix(" of dev") if scoped else who.partition(": ")[2])
    if not role.may(needs):
        return {FORBIDDEN}
    return {THROUGH, FORBIDDEN} if scoped else {THROUGH}  # what belongs to no environment is not for everybody


def lines() -> dict[str, str]:
    """The golden table, a route and its needs -> what everybody is answered."""
    rows = GOLDEN.read_text("utf-8").splitlines() if GOLDEN.exists() else []
    return {row.split(" | ")[0]: row for row in rows if row.startswith("| ") and " /" in row}


def key(method: str, path: str) -> str:
    """How a line of the table begins."""
    return f"| {method} {path}"


def row(method: str, path: str, found: Mapping[str, str]) -> str:
    """A line of the table."""
    has_id = "{" in path and not isinstance(NEEDS[method, path], Stranger)
    other = ("404" if (method, path) in OBJECTS else "unproven") if has_id else "-"
    return " | ".join((key(method, path), str(NEEDS[method, path]), *(found[who] for who in WHO), other)) + " |"


def test_every_route_has_its_needs_and_every_need_its_route() -> None:
    assert set(NEEDS) == set(ROUTES)


def test_the_table_has_every_route_and_no_other() -> None:
    if not os.environ.get("ENVPARITY_WRITE_GOLDENS"):
        assert set(lines()) == {key(method, path) for method, path in ROUTES}


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda value: value)
def test_a_route_lets_through_whom_its_needs_and_the_table_say(
    askers: Mapping[str, Asking], method: str, path: str
) -> None:
    found = {who: outcome(asking, method, path) for who, asking in askers.items()}
    wrong = {who: got for who, got in found.items() if got not in expected(who, NEEDS[method, path])}
    assert wrong == {}
    if os.environ.get("ENVPARITY_WRITE_GOLDENS"):
        write(method, path, row(method, path, found))
    assert lines().get(key(method, path)) == row(method, path, found)


def write(method: str, path: str, line: str) -> None:
    """Put a line into the table, and leave out those of routes that are gone."""
    there = {key(*route): lines().get(key(*route)) for route in ROUTES} | {key(method, path): line}
    head = " | ".join(("| route", "needs", *WHO, "object of another environment")) + " |"
    text = [head, "|" + " --- |" * (len(WHO) + 3), *(one for one in there.values() if one)]
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text("\n".join(text) + "\n", "utf-8")


@pytest.mark.parametrize(("method", "path"), OBJECTS, ids=lambda value: value)
def test_an_object_of_another_environment_is_not_there(small_api: Asking, method: str, path: str) -> None:
    make, body = OBJECTS[method, path]
    with writing(small_api.engine) as connection:
        object_id = make(connection)
    there, nowhere = path[: path.index("{")] + object_id + path[path.index("}") + 1 :], filled(DOCUMENT, method, path)
    more: dict[str, Any] = {} if body is None else {"json": body}
    scoped = small_api.as_role("admin", DEV)
    answer, other = scoped.ask(method, there, **more), scoped.ask(method, nowhere, **more)
    unknown = nowhere[path.index("{") :].partition("/")[0]
    assert (answer.status_code, answer.text.replace(object_id, unknown)) == (404, other.text)
    assert small_api.as_role("admin").ask(method, there, **more).status_code == 200


def test_what_is_proven_about_objects_is_about_routes() -> None:
    assert set(OBJECTS) <= set(ROUTES)
