"""The pages Rules and Rule: what is expected, why and until when, with a preview of what a rule hides."""

from fastapi import APIRouter, Depends

from envparity_server.dashboard.pages import require_person

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])
