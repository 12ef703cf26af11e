"""The verbs `server token` and `server tokens`: make tokens, list them, and revoke them."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Json
from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, say, say_json, say_table
from envparity_server.cli.database import Database, Reach, local_actor, reach, ready
from envparity_server.storage import tokens as stored_tokens
from envparity_server.storage.actors import Role, stored
from envparity_server.storage.database import reading, writing

tokens = typer.Typer(no_args_is_help=True, help="The tokens that were handed out.")


class TokenKind(StrEnum):
    """What a token is for."""

    ENROL = "enrol"
    CI = "ci"
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


def token(
    kind: Annotated[
        TokenKind, typer.Argument(help="enrol: for agents; ci: may gate only; viewer, operator, admin: as people")
    ],
    environment: Annotated[
        str | None, typer.Option(help="enrol: the one environment that the token enrols into.")
    ] = None,
    uses: Annotated[int, typer.Option(min=1, help="enrol: how many hosts.")] = 1,
    ephemeral: Annotated[
        int | None,
        typer.Option(metavar="HOURS", min=1, max=87600, help="enrol: its hosts come and go, and last so long."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is valid.")] = 7,
    name: Annotated[str, typer.Option(help="all but enrol: who has it.")] = "",
    environments: Reach = None,
    database_url: Database = None,
) -> None:
    """Make a token and print it once: the server keeps a hash only.

    envparity server token enrol --environment prod --uses 50 > token

    envparity server token enrol --environment ci --uses 1000 --ephemeral 24 > token

    envparity server token ci --name github --environments prod --days 365 > token
    """
    now, life = datetime.now(UTC), timedelta(days=days)
    if kind == TokenKind.ENROL:
        if environments is not None:
            raise UsageError("--environments is for the tokens of roles", "an enrolment token has one: --environment")
        host_life = None if ephemeral is None else timedelta(hours=ephemeral)
        with writing(ready(database_url)) as connection:
            made, _ = stored_tokens.add_enrolment_token(
                connection, local_actor(), environment, uses, life, host_life, now
            )
    else:
        if environment or ephemeral is not None:
            raise UsageError("--environment and --ephemeral are for enrolment tokens only", "give --environments")
        with writing(ready(database_url)) as connection:
            made, _ = stored_tokens.add_access_token(
                connection, local_actor(), Role(kind), name, reach(environments), life, now
            )
    say(made)


@tokens.command("list")
def list_tokens(json: Json = False, database_url: Database = None) -> None:
    """List the tokens by their ids, never what they are.

    envparity server tokens list
    """
    now = datetime.now(UTC)
    with reading(ready(database_url)) as connection:
        found = [
            *(_enrolment(one, now) for one in stored_tokens.enrolment_tokens(connection, local_actor())),
            *(_access(one, now) for one in stored_tokens.access_tokens(connection, local_actor())),
        ]
    if json:
        say_json({"tokens": found, "total": len(found)})
        return
    say_table(
        ("ID", "KIND", "NAME", "ENVIRONMENTS", "STATE", "EXPIRES", "USED"),
        (
            (
                one["id"],
                one["kind"],
                one["name"],
                "all" if one["environments"] is None else ",".join(one["environments"]),
                one["state"],
                f"{one['expires_at']:.16}",
                one["used"],
            )
            for one in found
        ),
    )


def _enrolment(one: stored_tokens.EnrolmentToken, now: datetime) -> dict[str, Any]:
    lasting = f"hosts last {one.host_life / timedelta(hours=1):g} h" if one.host_life else ""
    return {
        "id": one.id,
        "kind": "enrol",
        "name": lasting,
        "environments": stored(one.environments),
        "state": one.state(now),
        "expires_at": one.expires_at.isoformat(),
        "created_by": one.created_by,
        "used": f"{one.uses_left} left",
    }


def _access(one: stored_tokens.AccessToken, now: datetime) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": str(one.role),
        "name": one.name,
        "environments": stored(one.environments),
        "state": one.state(now),
        "expires_at": one.expires_at.isoformat(),
        "created_by": one.created_by,
        "used": f"last {one.last_used_at:%Y-%m-%d %H:00}" if one.last_used_at else "never",
    }


@tokens.command()
def revoke(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `envparity server tokens list` tells them.")],
    database_url: Database = None,
) -> None:
    """End tokens. Hosts that enrolled by one stay: `envparity hosts retire` ends those.

    envparity server tokens revoke 0123456789abcdef
    """
    now = datetime.now(UTC)
    with writing(ready(database_url)) as connection:
        for token_id in ids:
            if not (
                stored_tokens.revoke_access_token(connection, local_actor(), token_id, now)
                or stored_tokens.revoke_enrolment_token(connection, local_actor(), token_id, now)
            ):
                raise UsageError(f"there is no token {token_id}", "nothing was revoked; envparity server tokens list")
    note(f"revoked {', '.join(ids)}")
