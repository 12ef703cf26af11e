"""The verbs of `envparity server`: run it, bring its schema up to date, hand out tokens and logins."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer
import uvicorn
from sqlalchemy import Engine

from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, say
from envparity_server.app import create_app
from envparity_server.cli import server_channels
from envparity_server.cli.server_prune import prune
from envparity_server.settings import server_settings
from envparity_server.storage import access
from envparity_server.storage.database import check_schema, migrate, open_database, writing

app = typer.Typer(no_args_is_help=True, help="Run and operate the central server.")
app.add_typer(server_channels.app, name="channel")

_DATABASE = "sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME; set ENVPARITY_DATABASE_URL to keep it off `ps`."

Database = Annotated[str | None, typer.Option("--database-url", metavar="URL", help=_DATABASE)]


class TokenKind(StrEnum):
    """What a token is for."""

    ENROL = "enrol"
    CI = "ci"
    VIEWER = "viewer"


def _ready(url: str | None) -> Engine:
    engine = open_database(server_settings(database_url=url).database_url)
    check_schema(engine)
    return engine


@app.command()
def run(
    database_url: Database = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the API and the dashboard. Put a proxy with TLS before it where it leaves this machine.

    envparity server run --port 8765
    """
    settings = server_settings(database_url=database_url, listen_host=host, listen_port=port)
    engine = open_database(settings.database_url)
    check_schema(engine)
    uvicorn.run(create_app(engine, settings), host=settings.listen_host, port=settings.listen_port, server_header=False)


@app.command("migrate")
def migrate_schema(database_url: Database = None) -> None:
    """Make the database's schema, or bring it to this version.

    envparity server migrate
    """
    migrate(open_database(server_settings(database_url=database_url).database_url))
    note("the schema is up to date")


@app.command()
def token(
    kind: Annotated[TokenKind, typer.Argument(help="enrol: for agents; ci: may gate only; viewer: may read")],
    environment: Annotated[
        str | None, typer.Option(help="enrol: the one environment that the token enrols into.")
    ] = None,
    uses: Annotated[int, typer.Option(min=1, help="enrol: how many hosts.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is valid.")] = 7,
    name: Annotated[str, typer.Option(help="ci, viewer: who has it.")] = "",
    database_url: Database = None,
) -> None:
    """Make a token and print it once: the server keeps a hash only.

    envparity server token enrol --environment prod --uses 50 > token

    envparity server token ci --name github --days 365 > token
    """
    if kind != TokenKind.ENROL and environment:
        raise UsageError("--environment is for enrolment tokens only")
    now, life = datetime.now(UTC), timedelta(days=days)
    with writing(_ready(database_url)) as connection:
        if kind == TokenKind.ENROL:
            made = access.make_enrolment_token(connection, environment, uses, life, now)
        else:
            made = access.make_access_token(connection, str(kind), name, life, now)
    say(made)


@app.command()
def login(database_url: Database = None) -> None:
    """Make a one-time code for the dashboard's login page, valid for an hour.

    envparity server login
    """
    with writing(_ready(database_url)) as connection:
        say(access.make_login(connection, datetime.now(UTC)))


app.command()(prune)
