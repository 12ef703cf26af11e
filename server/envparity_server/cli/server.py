"""The verbs of `envparity server`: run it, bring its schema up to date, and those that say who may do what."""

from typing import Annotated

import typer

from envparity_server import logs
from envparity_server.cli import server_channels
from envparity_server.cli.database import Database
from envparity_server.cli.server_backup import backup, migrate_schema, restore
from envparity_server.cli.server_doctor import doctor
from envparity_server.cli.server_log import audit, sessions
from envparity_server.cli.server_people import login, user
from envparity_server.cli.server_prune import prune
from envparity_server.cli.server_tokens import token, tokens
from envparity_server.settings import server_settings
from envparity_server.storage.database import check_schema, open_database

app = typer.Typer(no_args_is_help=True, help="Run and operate the central server.")
app.add_typer(server_channels.app, name="channel")


@app.command()
def run(
    database_url: Database = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the API and the dashboard. Put a proxy with TLS before it where it leaves this machine.

    envparity server run --port 8765
    """
    # most of what there is to load, and no other verb needs it
    from envparity_server.app import create_app
    from envparity_server.serving import serve

    settings = server_settings(database_url=database_url, listen_host=host, listen_port=port)
    logs.configure(settings.log_format)
    engine = open_database(settings.database_url)
    check_schema(engine)
    serve(create_app(engine, settings), settings)


app.command()(backup)
app.command()(restore)
app.command("migrate")(migrate_schema)
app.command()(doctor)
app.command()(prune)
app.command()(token)
app.command()(login)
app.command()(audit)
app.add_typer(user, name="user")
app.add_typer(tokens, name="tokens")
app.add_typer(sessions, name="sessions")
