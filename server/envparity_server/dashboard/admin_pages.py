"""The pages of Admin: people, tokens, channels, sessions, the audit log, retention and health."""

from fastapi import APIRouter, Depends

from envparity_server.dashboard.pages import require_person

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])
