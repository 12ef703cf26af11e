"""The page Timeline: what changed in the fleet, by day."""

from fastapi import APIRouter, Depends

from envparity_server.dashboard.pages import require_person

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])
