"""The page of the first run: an administrator with a password, then what to do next."""

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from envparity_agent.errors import UsageError
from envparity_server.api.authentication import MAX_TOKEN, SESSION_COOKIE, engine_of, now
from envparity_server.api.people import NewPerson
from envparity_server.api.problems import Problem
from envparity_server.dashboard.forms import checked, read_form, require, require_admin
from envparity_server.dashboard.login_page import begun
from envparity_server.dashboard.pages import page
from envparity_server.storage import access, people
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading, writing

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_admin)])


@router.get("/setup")
def show_setup(request: Request) -> Response:
    """The form while nobody was added, then what can be done next."""
    with reading(engine_of(request)) as connection:
        is_first_run = people.is_first_run(connection)
    return page(request, "setup.html", is_first_run=is_first_run, shortest=people.SHORTEST_PASSWORD)


@router.post("/setup")
async def set_up(request: Request) -> Response:
    """Add the administrator of the form, and go on as that person."""
    form = await read_form(request)
    passwords = [form.fields.get(name, [""])[0] for name in ("password", "again")]
    return await run_in_threadpool(_set_up, request, form.text("name"), *passwords)


def _set_up(request: Request, name: str, password: str, again: str) -> Response:
    actor = require(request, Role.ADMIN)
    if password != again:
        raise UsageError("the two passwords are not the same", "go back, and write it twice")
    checked(NewPerson, name=name, role=Role.ADMIN, password=password)
    password_hash, moment = people.hash_password(password), now()
    with writing(engine_of(request)) as connection:
        if not people.is_first_run(connection):
            raise Problem(409, "there is an administrator already", "people are added on the page Admin")
        if name == access.FIRST_PERSON:
            people.set_password(connection, actor, name, password_hash, moment)
        else:
            people.add(connection, actor, name, Role.ADMIN, None, password_hash, moment)
            access.end_session(connection, request.cookies.get(SESSION_COOKIE, "")[:MAX_TOKEN])
        token = access.begin_session(connection, name, moment)
    return begun(request, token, "/setup")
