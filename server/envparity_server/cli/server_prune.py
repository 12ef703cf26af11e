"""`envparity server prune`: take out what is older than the retention, now."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from envparity_agent.cli_options import Json
from envparity_agent.terminal import say, say_json, say_table
from envparity_server.cli.database import Database, ready
from envparity_server.settings import server_settings
from envparity_server.storage.pruning import prune as prune_database


def prune(
    keep_days: Annotated[
        int | None, typer.Option(min=1, help="How many days stay; by default that of the settings.")
    ] = None,
    json: Json = False,
    database_url: Database = None,
) -> None:
    """Take out history that is older than the retention, and what nothing refers to. What hosts run now stays.

    The server does so by itself every day; it may run meanwhile. Refused where the clock must be wrong.

    envparity server prune --keep-days 90
    """
    settings = server_settings(database_url=database_url, keep_days=keep_days)
    engine = ready(settings.database_url)
    counts = prune_database(engine, datetime.now(UTC), *settings.kept).counts
    engine.dispose()
    if json:
        say_json({"pruned": counts})
    elif not any(counts.values()):
        say(f"nothing to prune: all that is stored is of the last {settings.keep_days} days, or in use")
    else:
        say_table(("table", "rows"), [(table, str(count)) for table, count in counts.items() if count])
