"""Opens the database, brings its schema up to date, and makes transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from envparity_agent.errors import CannotTell, UsageError
from envparity_server.storage import places
from envparity_server.storage.tables import metadata

_MIGRATIONS = str(Path(__file__).with_name("migrations"))


def open_database(url: str) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql+psycopg://...`; raises UsageError for what is neither."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise UsageError(f"{parsed.get_backend_name()} is not a supported database", "use SQLite or PostgreSQL")
        engine = create_engine(parsed, pool_pre_ping=True, hide_parameters=True)  # an error's text is logged
    except (ArgumentError, NoSuchModuleError) as problem:
        raise UsageError(f"not a database URL: {problem}", "sqlite:////var/lib/envparity/server.db") from None
    except ModuleNotFoundError as problem:
        raise UsageError(
            f"the driver for this database is not installed ({problem.name})", 'pip install "envparity[postgres]"'
        ) from None
    if engine.dialect.name == "sqlite":
        _configure_sqlite(engine)
    else:
        _configure_postgresql(engine)
    return engine


def _configure_sqlite(engine: Engine) -> None:
    """WAL with a durable commit, and transactions that this program begins itself, so that it can take the write lock.

    https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#serializable-isolation-savepoints-transactional-ddl
    """

    @event.listens_for(engine, "connect")
    def connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("envparity_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _configure_postgresql(engine: Engine) -> None:
    """Wait for a lock as long as on SQLite, and acknowledge only what is on the disk, whatever the defaults are."""

    @event.listens_for(engine, "connect")
    def connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("SET SESSION lock_timeout = '10s'")
        cursor.execute("SET SESSION synchronous_commit = 'on'")
        connection.commit()
        cursor.close()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads one state of the database."""
    # SQLite's transactions do so by themselves; PostgreSQL's default sees what others commit meanwhile
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes; on SQLite it takes the write lock first, so that nothing read in it is stale."""
    with engine.connect().execution_options(envparity_writes=True) as connection, connection.begin():
        yield connection


def migrate(engine: Engine) -> None:
    """Bring the schema to this program's version, in one transaction: what interrupts it leaves the database as it was.

    SQLite's file is made with its directory, for its owner only: it holds what every host runs. Raises CannotTell where
    the database cannot be reached or a step fails, UsageError for a schema that is newer, or half of one.
    """
    file = sqlite_file(engine)
    if file is not None:
        places.check(file)
        places.make_private(file)
    present = present_revision(engine)
    configuration = _configuration()
    try:
        with writing(engine) as connection:
            _check_whole(connection)
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
    except DatabaseError as problem:
        raise CannotTell(
            f"the database could not be migrated from schema {present or 'none'}: {problem.orig}",
            "it is as it was before: the transaction was rolled back",
        ) from None
    except CommandError:
        raise _unknown_schema(present) from None


def sqlite_file(engine: Engine) -> Path | None:
    """The file of a SQLite database; None for PostgreSQL, and for a database that is in memory."""
    name = engine.url.database
    return Path(name) if engine.dialect.name == "sqlite" and name and name != ":memory:" else None


@cache
def known_revisions() -> tuple[str, ...]:
    """The numbers of all schemas that this program can bring to its own, the oldest first, its own last."""
    script = ScriptDirectory.from_config(_configuration())
    return tuple(one.revision for one in script.walk_revisions())[::-1]


def present_revision(engine: Engine) -> str | None:
    """The number of the database's schema, None where it has none yet; raises CannotTell.

    Nothing is made by asking: not even the empty file that SQLite makes of a name.
    """
    file = sqlite_file(engine)
    if file is not None and not file.exists() and (file.parent.is_dir() or not file.parent.exists()):
        return None
    try:
        with reading(engine) as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as problem:  # not reachable, or no database at all
        raise _cannot_open(problem, file) from None
    except CommandError as problem:  # several numbers at once
        raise UsageError(f"the database was left half migrated: {problem}", _PUT_BACK) from None


def check_schema(engine: Engine) -> None:
    """Raise UsageError where the schema is not this program's, or the file where it must not be.

    Raises CannotTell where the database cannot be reached, read or written.
    """
    file = sqlite_file(engine)
    if file is not None:
        places.check(file)
    present, newest = present_revision(engine), known_revisions()[-1]
    if present is not None and present not in known_revisions():
        raise _unknown_schema(present)
    if present != newest:
        raise UsageError(
            f"the database has schema {present or 'none'}, this program needs {newest}", "envparity server migrate"
        )
    with reading(engine) as connection:
        _check_whole(connection)


def _check_whole(connection: Connection) -> None:
    """Raise UsageError for a database that somebody began to migrate, or to restore, and did not finish.

    What the steps from an older schema need, they find themselves.
    """
    present = inspect(connection)
    tables = set(present.get_table_names())
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None and tables & metadata.tables.keys():
        raise UsageError("the database has tables of envparity, but no number of their schema", _PUT_BACK)
    if revision == known_revisions()[-1]:
        columns = {table: {one["name"] for one in found} for (_, table), found in present.get_multi_columns().items()}
        lacking = [name for name, one in metadata.tables.items() if not set(one.c.keys()) <= columns.get(name, set())]
        if lacking:
            raise UsageError(
                f"the database has schema {revision}, but not all of its tables: {', '.join(sorted(lacking)[:5])}",
                _PUT_BACK,
            )


_PUT_BACK = "it was left half migrated or half restored: envparity server restore BACKUP --replace"


def _unknown_schema(revision: str | None) -> UsageError:
    return UsageError(
        f"the database has schema {revision}, which this program does not know: it knows up to {known_revisions()[-1]}",
        "install the newer envparity that wrote it",
    )


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", _MIGRATIONS)
    return configuration


def _cannot_open(problem: DatabaseError, file: Path | None) -> CannotTell:
    words = f"cannot open the database: {problem.orig}"
    if "not a database" in str(problem.orig) or "malformed" in str(problem.orig):
        advice = f"move {file}, {file}-wal and {file}-shm away, then envparity server restore BACKUP"
        return CannotTell(f"{words}: {file} is damaged, or something else", advice)
    return CannotTell(words, "check its URL, that it runs, and that this user may read and write it")
