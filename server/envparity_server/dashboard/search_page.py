"""The page Search: hosts, packages, images and applications by a part of their name."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection
from starlette.responses import Response

from envparity_agent.kinds import title
from envparity_server.api.authentication import engine_of
from envparity_server.dashboard.addresses import package_address, permalink
from envparity_server.dashboard.pages import page, require_person, seen_by
from envparity_server.dashboard.suggestions import application_address
from envparity_server.storage import applications, hosts, tags
from envparity_server.storage.actors import Environments
from envparity_server.storage.database import reading
from envparity_server.storage.naming import named
from envparity_server.storage.tags import Running

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

SHORTEST = 2
_FIRST = 10  # of each group
MOST = 200  # of one group alone
_PACKAGES = ("os-packages", "python", "libraries")
_SHORTEST_DIGEST = 6  # digits: fewer stand in too many of them


@dataclass(frozen=True)
class Hit:
    """Something that was found: its name, where it is told of, and what tells it from others of its name."""

    name: str
    address: str
    note: str


@dataclass(frozen=True)
class Group:
    """What was found of one sort."""

    sort: str
    hits: list[Hit]

    @property
    def total(self) -> int:
        """How many they are."""
        return len(self.hits)


@router.get("/search")
def search(
    request: Request,
    q: Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")] = "",
    only: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """What has a text in its name, by sort; straight to the one of exactly this name, where only its sort has any."""
    text = q.strip()
    groups: list[Group] = []
    if len(text) >= SHORTEST:
        with reading(engine_of(request)) as connection:
            groups = _found(connection, text, seen_by(request))
    exact = [hit for group in groups for hit in group.hits if hit.name == text]
    found = [group for group in groups if group.hits]
    if len(exact) == len(found) == 1 and not only:
        return RedirectResponse(exact[0].address, HTTPStatus.SEE_OTHER)
    shown = [group for group in found if only in ("", group.sort)]
    return page(
        request, "search.html", q=text, only=only, groups=shown, first=MOST if only else _FIRST, shortest=SHORTEST
    )


def _found(connection: Connection, text: str, seen: Environments) -> list[Group]:
    everyone = [one for one in hosts.all_hosts(connection, seen) if hosts.matches(one, text)]
    packages = named(connection, text, _PACKAGES, seen)
    images = tags.running(connection, seen)
    known = applications.every(connection, seen)
    return [
        Group("hosts", _sorted(text, (Hit(one.name, f"/hosts/{one.id}", one.environment) for one in everyone))),
        Group(
            "packages",
            _sorted(text, (Hit(one.item, package_address(one.kind, one.item), title(one.kind)) for one in packages)),
        ),
        Group(
            "images",
            _sorted(
                text,
                (
                    Hit(name, permalink("/images", q=name), _on(running))
                    for name, running in images.items()
                    if _is(text, name, running)
                ),
            ),
        ),
        Group(
            "applications",
            _sorted(
                text,
                (
                    Hit(one.name, application_address(one), f"in {', '.join(one.environments)}")
                    for one in known
                    if text.lower() in one.name.lower()
                ),
            ),
        ),
    ]


def _sorted(text: str, hits: Iterable[Hit]) -> list[Hit]:
    """Those of exactly this name first, then those that begin with it."""
    low = text.lower()
    return sorted(hits, key=lambda hit: (hit.name.lower() != low, not hit.name.lower().startswith(low), hit.name))


def _is(text: str, reference: str, running: Iterable[Running]) -> bool:
    """Whether a reference has the text, or a digest of a container that was started from it begins with it."""
    if text.lower() in reference.lower():
        return True
    digits = text.lower().removeprefix("sha256:")
    return len(digits) >= _SHORTEST_DIGEST and any(
        value.removeprefix("sha256:").startswith(digits)
        for one in running
        for value in one.image.values()
        if isinstance(value, str) and value.startswith("sha256:")
    )


def _on(running: Iterable[Running]) -> str:
    count = len({one.host_id for one in running})
    return f"on {count} {'host' if count == 1 else 'hosts'}"
