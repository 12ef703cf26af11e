"""PostgreSQL's own programs: a dump of one snapshot, read whole again, and put back in one transaction.

https://www.postgresql.org/docs/current/app-pgdump.html
"""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryFile

from sqlalchemy import Engine

from envparity_agent.errors import CannotTell, UsageError

_COPY = re.compile(rb'COPY (?:public\.)?"?([a-z_]+)"? \(')
_SHOWN = 500  # characters of what a program complains about


def dump(engine: Engine, snapshot: str, file: Path) -> None:
    """Dump a snapshot that a transaction exported, in the custom format; raises CannotTell."""
    what = ("--format=custom", f"--snapshot={snapshot}", "--no-owner", "--no-privileges", "--file", str(file))
    _run(engine, "pg_dump", *what)


def restore(engine: Engine, file: Path) -> None:
    """Put a dump in the place of what is there, in one transaction; raises CannotTell."""
    how = ("--single-transaction", "--exit-on-error", "--clean", "--if-exists", "--no-owner", "--no-privileges")
    engine.dispose()
    _run(engine, "pg_restore", *how, "--dbname", _where(engine)["PGDATABASE"], str(file))


def read(file: Path, tables: Collection[str]) -> tuple[str, dict[str, int]]:
    """Read a dump to its end: the number of its schema and the rows of each table; raises UsageError."""
    command = [_program("pg_restore"), "--data-only", "--file=-", str(file)]
    revision, rows, table = "", Counter[str](), ""
    with (
        TemporaryFile() as complaint,
        subprocess.Popen(  # noqa: S603  # PostgreSQL's program and a file
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaint
        ) as reading,
    ):
        for line in reading.stdout or ():
            begun = _COPY.match(line) if not table else None
            if begun:
                table = begun[1].decode()
                rows[table] += 0
            elif line == b"\\.\n":
                table = ""
            elif table:
                rows[table] += 1
                revision = line.decode().strip() if table == "alembic_version" else revision
        reading.wait()
        complaint.seek(0)
        complained = complaint.read()
    if reading.returncode != 0:
        raise UsageError(f"{file} is damaged or not whole: {_told(complained)}", "use an older backup")
    if not revision:
        raise UsageError(f"{file} is a dump, but none of envparity's database")
    return revision, {name: count for name, count in sorted(rows.items()) if name in tables}


def _run(engine: Engine, program: str, *arguments: str) -> None:
    command = [_program(program), "--no-password", *arguments]
    environment = {**os.environ, **_where(engine)}
    ended = subprocess.run(  # noqa: S603  # PostgreSQL's program; the password is not among its arguments
        command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False
    )
    if ended.returncode != 0:
        raise CannotTell(f"{program} failed: {_told(ended.stderr)}", "the database is as it was")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise CannotTell(
            f"{name} is missing, which copies a PostgreSQL database", "install PostgreSQL's client: postgresql-client"
        )
    return found


def _where(engine: Engine) -> dict[str, str]:
    """The address for PostgreSQL's programs: https://www.postgresql.org/docs/current/libpq-envars.html."""
    _, known = engine.dialect.create_connect_args(engine.url)
    names = {"dbname": "database"}
    return {f"PG{names.get(key, key).upper()}": str(value) for key, value in known.items() if key in _LIBPQ}


_LIBPQ = ("host", "port", "dbname", "user", "password", "sslmode", "sslcert", "sslkey", "sslrootcert", "options")


def _told(complaint: bytes) -> str:
    return " ".join(complaint.decode("utf-8", "replace").split())[:_SHOWN]
