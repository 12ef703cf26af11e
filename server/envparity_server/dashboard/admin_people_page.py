"""The page People of Admin: who may log in, as what, and for which environments; each decision as the API takes it."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from envparity_server.api import people as api
from envparity_server.api.authentication import engine_of
from envparity_server.api.people import NewPassword, NewPerson, PersonChange, PersonName
from envparity_server.dashboard.forms import Form, checked, listed, read_form, require
from envparity_server.dashboard.pages import page, seen_by
from envparity_server.storage import hosts, people
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading

router = APIRouter()

MOST = 200


@router.get("/admin/people")
def show_people(request: Request) -> Response:
    """Those who see no more than oneself."""
    with reading(engine_of(request)) as connection:
        found = people.listed(connection, require(request, Role.ADMIN))
        environments = hosts.environments(connection, seen_by(request))
    return page(
        request, "admin_people.html", people=found[:MOST], total=len(found), roles=people.ROLES,
        environments=environments, shortest=people.SHORTEST_PASSWORD,
    )  # fmt: skip


@router.post("/admin/people")
async def add_person(request: Request) -> Response:
    """Add somebody, with a password or to log in by one-time codes."""
    return await run_in_threadpool(_add, request, await read_form(request))


def _add(request: Request, form: Form) -> Response:
    password = form.fields.get("password", [""])[0]
    scope = listed(form.text("environments"))
    new = checked(NewPerson, name=form.text("name"), role=form.text("role"), environments=scope, password=password)
    api.add_person(request, new, require(request, Role.ADMIN))
    return _back()


@router.post("/admin/people/{name}")
async def change_person(request: Request, name: PersonName) -> Response:
    """Change what somebody may do, where, or whether at all; it ends the person's sessions."""
    return await run_in_threadpool(_change, request, name, await read_form(request))


def _change(request: Request, name: str, form: Form) -> Response:
    scope = listed(form.text("environments"))
    change = checked(PersonChange, role=form.text("role"), environments=scope, disabled=bool(form.text("disabled")))
    api.change_person(request, name, change, require(request, Role.ADMIN))
    return _back()


@router.post("/admin/people/{name}/password")
async def set_password(request: Request, name: PersonName) -> Response:
    """Give somebody a password; it ends the person's sessions."""
    return await run_in_threadpool(_set_password, request, name, await read_form(request))


def _set_password(request: Request, name: str, form: Form) -> Response:
    new = checked(NewPassword, password=form.fields.get("password", [""])[0])
    api.set_password(request, name, new, require(request, Role.ADMIN))
    return _back()


def _back() -> Response:
    return RedirectResponse("/admin/people", HTTPStatus.SEE_OTHER)
