"""The page Images: which image runs under each reference, on which hosts, and whether its tag points elsewhere now."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from envparity_server.api.authentication import engine_of
from envparity_server.dashboard.addresses import PageNumber, Text
from envparity_server.dashboard.images_view import Used, used
from envparity_server.dashboard.pages import compare_address, page, require_person, seen_by
from envparity_server.settings import ServerSettings
from envparity_server.storage import tags
from envparity_server.storage.database import reading
from envparity_server.tags.in_use import in_use

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

PAGE_ROWS = 25
FEW_HOSTS = 4  # are named at once
MOST_HOSTS = 200  # are named at all
MOST_IMAGES = 20  # of one reference

ONLY: dict[str, tuple[str, Callable[[Used], object]]] = {
    "": ("all", lambda _: True),
    "moved": ("tag moved, container did not", lambda one: one.moved),
    "several": ("not the same everywhere", lambda one: one.is_several),
    "patched": ("changed in place", lambda one: one.patched),
}


@router.get("/images")
def show_images(
    request: Request,
    q: Text = "",
    only: Annotated[str, Query(pattern=f"^({'|'.join(ONLY)})$")] = "",
    number: PageNumber = 1,
) -> Response:
    """The references that containers were started from, those first that need a look."""
    settings: ServerSettings = request.app.state.settings
    with reading(engine_of(request)) as connection:
        seen = seen_by(request)
        everything = used(in_use(connection, settings.registries, seen), tags.marks(connection, seen))
    words = q.lower().split()
    named = [one for one in everything if all(word in one.of.reference.lower() for word in words)]
    found = [one for one in named if ONLY[only][1](one)]
    return page(
        request,
        "images.html",
        images=found[(number - 1) * PAGE_ROWS : number * PAGE_ROWS],
        total=len(everything),
        matching=len(found),
        counts={name: sum(bool(holds(one)) for one in named) for name, (_, holds) in ONLY.items()},
        choices={name: words for name, (words, _) in ONLY.items()},
        q=q,
        only=only,
        number=number,
        pages=-(-len(found) // PAGE_ROWS),
        few=FEW_HOSTS,
        most_hosts=MOST_HOSTS,
        most_images=MOST_IMAGES,
        compared=compare_address,
    )
