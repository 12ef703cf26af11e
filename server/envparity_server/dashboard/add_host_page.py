"""The page Add host: a token, the commands to run, and the first report as it comes."""

import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from envparity_agent.errors import UsageError
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.enrolment_tokens import MOST_USES, NewEnrolmentToken, make_enrolment_token
from envparity_server.api.lists import NAME, not_there
from envparity_server.dashboard.forms import checked, listed, read_form, require, require_admin
from envparity_server.dashboard.pages import page, seen_by
from envparity_server.storage import hosts, tokens
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_admin)])

MOST_SHOWN = 50  # hosts that arrived
_LABEL = re.compile(f"{NAME[:-1]}={NAME[1:]}")

TokenId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


@router.get("/hosts/add")
def show_add_host(request: Request) -> Response:
    """Ask which hosts are to come."""
    with reading(engine_of(request)) as connection:
        environments = hosts.environments(connection, seen_by(request))
    return page(request, "add_host.html", environments=environments, most_uses=MOST_USES)


@router.post("/hosts/add")
async def add_host(request: Request) -> Response:
    """Make a token and show it, in this answer only: it is in no address, and nowhere on the server."""
    form = await read_form(request)
    wanted = {name: form.text(name) for name in ("environment", "uses", "days", "host_hours")}
    return await run_in_threadpool(_add, request, wanted, listed(form.text("labels")) or [])


def _add(request: Request, wanted: Mapping[str, str], labels: list[str]) -> Response:
    actor = require(request, Role.ADMIN)
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise UsageError(f"{label[:80]!r} is no label", "write role=web, with commas between labels")
    made = make_enrolment_token(request, checked(NewEnrolmentToken, **wanted), actor)
    address = request.app.state.settings.public_url or str(request.base_url)
    return page(
        request, "add_host_token.html", token=made.token, id=made.id, uses=made.uses_left, expires_at=made.expires_at,
        environment=made.environment, labels=labels, address=address.rstrip("/"), arrived=(), most=MOST_SHOWN,
    )  # fmt: skip


@router.get("/hosts/add/{token_id}")
def show_arrivals(request: Request, token_id: TokenId) -> Response:
    """The hosts that enrolled by a token, and whether they have reported."""
    actor = require(request, Role.ADMIN)
    moment = now()
    with reading(engine_of(request)) as connection:
        one = next((one for one in tokens.enrolment_tokens(connection, actor) if one.id == token_id), None)
        if one is None:
            raise not_there("token")
        found = hosts.enrolled_by(connection, token_id, seen_by(request), MOST_SHOWN)
    arrived = [(each, each.state(moment)) for each in found]
    return page(
        request, "add_host_token.html", token="", id=one.id, uses=one.uses_left, expires_at=one.expires_at,
        environment=one.environment, arrived=arrived, most=MOST_SHOWN,
    )  # fmt: skip
