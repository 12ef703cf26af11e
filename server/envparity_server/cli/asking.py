"""What the verbs share that ask a server's API: the client, whole lists, ids, and what is said of rows left out."""

from collections.abc import Mapping, Sequence
from typing import Any

from envparity_agent.client import Client
from envparity_agent.config import read_token, server_address
from envparity_agent.errors import UsageError
from envparity_agent.terminal import note

_MOST = 1000  # rows that one answer of the API holds


def asking(server: str | None, token_file: str | None) -> Client:
    """A client of the server that flags, the environment or the configuration name; raises UsageError for none."""
    return Client(server_address(server), read_token(token_file))


def every(client: Client, resource: str, query: Mapping[str, str | Sequence[str]] | None = None) -> list[Any]:
    """Every row of a list, `hosts` of GET /hosts, however many answers it takes."""
    found: list[Any] = []
    while True:
        page = {**(query or {}), "limit": str(_MOST), "offset": str(len(found))}
        answer = client.ask("GET", f"/{resource}", page)
        found += answer[resource]
        if not answer[resource] or len(found) >= answer["total"]:
            return found


def checked(id: str, what: str, advice: str) -> str:
    """An id as part of an address; raises UsageError for what can be none."""
    if not (id.isascii() and id.isalnum()):
        raise UsageError(f"{id!r} is no id of a {what}", advice)
    return id


def note_more(shown: int, total: int) -> None:
    """Say how many rows there are beyond those that were shown."""
    if shown < total:
        note(f"{total - shown} more are not shown")
