"""Decides about baselines: pins what a selector or a document says, and what each host runs now; all of it audited."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from envparity_agent.documents import examined
from envparity_agent.errors import CannotTell, EnvparityError, InvalidDocument, UsageError
from envparity_agent.fingerprint import Fingerprint
from envparity_server.compare.selectors import Selector, parse_selector
from envparity_server.references import resolve
from envparity_server.selection import chosen, environment_of
from envparity_server.storage import audit, baselines, content
from envparity_server.storage.actors import Actor
from envparity_server.storage.baselines import Baseline, Pinned


class Elsewhere(EnvparityError):
    """The name is taken by a baseline that is for other hosts, or that somebody else decides about."""


@dataclass(frozen=True)
class Proposal:
    """What somebody wants hosts to be held against."""

    name: str
    source: str  # a selector; of a document the name of what it was taken of
    applies_to: str  # a selector without moment and section; empty: whom the source names, or as before
    reason: str


def pin(
    connection: Connection, actor: Actor, proposal: Proposal, fingerprint: Fingerprint | None, now: datetime
) -> int:
    """Propose a version of a baseline, the first one with the baseline itself; returns its number.

    1. What it pins is found: the fingerprint that was sent, or what the source stands for; its objects are stored.
    2. The version counts up. It is no reference before somebody approves it.
    Raises Elsewhere, UsageError for a wrong selector, CannotTell for a source that was never reported.
    """
    content.hold(connection)
    found, source = (fingerprint, proposal.source) if fingerprint else _found(connection, actor, proposal.source, now)
    _check(found)
    applies_to, environment = _whom(connection, actor, proposal, now, is_selector=fingerprint is None)
    content.hold(connection)
    content.store(connection, ((examined(body).kind, body) for body in found.objects().values()), now)
    pinned = Pinned(source, found.target.kind, found.taken_at, proposal.reason)
    sections = {path: section.hash for path, section in found.sections.items()}
    number = baselines.propose(connection, proposal.name, applies_to, environment, pinned, sections, actor.name, now)
    _audit(connection, actor, "baseline.pin", proposal.name, environment, now, number, source=source,
           applies_to=applies_to, reason=proposal.reason)  # fmt: skip
    return number


def _found(connection: Connection, actor: Actor, source: str, now: datetime) -> tuple[Fingerprint, str]:
    """What a selector stands for, every page opened, and the selector with the moment that it was asked at."""
    selector = parse_selector(source, now)
    one = resolve(connection, source, now, actor.environments).fingerprint
    if selector.kind != "baseline":
        moment = (selector.moment or now).isoformat(timespec="seconds")
        source = f"{selector.whom}@{moment}" + (f"#{selector.section}" if selector.section else "")
    return content.detached(one.target, one.taken_at, one.sections), source


def _check(found: Fingerprint) -> None:
    if not found.sections:
        raise UsageError("there is nothing to pin: the fingerprint has no section", "pin another host or file")
    if any("\0" in text for text in (found.target.kind, found.taken_at, *found.sections)):
        raise InvalidDocument("the fingerprint has a NUL character in a name")  # PostgreSQL stores none


def _whom(
    connection: Connection, actor: Actor, proposal: Proposal, now: datetime, is_selector: bool
) -> tuple[str, str]:
    """Whom a baseline is for, and the environment of these; what it was before cannot be changed by a proposal."""
    before = _before(connection, actor, proposal.name)
    if before and proposal.applies_to in ("", before.applies_to):
        return before.applies_to, before.environment
    if before:
        raise Elsewhere(f"baseline {before.name} is for {before.applies_to}", "choose another name, or remove it first")
    if not proposal.applies_to and not is_selector:
        raise UsageError("nothing says which hosts the baseline is for", "say it: --for env:prod,role=web")
    selector = _hosts(proposal.applies_to or parse_selector(proposal.source, now).whom, now)
    environment = environment_of(connection, selector, actor.environments) or ""
    if not actor.sees(environment):
        raise UsageError(
            f"{selector.text} goes beyond the environments that you may change",
            f"yours: {', '.join(f'env:{one}' for one in sorted(actor.environments or ()))}",
        )
    return selector.text, environment


def _before(connection: Connection, actor: Actor, name: str) -> Baseline | None:
    """The baseline of a name, for one who may change it; raises Elsewhere where it is somebody else's."""
    taken = {one.name: one for one in baselines.every(connection)}.get(name)
    if taken and not actor.sees(taken.environment):
        raise Elsewhere(f"the name {name} is taken", "choose another one")
    return taken


def _hosts(text: str, now: datetime) -> Selector:
    """A selector that names hosts, without moment and section; raises UsageError."""
    selector = parse_selector(text, now)
    if selector.kind == "baseline" or selector.moment or selector.section:
        raise UsageError(
            f"{text!r} does not say which hosts a baseline is for", "name hosts only: env:prod,role=web or host:web-1"
        )
    return selector


def pin_today(connection: Connection, actor: Actor, name: str, of: str, reason: str, now: datetime) -> tuple[int, int]:
    """Pin each host of a selector to what it runs now, and approve it; returns the version and how many hosts.

    A host that joins later is not in it. Ephemeral hosts and those that never reported are left out.
    Raises Elsewhere, UsageError, CannotTell where no host is left.
    """
    selector = _hosts(of, now)
    content.hold(connection)
    present = [
        one.id for one in chosen(connection, selector, actor.environments)
        if one.root and not one.ephemeral and not one.retired_at
    ]  # fmt: skip
    if not present:
        raise CannotTell(f"{of}: no host of it that lasts has reported yet", "look at them: envparity hosts")
    proposal = Proposal(name, of, of, reason)
    applies_to, environment = _whom(connection, actor, proposal, now, is_selector=True)
    pinned = Pinned(f"{of}@{now.isoformat(timespec='seconds')}", baselines.EACH_HOST, now.isoformat(), reason)
    number = baselines.pin_each(connection, name, applies_to, environment, pinned, present, actor.name, now)
    baselines.approve(connection, name, number, actor.name, now)
    _audit(connection, actor, "baseline.today", name, environment, now, number, of=of, hosts=len(present),
           reason=reason)  # fmt: skip
    return number, len(present)


def approve(connection: Connection, actor: Actor, name: str, number: int, now: datetime) -> bool:
    """Make the newest version the reference; False where it is not, or somebody decided about it already."""
    one = baselines.named(connection, name, actor.environments)
    if not baselines.approve(connection, name, number, actor.name, now):
        return False
    _audit(connection, actor, "baseline.approve", name, one.environment, now, number)
    return True


def withdraw(connection: Connection, actor: Actor, name: str, number: int, reason: str, now: datetime) -> bool:
    """Take back a proposal or the reference; False where the version is neither, or no longer."""
    one = baselines.named(connection, name, actor.environments)
    if not baselines.withdraw(connection, name, number, actor.name, now):
        return False
    _audit(connection, actor, "baseline.withdraw", name, one.environment, now, number, reason=reason)
    return True


def remove(connection: Connection, actor: Actor, name: str, newest: int, now: datetime) -> bool:
    """Remove a baseline with all its versions; False where a newer version was proposed meanwhile."""
    one = baselines.named(connection, name, actor.environments)
    if not baselines.remove(connection, name, newest):
        return False
    _audit(connection, actor, "baseline.remove", name, one.environment, now, newest, applies_to=one.applies_to)
    return True


def _audit(
    connection: Connection, actor: Actor, action: str, name: str, environment: str, now: datetime, version: int,
    **detail: object,
) -> None:  # fmt: skip
    audit.write(connection, actor, action, name, now, environment or None, version=version, **detail)
