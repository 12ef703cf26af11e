"""The verbs `server sessions` and `server audit`: who is logged in, and who decided what."""

import json as json_text
from datetime import UTC, datetime
from typing import Annotated

import typer

from envparity_agent.cli_options import Json
from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, say_json, say_table
from envparity_server.cli.database import Database, local_actor, ready
from envparity_server.storage import audit as log
from envparity_server.storage import sessions as stored_sessions
from envparity_server.storage.database import reading, writing

sessions = typer.Typer(no_args_is_help=True, help="Who is logged in.")


@sessions.command("list")
def list_sessions(json: Json = False, database_url: Database = None) -> None:
    """List the sessions of people.

    envparity server sessions list
    """
    with reading(ready(database_url)) as connection:
        found = stored_sessions.listed(connection, local_actor(), datetime.now(UTC))
    if json:
        shown = [
            {
                "id": one.id,
                "person": one.person,
                "created_at": one.created_at.isoformat(),
                "expires_at": one.expires_at.isoformat(),
            }
            for one in found
        ]
        say_json({"sessions": shown, "total": len(found)})
        return
    say_table(
        ("ID", "PERSON", "SINCE", "UNTIL"),
        ((one.id, one.person, f"{one.created_at:%Y-%m-%d %H:%M}", f"{one.expires_at:%Y-%m-%d %H:%M}") for one in found),
    )


@sessions.command()
def revoke(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `envparity server sessions list` tells them.")],
    database_url: Database = None,
) -> None:
    """End sessions: who had them logs in again.

    envparity server sessions revoke 0123456789abcdef
    """
    with writing(ready(database_url)) as connection:
        for session_id in ids:
            if stored_sessions.revoke(connection, local_actor(), session_id, datetime.now(UTC)) is None:
                raise UsageError(
                    f"there is no session {session_id}", "nothing was ended; envparity server sessions list"
                )
    note(f"ended {', '.join(ids)}")


def audit(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many of the newest entries.")] = 50,
    json: Json = False,
    database_url: Database = None,
) -> None:
    """Print who decided what, the newest first. Entries are only ever added.

    envparity server audit --limit 200
    """
    with reading(ready(database_url)) as connection:
        found = log.entries(connection, None, limit)
        total = log.count(connection)
    if json:
        say_json({"audit": [{**vars(one), "at": one.at.isoformat()} for one in found], "total": total})
        return
    say_table(
        ("AT", "WHO", "ACTION", "OBJECT", "ENVIRONMENT", "DETAIL"),
        (
            (
                f"{one.at:%Y-%m-%d %H:%M:%S}", one.actor, one.action, one.object, one.environment or "",
                json_text.dumps(one.detail, ensure_ascii=False) if one.detail else "",
            )
            for one in found
        ),
    )  # fmt: skip
    note(f"{len(found)} of {total}")
