"""The pages Baselines and Baseline: what was pinned, by whom it is approved, and what differs from it."""

from fastapi import APIRouter, Depends

from envparity_server.dashboard.pages import require_person

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])
