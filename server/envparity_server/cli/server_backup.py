"""The verbs that keep the database: `envparity server backup`, `restore` and `migrate`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Json
from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, say_json
from envparity_server.cli.database import Database, local_actor, ready
from envparity_server.settings import server_settings
from envparity_server.storage import audit, backups
from envparity_server.storage.backups import Contents
from envparity_server.storage.database import known_revisions, migrate, open_database, writing


def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes; an older one there is replaced.", metavar="FILE")],
    json: Json = False,
    database_url: Database = None,
) -> None:
    """Copy the whole database to a file while servers use it, and read the copy again before it gets its name.

    It holds what the database does at one moment. PostgreSQL is copied by its own pg_dump.

    envparity server backup /var/backups/envparity.backup
    """
    engine = ready(database_url)
    made = backups.back_up(engine, file)
    with writing(engine) as connection:
        audit.write(connection, local_actor(), "server.backup", str(file), datetime.now(UTC), rows=made.total)
    engine.dispose()
    if json:
        say_json(_document(file, made))
    else:
        note(f"{file}: {_told(made)}")


def restore(
    file: Annotated[Path, typer.Argument(help="What `envparity server backup` wrote.", metavar="FILE")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace a database that is not empty.")] = False,
    json: Json = False,
    database_url: Database = None,
) -> None:
    """Put a backup into an empty database. The backup is read whole before anything is touched.

    One of an older version is brought to this one's schema.

    envparity server restore /var/backups/envparity.backup
    """
    engine = open_database(server_settings(database_url=database_url).database_url)
    found = backups.restore(engine, file, replace)
    with writing(engine) as connection:
        audit.write(connection, local_actor(), "server.restore", str(file), datetime.now(UTC), rows=found.total)
    engine.dispose()
    if json:
        say_json(_document(file, found))
        return
    note(f"restored {file}: {_told(found)}")
    if found.revision != known_revisions()[-1]:
        note(f"brought to schema {known_revisions()[-1]}")


def migrate_schema(
    backup_file: Annotated[
        Path | None,
        typer.Option("--backup", metavar="FILE", help="Where the copy goes; by default beside SQLite's file."),
    ] = None,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Do not copy the database first: there is a copy of it already.")
    ] = False,
    database_url: Database = None,
) -> None:
    """Make the database's schema, or bring it to this version; what an older one holds is copied first.

    It is one transaction: what interrupts it leaves the database as it was.

    envparity server migrate
    """
    if backup_file and no_backup:
        raise UsageError("--backup and --no-backup exclude each other")
    engine = open_database(server_settings(database_url=database_url).database_url)
    copied = None if no_backup else backups.copied_before_migrating(engine, datetime.now(UTC), backup_file)
    if copied:
        note(f"{copied[0]}: {_told(copied[1])}, as it was before")
    migrate(engine)
    engine.dispose()
    note("the schema is up to date")


def _told(contents: Contents) -> str:
    return f"{contents.total} rows in {len(contents.rows)} tables, schema {contents.revision}, verified"


def _document(file: Path, contents: Contents) -> dict[str, Any]:
    size = file.stat().st_size
    return {"file": str(file), "bytes": size, "schema": contents.revision, "rows": dict(contents.rows)}
