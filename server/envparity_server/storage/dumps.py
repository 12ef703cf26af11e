"""PostgreSQL's own programs: a dump of one snapshot, read whole again, and put back in one transaction.

They get the address by the environment: a command line, with a password in it, could be seen by everybody.
https://www.postgresql.org/docs/current/app-pgdump.html
"""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from sqlalchemy import Engine

from envparity_agent.errors import CannotTell, UsageError

_COPY = re.compile(rb'COPY (?:public\.)?"?([a-z_]+)"? \(')
_SHOWN = 500  # characters of what a program complains about
_LOCK_WAIT = "30s"  # for servers that use what is to be replaced
_FUNCTIONS = ("audit_is_append_only",)  # what the migrations make beside tables


def dump(engine: Engine, snapshot: str, file: Path) -> None:
    """Dump a snapshot that a transaction exported, in the custom format; raises CannotTell."""
    what = ("--format=custom", f"--snapshot={snapshot}", "--no-owner", "--no-privileges", "--file", str(file))
    _run(engine, "pg_dump", *what)


def restore(engine: Engine, file: Path, replaced: Sequence[str]) -> None:
    """Put a dump into the database in one transaction, after the tables that it replaces are dropped in the same one.

    pg_restore writes the statements and psql runs them, since pg_restore alone drops only what the dump has itself: a
    newer schema's tables would stay. Whatever interrupts it, the database is as it was; raises CannotTell.
    """
    engine.dispose()
    before = [f"SET lock_timeout = '{_LOCK_WAIT}'"]
    if replaced:
        before.append("DROP TABLE " + ", ".join(f'"{name}"' for name in replaced))
        before += [f"DROP FUNCTION IF EXISTS {name}" for name in _FUNCTIONS]
    run = [part for statement in before for part in ("--command", statement)]
    writer = (_program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(file))
    runner = (
        _program("psql"), "--no-password", "--no-psqlrc", "--quiet", "--single-transaction", "--output", os.devnull,
        "--set=ON_ERROR_STOP=1", *run, "--file=-",
    )  # fmt: skip
    with TemporaryFile() as complaint:
        problem = _piped(writer, runner, {**os.environ, **_where(engine)}, complaint)
        if problem is not None:
            complaint.seek(0)
            raise CannotTell(
                f"{problem} failed: {_told(complaint.read())}",
                "the database is as it was; stop the servers that use it",
            )


def _piped(
    writer: Sequence[str], runner: Sequence[str], environment: dict[str, str], complaint: IO[bytes]
) -> str | None:
    """Run two programs, what one writes being what the other reads; returns which of them failed, None for neither.

    The reader sees the end, at which it commits, only when the writer has ended well; otherwise it is killed before.
    """
    with (
        subprocess.Popen(  # noqa: S603  # PostgreSQL's program and a file
            writer, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaint
        ) as writing,
        subprocess.Popen(  # noqa: S603  # PostgreSQL's program; the password is not among its arguments
            runner, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaint, env=environment
        ) as running,
    ):
        source, sink = cast(IO[bytes], writing.stdout), cast(IO[bytes], running.stdin)  # both are pipes
        try:
            shutil.copyfileobj(source, sink)
            sink.flush()
        except BrokenPipeError:  # the reader gave up: it says why
            writing.kill()
        except BaseException:
            writing.kill()
            running.kill()
            raise
        else:
            if writing.wait() != 0:
                running.kill()
                return "pg_restore"
        with suppress(BrokenPipeError):
            sink.close()
        return None if running.wait() == 0 else "psql"


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
        raise CannotTell(f"{program} failed: {_told(ended.stderr)}", "nothing was written")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise CannotTell(
            f"{name} is missing, which copies a PostgreSQL database",
            "install PostgreSQL's client programs: apt-get install postgresql-client, or dnf install postgresql",
        )
    return found


def _where(engine: Engine) -> dict[str, str]:
    """The address for PostgreSQL's programs: https://www.postgresql.org/docs/current/libpq-envars.html."""
    _, known = engine.dialect.create_connect_args(engine.url)
    names = {"dbname": "database"}
    return {f"PG{names.get(key, key).upper()}": str(value) for key, value in known.items() if key in _LIBPQ}


# what libpq takes by a variable as well; SQLAlchemy's other options are of its driver alone
_LIBPQ = (
    "host", "port", "dbname", "user", "password", "sslmode", "sslcert", "sslkey", "sslrootcert",
    "service", "passfile", "options",
)  # fmt: skip


def _told(complaint: bytes) -> str:
    return " ".join(complaint.decode("utf-8", "replace").split())[:_SHOWN]
