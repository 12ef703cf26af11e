"""Copies of the whole database: made while it is used, verified before anybody relies on them, and put back."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, func, inspect, select
from sqlalchemy.exc import DatabaseError

from envparity_agent.errors import CannotTell, UsageError
from envparity_server.storage import dumps, places
from envparity_server.storage.database import known_revisions, migrate, present_revision, reading, sqlite_file
from envparity_server.storage.tables import metadata

_SQLITE = b"SQLite format 3\0"
_POSTGRESQL = b"PGDMP"
_VERSION = "alembic_version"


@dataclass(frozen=True)
class Contents:
    """What a database or a backup holds: the number of its schema, and the rows of each table."""

    revision: str
    rows: Mapping[str, int]

    @property
    def total(self) -> int:
        """The rows of all tables."""
        return sum(self.rows.values())


def back_up(engine: Engine, file: Path) -> Contents:
    """Copy the database to a file, as it is at one moment, while others go on writing to it.

    1. The copy is made under another name beside the file, readable by its owner only.
    2. It is read again and held against what was there at that moment.
    3. Only then it has its name. Raises CannotTell where anything of that fails; then there is no file, or the old one.
    """
    try:
        with _beside(file) as draft:
            copy = _copy_sqlite if engine.dialect.name == "sqlite" else _copy_postgresql
            expected = copy(engine, draft)
            found = read(draft)
            if found != expected:
                raise CannotTell("the copy is not what the database holds", "make it again, on another disk")
    except OSError as problem:
        raise CannotTell(f"cannot write {file}: {problem.strerror}", "choose another place for the backup") from None
    except (DatabaseError, sqlite3.Error) as problem:
        raise CannotTell(f"the database could not be copied: {problem}", "nothing was written") from None
    return found


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A new file that takes the name at the end of the block, durably; nothing is left of it where the block fails."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # mode 0600
    os.close(descriptor)
    try:
        yield Path(name)
        with open(name, "rb") as written:
            os.fsync(written.fileno())
        os.replace(name, file)
        directory = os.open(file.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _copy_sqlite(engine: Engine, file: Path) -> Contents:
    """SQLite's own online copy, within one transaction that reads: https://www.sqlite.org/backup.html."""
    with engine.connect() as connection, connection.begin():
        expected = contents(connection)
        source = cast(sqlite3.Connection, connection.connection.driver_connection)
        with closing(sqlite3.connect(file)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # one file
    return expected


def _copy_postgresql(engine: Engine, file: Path) -> Contents:
    with reading(engine) as connection:  # while it lasts, its snapshot does
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        expected = contents(connection)
        dumps.dump(engine, str(connection.scalar(select(func.pg_export_snapshot()))), file)
    return expected


def contents(connection: Connection) -> Contents:
    """The schema's number and the rows of each table of a database that is open."""
    present = inspect(connection).get_table_names()
    if _VERSION not in present:
        raise UsageError("the database has no schema", "envparity server migrate")
    revision = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
    rows = {
        name: connection.scalar(select(func.count()).select_from(table)) or 0
        for name, table in sorted(metadata.tables.items())
        if name in present
    }
    return Contents(revision, rows)


def read(file: Path) -> Contents:
    """Read a backup from its first to its last byte; raises UsageError that says why it is none, or not whole."""
    try:
        with file.open("rb") as opened:
            head = opened.read(16)
    except OSError as problem:
        raise UsageError(f"cannot read {file}: {problem.strerror}") from None
    if head == _SQLITE:
        return _read_sqlite(file)
    if head.startswith(_POSTGRESQL):
        return Contents(*dumps.read(file, metadata.tables.keys()))
    raise UsageError(f"{file} is no backup", "envparity server backup FILE makes one")


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _read_sqlite(file: Path) -> Contents:
    try:
        with closing(_opened(file)) as copy:
            faults = [row[0] for row in copy.execute("PRAGMA integrity_check(1)")]
            if file.stat().st_size % copy.execute("PRAGMA page_size").fetchone()[0]:
                faults = ["it ends within a page"]  # SQLite would read noughts for what is missing of it
            present = {row[0] for row in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if faults != ["ok"]:
                raise UsageError(f"{file} is damaged: {faults[0]}", "use an older backup")
            if _VERSION not in present:
                raise UsageError(f"{file} is a database, but none of envparity")
            revision = copy.execute("SELECT version_num FROM alembic_version").fetchone()
            counted = {
                name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608  # names of tables.py
                for name in sorted(metadata.tables.keys() & present)
            }
    except sqlite3.DatabaseError as problem:
        raise UsageError(f"{file} is damaged or not whole: {problem}", "use an older backup") from None
    return Contents(str(revision and revision[0]), counted)


def restore(engine: Engine, file: Path, replace: bool = False) -> Contents:
    """Put a backup in the place of an empty database, or of any one if asked to; returns what the backup holds.

    1. The whole backup is read first: nothing is touched for one that is damaged, or that this program does not know.
    2. It comes in one transaction: a restore that is interrupted leaves what was there.
    3. What came is held against the backup, and one of an older schema is brought to this program's.
    """
    expected = read(file)
    if expected.revision not in known_revisions():
        raise UsageError(
            f"{file} has schema {expected.revision}, which this program does not know",
            "restore it with the version of envparity that made it, or a newer one",
        )
    _check_kind(engine, file)
    present = _present_tables(engine, replace)
    if engine.dialect.name == "sqlite":
        _restore_sqlite(engine, file)
    else:
        dumps.restore(engine, file, [name for name in present if name in {*metadata.tables, _VERSION}])
    with reading(engine) as connection:
        found = contents(connection)
    if found != expected:
        raise CannotTell("the database does not hold what the backup does", "somebody writes to it: stop the servers")
    migrate(engine)
    return found


def _check_kind(engine: Engine, file: Path) -> None:
    with file.open("rb") as opened:
        kind = "sqlite" if opened.read(16) == _SQLITE else "postgresql"
    if kind != engine.dialect.name:
        raise UsageError(f"{file} is a backup of {kind}, the database is {engine.dialect.name}", "give --database-url")


def _present_tables(engine: Engine, replace: bool) -> list[str]:
    """The tables that the database has; raises UsageError where that is any, and nobody asked to replace them."""
    place = sqlite_file(engine)
    if place is not None:
        places.check(place)
        if not place.exists():
            return []
    try:
        with reading(engine) as connection:
            present = inspect(connection).get_table_names()
    except DatabaseError as problem:
        advice = f"move {place} with its -wal and -shm away" if place else "check its URL and that it runs"
        raise CannotTell(f"cannot open the database: {problem.orig}", advice) from None
    if present and not replace:
        raise UsageError(
            f"the database has {len(present)} tables already", "name an empty one, or replace all of it by --replace"
        )
    return present


def _not_for_ever(status: int, _remaining: int, _total: int) -> None:
    """Python's copy would wait for others without an end: https://docs.python.org/3/library/sqlite3.html."""
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):  # for as long as `busy_timeout` says
        raise sqlite3.OperationalError("database is locked")


def _restore_sqlite(engine: Engine, file: Path) -> None:
    place = sqlite_file(engine)
    if place is not None:
        places.make_private(place)
    try:
        with closing(_opened(file)) as source, engine.connect() as connection:
            target = cast(sqlite3.Connection, connection.connection.driver_connection)
            source.backup(target, progress=_not_for_ever)
    except sqlite3.Error as problem:
        raise CannotTell(f"the database could not be replaced: {problem}", "stop the servers that use it") from None


def copied_before_migrating(engine: Engine, now: datetime, file: Path | None = None) -> tuple[Path, Contents] | None:
    """Copy a database that has rows and an older schema; None for one that needs no copy, or that nothing migrates.

    SQLite's copy is beside it by default; PostgreSQL's goes where `file` says: raises UsageError where it does not.
    """
    revision = present_revision(engine)
    if revision not in known_revisions()[:-1]:
        return None
    with reading(engine) as connection:
        total = contents(connection).total
    if not total:
        return None
    place = sqlite_file(engine)
    if file is None and place is None:
        raise UsageError(
            f"the database has {total} rows of schema {revision}: they are copied before they are migrated",
            "say where to by --backup FILE; where there is a copy already, --no-backup",
        )
    name = file or cast(Path, place).with_name(f"{cast(Path, place).name}.{revision}.{now:%Y%m%dT%H%M%SZ}.backup")
    return name, back_up(engine, name)
