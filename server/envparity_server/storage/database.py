"""Opens the database, brings its schema up to date, and makes transactions."""

from collections.abc import Iterator, Mapping
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
from envparity_agent.mounts import mounts
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
    """Bring the schema to this program's version; raises CannotTell where the database cannot be reached.

    SQLite's file is made with its directory, for its owner only: it holds what every host runs. All of it is one
    transaction: one that is interrupted leaves the database as it was.
    """
    make_private(engine)
    configuration = _configuration()
    try:
        with writing(engine) as connection:
            _check_whole(connection)
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
    except DatabaseError as problem:  # not reachable, or no database at all
        raise _cannot_open(problem) from None
    except CommandError as problem:
        raise UsageError(
            f"the database has a schema that this program does not know: {problem}", "install the newer envparity"
        ) from None


def make_private(engine: Engine) -> None:
    """Make SQLite's file where there is none, with its directory; raises CannotTell, or UsageError for its place."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return
    path = Path(engine.url.database)
    network = network_mount(path.absolute(), mounts("/"))
    if network:
        raise UsageError(
            f"{path} is on a network file system ({network}), where SQLite loses what two processes write",
            "put it on a local disk, or use PostgreSQL",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    except OSError as problem:
        advice = "set ENVPARITY_DATABASE_URL to a place that this user may write"
        raise CannotTell(f"cannot make {path}: {problem.strerror}", advice) from None


def network_mount(path: Path, mounted: Mapping[str, str]) -> str | None:
    """The type of the network file system that an absolute path is on, None for a local one.

    https://www.sqlite.org/wal.html: "WAL does not work over a network filesystem"
    """
    for place in (path, *path.parents):
        kind = mounted.get(str(place).strip("/"))
        if kind:
            return kind if kind in _NETWORK else None
    return None


_NETWORK = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs",
    "gpfs", "lustre", "nfs", "nfs4", "smb3", "smbfs",
})  # fmt: skip


@cache
def known_revisions() -> tuple[str, ...]:
    """The numbers of all schemas that this program can bring to its own, the oldest first."""
    script = ScriptDirectory.from_config(_configuration())
    return tuple(one.revision for one in script.walk_revisions())[::-1]


def present_revision(engine: Engine) -> str | None:
    """The number of the database's schema, None where it has none yet; raises CannotTell."""
    try:
        with reading(engine) as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as problem:  # not reachable, or no database at all
        raise _cannot_open(problem) from None


def check_schema(engine: Engine) -> None:
    """Raise UsageError where the schema is not this program's, CannotTell where the database cannot be reached."""
    present, newest = present_revision(engine), known_revisions()[-1]
    if present != newest:
        raise UsageError(
            f"the database has schema {present or 'none'}, this program needs {newest}",
            "envparity server migrate; for a newer schema, install the newer envparity",
        )
    with reading(engine) as connection:
        _check_whole(connection)


def _check_whole(connection: Connection) -> None:
    """Raise UsageError for a database that somebody began to migrate, or to restore, and did not finish."""
    present = inspect(connection)
    tables = set(present.get_table_names())
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        wrong = tables & metadata.tables.keys()
    elif revision == known_revisions()[-1]:
        columns = {table: {one["name"] for one in found} for (_, table), found in present.get_multi_columns().items()}
        wrong = {name for name, one in metadata.tables.items() if not set(one.c.keys()) <= columns.get(name, set())}
    else:
        return  # what the steps from there need they check themselves
    if wrong:
        raise UsageError(
            f"the database has schema {revision or 'none'}, but not its tables: {', '.join(sorted(wrong)[:5])}",
            "it was left half migrated: envparity server restore BACKUP --replace",
        )


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", _MIGRATIONS)
    return configuration


def _cannot_open(problem: DatabaseError) -> CannotTell:
    return CannotTell(f"cannot open the database: {problem.orig}", "check its URL, that it runs and may be written")
