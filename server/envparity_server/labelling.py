"""Labels what hosts and jobs ran as failed or passed, and asks what separates the ones from the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from envparity_agent.documents import examined
from envparity_agent.errors import CannotTell, InvalidDocument, UsageError
from envparity_agent.fingerprint import Fingerprint, Target
from envparity_server.compare.selectors import ALL, Selector, parse_selector
from envparity_server.explain.outcomes import Run
from envparity_server.selection import chosen, covers
from envparity_server.storage import audit, content, history, hosts, outcomes
from envparity_server.storage.actors import Actor
from envparity_server.storage.content import StoredFingerprint
from envparity_server.storage.history import Tree
from envparity_server.storage.hosts import Host
from envparity_server.storage.outcomes import Told

JOBS = "ci"  # the environment of jobs that name none
_MOST_RUNS = 2000  # the newest ones of a check


@dataclass(frozen=True)
class Job:
    """One run of a job of a pipeline, and the environment that its outcomes belong to; empty for the usual one."""

    name: str
    run: str
    environment: str = ""

    @property
    def subject(self) -> str:
        """What outcomes call it."""
        return f"{self.name}/{self.run}"


def label_hosts(
    connection: Connection, actor: Actor, of: str, failed: Mapping[str, bool], now: datetime
) -> tuple[list[str], list[str]]:
    """Label what the hosts of a selector run, or ran at its moment: check -> whether it failed.

    Returns the names of the hosts, and what must be said. Raises UsageError, CannotTell where none had reported.
    """
    selector = _hosts(of, now)
    content.hold(connection)
    found = chosen(connection, selector, actor.environments)
    trees = history.at(connection, [one.id for one in found], selector.moment)
    labelled = [one for one in found if one.id in trees]
    if not labelled:
        raise CannotTell(f"{of}: no host of it had reported by then", "look at them: envparity hosts")
    _keep_roots(connection, [trees[one.id] for one in labelled], now)
    at = selector.moment or now
    outcomes.put(connection, [
        Told(check, one.id, trees[one.id].interval.root, one.id, one.environment, has_failed, at, actor.name)
        for one in labelled for check, has_failed in failed.items()
    ])  # fmt: skip
    for environment in sorted({one.environment for one in labelled}):
        _audit(connection, actor, of, environment, failed, now)
    silent = [one.name for one in labelled if selector.moment is None and one.is_stale(now)]
    notes = [f"{name} is stale: it was labelled with what it last reported" for name in silent]
    return [one.name for one in labelled], notes + [
        f"{one.name} has not reported" for one in found if one.id not in trees
    ]


def label_job(
    connection: Connection, actor: Actor, job: Job, ran: Fingerprint, failed: Mapping[str, bool], now: datetime
) -> None:
    """Label a run of a job that no agent reports, with the fingerprint that was taken there; its content is kept."""
    if not ran.sections or any("\0" in text for text in ran.sections):
        raise InvalidDocument("the fingerprint has no section, or a NUL character in a name")
    environment = job.environment or (JOBS if actor.sees(JOBS) else min(actor.environments or ()))
    if not actor.sees(environment):
        yours = ", ".join(sorted(actor.environments or ()))
        raise UsageError(f"you may not label runs of {environment}", f"your environments: {yours}")
    content.hold(connection)
    content.store(connection, ((examined(body).kind, body) for body in ran.objects().values()), now)
    outcomes.put(connection, [
        Told(check, job.subject, ran.root, None, environment, has_failed, now, actor.name)
        for check, has_failed in failed.items()
    ])  # fmt: skip
    _audit(connection, actor, job.subject, environment, failed, now)


def _hosts(text: str, now: datetime) -> Selector:
    selector = parse_selector(text, now)
    if selector.kind == "baseline" or selector.section:
        raise UsageError(f"{text!r} does not name hosts", "env:prod,role=web or host:web-1, with @MOMENT")
    if selector.moment and selector.moment > now:
        raise UsageError(f"{text!r} is of a moment to come", "label what a host runs or ran")
    return selector


def _keep_roots(connection: Connection, ran: Sequence[Tree], now: datetime) -> None:
    """See that the roots of trees are stored: of what a host ran before, only the sections may be left."""
    lacking = set(content.missing(connection, [one.interval.root for one in ran]))
    gone = {one.interval.root: one.sections for one in ran if one.interval.root in lacking}
    for sections in content.stored(connection, gone).values():
        whole = content.detached(Target("host", ""), "", sections)
        objects = [(examined(body).kind, body) for body in whole.objects().values()]
        content.store(connection, [one for one in objects if one[0] == "root"], now)


def _audit(
    connection: Connection, actor: Actor, of: str, environment: str, failed: Mapping[str, bool], now: datetime
) -> None:
    detail = {"failed": sum(failed.values()), "passed": len(failed) - sum(failed.values()), "first": min(failed)}
    audit.write(connection, actor, "outcome.tell", of, now, environment, **detail)


def labelled_runs(connection: Connection, actor: Actor, check: str, of: str, now: datetime) -> list[Run]:
    """The runs of a check that have a label, and fresh hosts beside them that have none as they are now.

    `of` narrows it down to hosts of a selector, until its moment; empty for all that the actor sees.
    Raises UsageError for a check that nobody told an outcome of.
    """
    selector = _hosts(of, now) if of else None
    until = selector.moment if selector else None
    told = outcomes.listed(connection, actor.environments, check, until, _MOST_RUNS)
    if not told:
        raise UsageError(f"nobody told an outcome of {check}", "see what was told: envparity outcome list")
    every = {one.id: one for one in hosts.all_hosts(connection, actor.environments, retired=True)}
    told = [one for one in told if selector is None or _is_of(selector, one, every)]
    environments = {one.environment for one in told}
    beside = [
        one for one in every.values()
        if one.state(now) == "fresh" and until is None
        and (covers(selector, one) if selector else one.environment in environments)
    ]  # fmt: skip
    return _runs(connection, told, beside, every)


def _is_of(selector: Selector, told: Told, every: Mapping[str, Host]) -> bool:
    host = every.get(told.host_id or "")
    if host is not None:
        return covers(selector, host)
    return selector.kind == "env" and selector.name in (ALL, told.environment) and not selector.labels


def _runs(connection: Connection, told: Sequence[Told], beside: Sequence[Host], every: Mapping[str, Host]) -> list[Run]:
    known = {(one.subject, one.root) for one in told}
    unlabelled = [one for one in beside if one.root and (one.id, one.root) not in known]
    trees = content.trees(connection, {*(one.root for one in told), *(one.root for one in unlabelled if one.root)})
    stored = content.stored(connection, trees)
    content.open_differing(stored.values(), whole=False)

    def run(name: str, failed: bool | None, root: str, at: str) -> Run:
        return Run(name, failed, StoredFingerprint(Target("host", name), at, stored[root]))

    names = {id: one.name for id, one in every.items()}
    found = [run(names.get(one.subject, one.subject), one.failed, one.root, one.at.isoformat()) for one in told]
    return found + [run(one.name, None, one.root, one.taken_at or "") for one in unlabelled if one.root]
