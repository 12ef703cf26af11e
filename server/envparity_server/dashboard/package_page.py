"""The pages Packages and Package: every version in use, where, since when, and who deviates."""

from fastapi import APIRouter, Depends

from envparity_server.dashboard.pages import require_person

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])
