"""Runs of gates: each is kept with its whole report, until it is too old; an operator may accept what one found.

What a run tells is of the environments that its reference is of: who does not see them all does not see the run.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, or_, select, true, tuple_, update

from envparity_agent.canonical import canonical, digest
from envparity_agent.errors import UsageError
from envparity_server.gating.model import Report, Standing, Verdict, read_report
from envparity_server.storage import audit
from envparity_server.storage.actors import Actor, Environments
from envparity_server.storage.tables import gate_run, gate_run_environment

MOST = 500  # characters of each thing that a pipeline tells: PostgreSQL's indexes hold rows of 2,704 bytes
_MOST_LINK = 2000


@dataclass(frozen=True)
class Origin:
    """Where a run comes from, as the pipeline tells it; empty: not told. Raises UsageError for what cannot be."""

    repository: str = ""
    ref: str = ""
    commit: str = ""
    link: str = ""  # http or https

    def __post_init__(self) -> None:
        for name in ("repository", "ref", "commit"):
            _check_text(name, getattr(self, name), MOST)
        _check_text("link", self.link, _MOST_LINK)
        if self.link and not is_web(self.link):
            raise UsageError("origin.link is no address of the web", "it begins with http:// or https:// and a host")


@dataclass(frozen=True)
class Key:
    """Runs with one key follow each other."""

    repository: str
    against: str
    scope: str  # `only=python,os`, `app=shop`, or empty
    subject: str  # `image shop`: kind and name of the subject's target


@dataclass(frozen=True)
class Run:
    """One run without its report."""

    id: int
    repository: str
    ref: str
    commit: str
    link: str
    against: str
    scope: str
    subject: str
    verdict: Verdict
    threshold: str
    summary: str
    counts: Mapping[str, int]  # standing -> how many findings
    told_by: str
    at: datetime
    accepted_by: str | None
    accepted_at: datetime | None
    reason: str | None

    @property
    def name(self) -> str:
        """How it is called."""
        return f"run {self.id}"

    def count(self, standing: Standing) -> int:
        """How many findings stand so."""
        return self.counts.get(standing, 0)


@dataclass(frozen=True)
class Wanted:
    """Which runs a list is of; empty: any."""

    repository: str = ""
    ref: str = ""
    verdict: Verdict | None = None


_COLUMNS = [gate_run.c[one.name] for one in fields(Run)]
_NEWEST = gate_run.c.at.desc(), gate_run.c.id.desc()


def is_web(link: str) -> bool:
    """Whether a page may lead there: an address of http or https, no script, and nobody's password in it."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def record(
    connection: Connection, key: Key, origin: Origin, report: Report, told_by: str, environments: tuple[str, ...],
    at: datetime,
) -> str:  # fmt: skip
    """Keep a run; returns its id."""
    told = {one.name: _storable(getattr(key, one.name)) for one in fields(Key)}
    counts = {str(standing): len(report.standing(standing)) for standing in Standing}
    values = {
        **told,
        "key": _hash(key),
        "ref": origin.ref,
        "commit": origin.commit,
        "link": origin.link,
        "verdict": report.verdict,
        "threshold": report.threshold,
        "summary": _storable(report.summary),
        "counts": counts,
        "told_by": told_by,
        "at": at,
        "report": _packed(report),
    }
    id = connection.execute(insert(gate_run).values(**values).returning(gate_run.c.id)).scalar_one()
    if environments:
        rows = [{"run": id, "environment": name} for name in sorted(set(environments))]
        connection.execute(insert(gate_run_environment), rows)
    return str(id)


def accepted(connection: Connection, key: Key) -> tuple[str, Mapping[str, str]] | None:
    """How the last accepted run of a key is called, and what was accepted, id -> content; None where there is none.

    A run in parity is accepted as it stands, one with drift by an operator.
    """
    found = select(gate_run.c.id, gate_run.c.report).where(gate_run.c.key == _hash(key), is_accepted(gate_run.c))
    row = connection.execute(found.order_by(*_NEWEST).limit(1)).one_or_none()
    if row is None:
        return None
    return f"run {row.id}", _unpacked(row.report).acceptable


def is_accepted(columns: Any) -> ColumnElement[bool]:
    """The condition on a run's columns: in parity, or accepted by an operator."""
    return or_(columns.verdict == Verdict.PARITY, columns.accepted_at.is_not(None))


def is_spent() -> ColumnElement[bool]:
    """The condition for what may be pruned with age: all but the last accepted run of each key."""
    newer = gate_run.alias()
    order = tuple_(newer.c.at, newer.c.id) > tuple_(gate_run.c.at, gate_run.c.id)
    replaced = exists().where(newer.c.key == gate_run.c.key, is_accepted(newer.c), order)
    return or_(~is_accepted(gate_run.c), replaced)


def listed(
    connection: Connection, wanted: Wanted, seen: Environments, limit: int = 200, offset: int = 0
) -> tuple[list[Run], int]:
    """The newest runs of the environments that somebody sees, without their reports; and how many there are in all."""
    which = and_(true(), *_of(wanted), *_seen(seen))
    total = connection.scalar(select(func.count()).select_from(gate_run).where(which)) or 0
    rows = connection.execute(select(*_COLUMNS).where(which).order_by(*_NEWEST).limit(limit).offset(offset))
    return [_run(row) for row in rows], total


def counted(connection: Connection, wanted: Wanted, seen: Environments) -> dict[Verdict, int]:
    """How many of some runs ended in which verdict, whatever verdict is wanted."""
    which = and_(true(), *_of(replace(wanted, verdict=None)), *_seen(seen))
    rows = connection.execute(select(gate_run.c.verdict, func.count()).where(which).group_by(gate_run.c.verdict))
    found = {Verdict(verdict): count for verdict, count in rows}
    return {verdict: found.get(verdict, 0) for verdict in Verdict}


def repositories(connection: Connection, seen: Environments, limit: int = 500) -> list[str]:
    """The repositories that runs come from."""
    told = select(gate_run.c.repository).where(gate_run.c.repository != "", *_seen(seen)).distinct()
    return list(connection.scalars(told.order_by(gate_run.c.repository).limit(limit)))


def by_id(connection: Connection, id: int, seen: Environments) -> tuple[Run, Report] | None:
    """One run with its report; None where somebody who sees these environments does not see it."""
    query = select(*_COLUMNS, gate_run.c.report).where(gate_run.c.id == id, *_seen(seen))
    row = connection.execute(query).one_or_none()
    return None if row is None else (_run(row), _unpacked(row.report))


def newest(connection: Connection, repository: str, ref: str, against: str, seen: Environments) -> Run | None:
    """The newest run of a repository's ref against a reference."""
    same = gate_run.c.repository == repository, gate_run.c.ref == ref, gate_run.c.against == against
    query = select(*_COLUMNS).where(*same, *_seen(seen)).order_by(*_NEWEST).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _run(row)


def environments_of(connection: Connection, id: int) -> frozenset[str]:
    """The environments that a run tells about; empty: of none, or of one that nobody could name."""
    of = select(gate_run_environment.c.environment).where(gate_run_environment.c.run == id)
    return frozenset(connection.scalars(of))


def accept(connection: Connection, id: int, by: Actor, reason: str, at: datetime) -> bool:
    """Accept what a run with drift found, audited; false where it has none, or somebody accepted it before."""
    open = gate_run.c.id == id, gate_run.c.verdict == Verdict.DRIFT, gate_run.c.accepted_at.is_(None)
    values = {"accepted_by": by.name, "accepted_at": at, "reason": reason}
    if connection.execute(update(gate_run).where(*open).values(**values)).rowcount == 0:
        return False
    environments = environments_of(connection, id)
    environment = next(iter(environments)) if len(environments) == 1 else None
    audit.write(connection, by, "gate.accept", str(id), at, environment, reason=reason)
    return True


def _of(wanted: Wanted) -> list[ColumnElement[bool]]:
    return [
        *([gate_run.c.repository == wanted.repository] if wanted.repository else []),
        *([gate_run.c.ref == wanted.ref] if wanted.ref else []),
        *([gate_run.c.verdict == wanted.verdict] if wanted.verdict else []),
    ]


def _seen(seen: Environments) -> list[ColumnElement[bool]]:
    """Only runs that tell about environments, all of which somebody sees."""
    if seen is None:
        return []
    own, names = gate_run_environment.c.run == gate_run.c.id, sorted(seen)
    environment = gate_run_environment.c.environment
    return [exists().where(own, environment.in_(names)), ~exists().where(own, environment.not_in(names))]


def _run(row: Row[*tuple[Any, ...]]) -> Run:
    values = {one.name: row._mapping[one.name] for one in fields(Run)}
    return Run(**{**values, "verdict": Verdict(values["verdict"])})


def _hash(key: Key) -> str:
    return digest(canonical(list(astuple(key))))


def _packed(report: Report) -> bytes:
    return zlib.compress(json.dumps(report.document()).encode())


def _unpacked(stored: bytes) -> Report:
    return read_report(json.loads(zlib.decompress(stored)))


def _storable(text: str) -> str:
    return text.replace("\0", "�")  # names come from outside, and PostgreSQL takes no NUL


def _check_text(name: str, value: str, most: int) -> None:
    if len(value) > most:
        raise UsageError(f"origin.{name} is over {most} characters", "shorten it, or leave it out")
    if not value.isprintable():
        raise UsageError(f"origin.{name} has a control character", "give it as the pipeline shows it")
