"""The pages of Admin, each in a file of its own."""

from fastapi import APIRouter, Depends

from envparity_server.dashboard import (
    admin_audit_page,
    admin_channels_page,
    admin_health_page,
    admin_people_page,
    admin_sessions_page,
    admin_tokens_page,
)
from envparity_server.dashboard.forms import require_admin

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_admin)])
for one in (
    admin_health_page,
    admin_people_page,
    admin_tokens_page,
    admin_sessions_page,
    admin_channels_page,
    admin_audit_page,
):
    router.include_router(one.router)
