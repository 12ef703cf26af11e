"""The page Overview: where environments have drifted apart, at a glance."""

from fastapi import APIRouter, Depends

from envparity_server.dashboard.pages import require_person

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])
