"""Finds the fingerprint that a selector stands for: a host's, or what most hosts of an environment agree on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.fingerprint import FingerprintLike, SectionLike, Target
from envparity_server.compare.differences import compare
from envparity_server.compare.model import Comparison
from envparity_server.compare.scope import EVERYTHING, Scope
from envparity_server.compare.selectors import Selector, parse_selector
from envparity_server.drift.majority import majority
from envparity_server.drift.rules import applied
from envparity_server.drift.severity import rate
from envparity_server.storage import content, history, hosts, rules
from envparity_server.storage.actors import Environments
from envparity_server.storage.content import StoredFingerprint
from envparity_server.storage.history import Tree
from envparity_server.storage.hosts import STALE_AFTER, Host

_MOST_NAMES = 3


@dataclass(frozen=True)
class Reference:
    """A fingerprint, what a person should know beside it, and why a gate cannot rely on it, if so."""

    fingerprint: FingerprintLike
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def compare_selectors(
    connection: Connection,
    left: str,
    right: str,
    now: datetime,
    scope: Scope = EVERYTHING,
    environments: Environments = None,
) -> tuple[Comparison, tuple[str, ...]]:
    """The rated comparison of two selectors under the server's rules, and what must be said beside it."""
    one, other = (resolve(connection, text, now, environments) for text in (left, right))
    comparison = rate(compare(one.fingerprint, other.fingerprint, scope))
    subjects = rules.subjects(connection, (left, right), now, environments)
    return applied(comparison, rules.all_rules(connection), subjects, now), (*one.notes, *other.notes)


def resolve(connection: Connection, text: str, now: datetime, environments: Environments = None) -> Reference:
    """What a selector stands for now, for somebody who may see these environments.

    Raises UsageError for a text that is no selector or an unknown host, CannotTell where nothing was ever reported.
    """
    selector = parse_selector(text, now)
    choose = _host if selector.kind == "host" else _environment
    chosen = choose(connection, selector, environments)
    moment = selector.moment or now
    trees = history.at(connection, [one.id for one in chosen], selector.moment)
    silent = [one.name for one in chosen if one.id not in trees]
    if not trees:
        names = ", ".join(silent)
        if selector.moment:
            raise CannotTell(f"{selector.text}: no report of {names} at or before that moment", "take a later one")
        raise CannotTell(f"{selector.text}: no report yet from {names}", "look at that host: envparity agent status")
    reported = [one for one in chosen if one.id in trees]
    stale = [one for one in reported if _was_stale(one, trees[one.id], moment)]
    voting = _voting(reported, stale)
    target = Target("host", reported[0].name) if selector.kind == "host" else Target("environment", selector.text)
    found = _fingerprint(connection, target, voting, trees)
    told = (
        *_few(f"{selector.text}: {len(stale)} of {len(chosen)} stale", [_last_seen(one) for one in stale]),
        *_few(f"{selector.text}: {len(silent)} of {len(chosen)} never reported", silent),
    )
    doubts = told if len(stale) == len(reported) else ()
    return Reference(_part(found, selector), told, doubts)


def _voting(reported: Sequence[Host], stale: Sequence[Host]) -> Sequence[Host]:
    """Fresh hosts that last; where there is none, what there is."""
    fresh = [one for one in reported if one not in stale] or reported
    return [one for one in fresh if not one.ephemeral] or fresh


def _host(connection: Connection, selector: Selector, environments: Environments) -> Sequence[Host]:
    found = hosts.named(connection, selector.name, environments)
    if not found:
        known = ", ".join(one.name for one in hosts.all_hosts(connection, environments)[:10]) or "none"
        raise UsageError(f"no host {selector.name}", f"known hosts: {known}")
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise UsageError(f"several hosts are called {selector.name}", f"name one by its id: {ids}")
    return found


def _environment(connection: Connection, selector: Selector, environments: Environments) -> Sequence[Host]:
    seen = environments is None or selector.name in environments
    found = hosts.in_environment(connection, selector.name, selector.labels, selector.moment) if seen else []
    if not found:
        known = ", ".join(f"env:{one}" for one in hosts.environments(connection, environments)) or "none"
        raise CannotTell(f"{selector.text}: never seen, no host is in it", f"known environments: {known}")
    return found


def _was_stale(host: Host, tree: Tree, moment: datetime) -> bool:
    return moment - _confirmed(host, tree, moment) > timedelta(seconds=STALE_AFTER * host.interval)


def _confirmed(host: Host, tree: Tree, moment: datetime) -> datetime:
    """The last report at or before a moment that had it."""
    return min(tree.interval.last_seen or host.seen_at or moment, moment)


def _few(what: str, hosts: Sequence[str]) -> tuple[str, ...]:
    """A sentence about some hosts that names the first of them; none where there is none."""
    if not hosts:
        return ()
    more = len(hosts) - _MOST_NAMES
    return (f"{what}: {', '.join(hosts[:_MOST_NAMES])}" + (f" and {more} more" if more > 0 else ""),)


def _last_seen(host: Host) -> str:
    return f"{host.name} (last seen {host.seen_at:%Y-%m-%d %H:%M} UTC, due every {host.interval} s)"


def _fingerprint(
    connection: Connection, target: Target, voting: Sequence[Host], trees: Mapping[str, Tree]
) -> FingerprintLike:
    stored = content.stored(connection, {one.id: trees[one.id].sections for one in voting})
    votes = [StoredFingerprint(target, _taken_at(one, trees[one.id]), stored[one.id]) for one in voting]
    return majority(target, max(vote.taken_at for vote in votes), votes)


def _taken_at(host: Host, tree: Tree) -> str:
    """When the agent says that it was taken; of an earlier one, when a report last had it."""
    last_seen = tree.interval.last_seen
    return last_seen.isoformat() if last_seen else host.taken_at or tree.interval.first_seen.isoformat()


def _part(found: FingerprintLike, selector: Selector) -> FingerprintLike:
    """The part of a fingerprint that a selector names by `#SECTION`: a target of its own."""
    if not selector.section:
        return found
    path = selector.section.rstrip("/")
    sections = {
        name: section for name, section in found.sections.items() if name == path or name.startswith(f"{path}/")
    }
    if not sections:
        near = [name for name in found.sections if name.startswith(path.split("/")[0])][:8]
        raise UsageError(f"{selector.text}: no section {path}", f"sections: {', '.join(near) or 'none of this kind'}")
    kind = sections[path].kind if path in sections else "part"
    return _Part(Target(kind, selector.text), found.taken_at, sections)


@dataclass(frozen=True)
class _Part:
    """A fingerprint of some sections of another one."""

    target: Target
    taken_at: str
    sections: Mapping[str, SectionLike]
