"""The verb `envparity server doctor`: what is wrong with the server, or will be."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import typer
from rich.text import Text
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from envparity_agent.cli_options import Json
from envparity_agent.errors import CannotTell, EnvparityError
from envparity_agent.terminal import complain, say_json, say_table, styled
from envparity_server.cli.database import Database
from envparity_server.settings import server_settings
from envparity_server.storage import health, hosts, jobs
from envparity_server.storage.database import check_schema, open_database, reading

MUCH_STALE = 0.2  # of all hosts
OLD_BACKUP = timedelta(days=7)
OVERDUE = timedelta(minutes=15)  # longer than the lease of a job whose process was killed
LITTLE_FREE = 1024**3  # bytes
AHEAD = timedelta(minutes=1)
_WORDS = {True: ("ok", ""), False: ("wrong", "high"), None: ("unknown", "medium")}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is as it should be, None where nobody can tell."""

    name: str
    good: bool | None
    words: str
    advice: str = ""


def doctor(json: Json = False, database_url: Database = None) -> None:
    """Look at schema, disk, clocks, jobs, hosts, backups. Exit code 0: all is well, 1: something is wrong, 3: unknown.

    envparity server doctor
    """
    try:
        engine = open_database(server_settings(database_url=database_url).database_url)
        found = list(examine(engine, datetime.now(UTC)))
    except EnvparityError as problem:
        raise typer.Exit(complain(problem)) from None
    if json:
        say_json({"findings": [asdict(one) for one in found]})
    else:
        rows = [
            (styled(*_WORDS[one.good]), one.name, one.words + (f": {one.advice}" if one.advice else ""))
            for one in found
        ]
        say_table(("", "what", "how it is"), rows)
    raise typer.Exit(_exit_code(found))


def _row(one: Finding) -> tuple[str | Text, ...]:
    return styled(*_WORDS[one.good]), one.name, one.words, one.advice


def _exit_code(found: list[Finding]) -> int:
    if any(one.good is False for one in found):
        return 1
    return 3 if any(one.good is None for one in found) else 0


def examine(engine: Engine, now: datetime) -> Iterator[Finding]:
    """Look at everything; what cannot be looked at because of what is wrong before it is left out."""
    try:
        check_schema(engine)
    except EnvparityError as problem:
        yield Finding("schema", None if isinstance(problem, CannotTell) else False, str(problem), problem.advice)
        return
    yield Finding("schema", True, "is this program's")
    wrong = health.problem(engine, now)
    yield Finding("database", not wrong, wrong or "can be written", "make room, or see its log" if wrong else "")
    yield _disk(engine)
    try:
        with reading(engine) as connection:
            counted = health.counts(connection, now)
            yield from (_clock(counted, now), _hosts(counted), _skew(counted), _backup(counted, now))
            yield from _jobs(connection, now)
    except SQLAlchemyError as problem:
        yield Finding("database", None, f"cannot be read ({type(problem).__name__})", "see its log")


def _disk(engine: Engine) -> Finding:
    free = health.free_bytes(engine)
    if free is None:
        return Finding("disk", True, "is the database server's: look there")
    good = free >= LITTLE_FREE
    return Finding("disk", good, f"{free / 1024**3:.1f} GiB are free", "" if good else "make room before it is full")


def _clock(counted: health.Counts, now: datetime) -> Finding:
    newest = counted.newest_report
    if newest is None:
        return Finding("clock", True, "no report to hold it against yet")
    if newest > now + AHEAD:
        words = f"this machine's clock says {now:%Y-%m-%d %H:%M}, the newest report came {newest:%Y-%m-%d %H:%M} UTC"
        return Finding("clock", False, words, "set the clock of this machine, or of the other servers")
    return Finding("clock", True, f"newest report at {newest:%Y-%m-%d %H:%M} UTC")


def _hosts(counted: health.Counts) -> Finding:
    total = sum(number for state, number in counted.hosts.items() if state not in hosts.GONE)
    silent = counted.hosts["stale"]
    told = ", ".join(f"{number} {state}" for state, number in counted.hosts.items() if number) or "none yet"
    good = silent <= MUCH_STALE * total
    return Finding("hosts", good, told, "" if good else "look at their agents, or retire them: envparity hosts retire")


def _skew(counted: health.Counts) -> Finding:
    good = not counted.skewed
    words = f"{counted.skewed} hosts have a clock that is off by more than {health.SKEWED // 60} minutes"
    return Finding(
        "clocks of hosts", good, "are right" if good else words, "" if good else "have them ask a time server"
    )


def _backup(counted: health.Counts, now: datetime) -> Finding:
    if counted.last_backup is None:
        return Finding("backup", False, "there never was one", "envparity server backup FILE")
    days = (now - counted.last_backup).days
    good = now - counted.last_backup <= OLD_BACKUP
    return Finding("backup", good, f"the last one is {days} days old", "" if good else "envparity server backup FILE")


def _jobs(connection: Connection, now: datetime) -> Iterator[Finding]:
    known = jobs.states(connection)
    if not known:
        yield Finding("jobs", None, "none ever ran", "start a server: envparity server run")
    for one in known:
        if one.due_at < now - OVERDUE:
            yield Finding(
                f"job {one.name}", False, f"is due since {one.due_at:%Y-%m-%d %H:%M} UTC", "does a server run?"
            )
        elif one.problem:
            yield Finding(f"job {one.name}", False, one.problem, "it runs again at its next time; the log says more")
        else:
            yield Finding(f"job {one.name}", True, f"next at {one.due_at:%Y-%m-%d %H:%M} UTC")
