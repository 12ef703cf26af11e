"""The verb `envparity server doctor`: what is wrong with the server, or will be."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import typer
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from envparity_agent.cli_options import Json
from envparity_agent.errors import CannotTell, EnvparityError
from envparity_agent.terminal import say_json, say_table, styled
from envparity_server.cli.database import Database
from envparity_server.settings import server_settings
from envparity_server.storage import checkup, health, hosts, jobs
from envparity_server.storage.database import check_schema, open_database, present_revision, reading, sqlite_file

MUCH_STALE = 0.2  # of the hosts that should report
OVERDUE = timedelta(minutes=15)  # longer than the lease of a job whose process was killed
LITTLE_FREE = 1024**3  # bytes
AHEAD = timedelta(minutes=1)
OLD_BACKUP = timedelta(days=7)
LOOKED_BACK = timedelta(days=7)  # at deliveries


class Health(StrEnum):
    """How one thing is; `SKIPPED`: it is looked at elsewhere, or there is nothing of it yet."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


_STYLES = {Health.OK: "", Health.WRONG: "high", Health.UNKNOWN: "medium", Health.SKIPPED: "info"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, in words, and what to do where it is not well."""

    check: str
    health: Health
    words: str
    advice: str = ""


def doctor(json: Json = False, database_url: Database = None) -> None:
    """Look whether all is well. Exit code 0: all is well, 1: something is wrong, 3: cannot tell.

    One line each: database, schema, writing, integrity, disk, clock, jobs, silent hosts, deliveries, backup.

    envparity server doctor
    """
    engine = open_database(server_settings(database_url=database_url).database_url)
    found = list(examine(engine, datetime.now(UTC)))
    engine.dispose()
    if json:
        say_json({"findings": [asdict(one) for one in found], "exit_code": _exit_code(found)})
    else:
        say_table(
            ("CHECK", "", "WORDS"), [(one.check, styled(one.health, _STYLES[one.health]), _line(one)) for one in found]
        )
    raise typer.Exit(_exit_code(found))


def _line(one: Finding) -> str:
    return f"{one.words}: {one.advice}" if one.advice else one.words


def _exit_code(found: list[Finding]) -> int:
    health = {one.health for one in found}
    return 1 if Health.WRONG in health else 3 if Health.UNKNOWN in health else 0


def examine(engine: Engine, now: datetime) -> Iterator[Finding]:
    """Look at everything, a finding each; where the database cannot be used, the rest of it is left out."""
    file = sqlite_file(engine)
    if file is not None and not file.exists():
        yield Finding("database", Health.UNKNOWN, f"there is no {file}", "envparity server migrate makes it")
        return
    for check, look in (("database", present_revision), ("schema", check_schema)):
        try:
            look(engine)
        except EnvparityError as problem:
            unknown = isinstance(problem, CannotTell)
            yield Finding(check, Health.UNKNOWN if unknown else Health.WRONG, str(problem), problem.advice)
            return
        yield Finding(check, Health.OK, {"database": "can be reached", "schema": "is this program's"}[check])
    problem_of_writing = health.problem(engine, now)
    if problem_of_writing is None:
        yield Finding("write", Health.OK, "a row was written, and taken back")
    else:
        yield Finding("write", Health.WRONG, problem_of_writing, "look at its disk, its locks and its log")
    yield _disk(engine)
    for check, examined in _CHECKS:
        try:
            with reading(engine) as connection:
                yield examined(connection, now)
        except SQLAlchemyError as problem:
            yield Finding(check, Health.UNKNOWN, f"cannot be read ({_cause(problem)})", "see the database's log")


def _cause(problem: SQLAlchemyError) -> str:
    return " ".join(str(getattr(problem, "orig", None) or type(problem).__name__).split())


def _disk(engine: Engine) -> Finding:
    free = health.free_bytes(engine)
    if free is None:
        return Finding("disk", Health.SKIPPED, "free space is the database server's: look there")
    words = f"{free / 1024**3:.1f} GiB are free"
    if free < LITTLE_FREE:
        return Finding("disk", Health.WRONG, words, "make room before it is full, or keep fewer days: keep_days")
    return Finding("disk", Health.OK, words)


def _integrity(connection: Connection, _: datetime) -> Finding:
    if connection.dialect.name != "sqlite":
        words = f"{checkup.size(connection) / 1024**2:.0f} MiB, which PostgreSQL checks by itself as it reads"
        return Finding("integrity", Health.SKIPPED, words, "pg_amcheck looks at all of it")
    fault = checkup.fault(connection)
    if fault is not None:
        return Finding("integrity", Health.WRONG, f"the file is damaged: {fault}", "envparity server restore BACKUP")
    return Finding("integrity", Health.OK, "SQLite's quick check finds nothing")


def _clock(connection: Connection, now: datetime) -> Finding:
    newest = health.counts(connection, now).newest_report
    if newest is None:
        return Finding("clock", Health.SKIPPED, "no report to hold it against yet")
    if newest > now + AHEAD:
        words = f"says {now:%Y-%m-%d %H:%M} here, but the newest report came {newest:%Y-%m-%d %H:%M} UTC"
        return Finding("clock", Health.WRONG, words, "set the clock of this machine, or of the other servers")
    return Finding("clock", Health.OK, f"the newest report came {newest:%Y-%m-%d %H:%M} UTC")


def _jobs(connection: Connection, now: datetime) -> Finding:
    known = jobs.states(connection)
    if not known:
        return Finding("jobs", Health.UNKNOWN, "none ever ran", "start a server: envparity server run")
    told = []
    for one in known:
        is_held = one.held_until is not None and one.held_until > now
        if one.due_at < now - OVERDUE and not is_held:
            told.append(f"{one.name} is due since {one.due_at:%Y-%m-%d %H:%M} UTC")
        elif one.problem:
            told.append(f"{one.name} failed: {one.problem}")
    if told:
        return Finding("jobs", Health.WRONG, "; ".join(told), "look whether a server runs, and at its log")
    return Finding("jobs", Health.OK, f"{len(known)} run in time")


def _hosts(connection: Connection, now: datetime) -> Finding:
    counted = health.counts(connection, now).hosts
    told = ", ".join(f"{number} {state}" for state, number in counted.items() if number)
    if not told:
        return Finding("hosts", Health.SKIPPED, "none are enrolled yet")
    expected = sum(number for state, number in counted.items() if state not in hosts.GONE)
    if counted["stale"] > MUCH_STALE * expected:
        return Finding("hosts", Health.WRONG, told, "look at their agents, or envparity hosts retire HOST")
    return Finding("hosts", Health.OK, told)


def _skew(connection: Connection, now: datetime) -> Finding:
    skewed = health.counts(connection, now).skewed
    if skewed:
        words = f"{skewed} hosts have a clock that is off by more than {health.SKEWED // 60} minutes"
        return Finding("clocks of hosts", Health.WRONG, words, "have them ask a time server")
    return Finding("clocks of hosts", Health.OK, "are right")


def _backup(connection: Connection, now: datetime) -> Finding:
    last = health.counts(connection, now).last_backup
    if last is None:
        return Finding("backup", Health.WRONG, "there never was one", "envparity server backup FILE")
    words = f"the last one is {(now - last).days} days old"
    if now - last > OLD_BACKUP:
        return Finding("backup", Health.WRONG, words, "envparity server backup FILE")
    return Finding("backup", Health.OK, words)


def _deliveries(connection: Connection, now: datetime) -> Finding:
    count = checkup.given_up(connection, now - LOOKED_BACK)
    if count:
        words = f"{count} of the last {LOOKED_BACK.days} days were given up"
        return Finding("deliveries", Health.WRONG, words, "envparity server channel deliveries tells why")
    return Finding("deliveries", Health.OK, f"none of the last {LOOKED_BACK.days} days was given up")


_CHECKS: tuple[tuple[str, Callable[[Connection, datetime], Finding]], ...] = (
    ("integrity", _integrity),
    ("clock", _clock),
    ("jobs", _jobs),
    ("hosts", _hosts),
    ("clocks of hosts", _skew),
    ("deliveries", _deliveries),
    ("backup", _backup),
)
