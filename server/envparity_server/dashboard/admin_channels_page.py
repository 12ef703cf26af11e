"""The page Channels of Admin: where notifications go, a test of each, and what became of those that were sent."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from envparity_server.api import channels as api
from envparity_server.api.channels import Tested
from envparity_server.dashboard.forms import require
from envparity_server.dashboard.pages import page
from envparity_server.storage.actors import Role

router = APIRouter()

MOST = 100

ChannelName = Annotated[str, Path(max_length=63)]


@router.get("/admin/channels")
def show_channels(request: Request) -> Response:
    """The channels of the environments that one sees, and the newest deliveries."""
    return _shown(request)


def _shown(request: Request, tested: Tested | None = None) -> Response:
    actor = require(request, Role.ADMIN)
    channels = api.list_channels(request, actor, MOST)
    deliveries = api.list_deliveries(request, actor, limit=MOST)
    return page(request, "admin_channels.html", channels=channels, deliveries=deliveries, tested=tested)


@router.post("/admin/channels/{name}/test")
def test_channel(request: Request, name: ChannelName) -> Response:
    """Send a test at once, and say how it ended."""
    return _shown(request, api.try_channel(request, require(request, Role.ADMIN), name))
