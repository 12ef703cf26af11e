"""The page Matrix: packages across environments or groups of identical hosts, and all of it in one picture."""

from fastapi import APIRouter, Depends

from envparity_server.dashboard.pages import require_person

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])
