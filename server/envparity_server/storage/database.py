"""Opens the database, brings its schema up to date, and makes transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from envparity_agent.errors import CannotTell, UsageError

_MIGRATIONS = str(Path(__file__).with_name("migrations"))


def open_database(url: str) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql+psycopg://...`; raises UsageError for what is neither."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise UsageError(f"{parsed.get_backend_name()} is not a supported database", "use SQLite or PostgreSQL")
        engine = create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError) as problem:
        raise UsageError(f"not a database URL: {problem}", "sqlite:////var/lib/envparity/server.db") from None
    except ModuleNotFoundError as problem:
        raise UsageError(
            f"the driver for this database is not installed ({problem.name})", 'pip install "envparity[postgres]"'
        ) from None
    if engine.dialect.name == "sqlite":
        _configure_sqlite(engine)
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
    """Bring the schema to this program's version; raises CannotTell where the database cannot be reached.

    SQLite's file is made with its directory, for its owner only: it holds what every host runs.
    """
    if engine.dialect.name == "sqlite" and engine.url.database:
        _make_private(Path(engine.url.database))
    configuration = Config()
    configuration.set_main_option("script_location", _MIGRATIONS)
    try:
        with writing(engine) as connection:
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
    except DatabaseError as problem:  # not reachable, or no database at all
        raise CannotTell(f"cannot open the database: {problem.orig}", "check its URL and that it runs") from None
    except CommandError as problem:
        raise UsageError(
            f"the database has a schema that this program does not know: {problem}", "install the newer envparity"
        ) from None


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    except OSError as problem:
        advice = "set ENVPARITY_DATABASE_URL to a place that this user may write"
        raise CannotTell(f"cannot make {path}: {problem.strerror}", advice) from None


def check_schema(engine: Engine) -> None:
    """Raise UsageError where the schema is not this program's, CannotTell where the database cannot be reached."""
    configuration = Config()
    configuration.set_main_option("script_location", _MIGRATIONS)
    newest = ScriptDirectory.from_config(configuration).get_current_head()
    try:
        with reading(engine) as connection:
            present = MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as problem:  # not reachable, or no database at all
        raise CannotTell(f"cannot open the database: {problem.orig}", "check its URL and that it runs") from None
    if present != newest:
        raise UsageError(
            f"the database has schema {present or 'none'}, this program needs {newest}",
            "envparity server migrate; for a newer schema, install the newer envparity",
        )
