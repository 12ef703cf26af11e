"""Runs collectors on one subject, isolates each failure, and makes the fingerprint."""

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from envparity_agent.collectors import COLLECTORS
from envparity_agent.collectors.interface import Collector, Subject
from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.fingerprint import (
    MAX_ITEMS,
    Attributes,
    Fingerprint,
    Reason,
    Section,
    Status,
    Target,
    clean,
    clean_attributes,
    clean_text,
)
from envparity_agent.root import Root

_log = logging.getLogger(__name__)


def survey(target: Target, subject: Subject, collectors: Iterable[Collector] = COLLECTORS) -> Fingerprint:
    """Fingerprint a subject; a collector that fails is a failed section and takes nothing else with it."""
    sections: dict[str, Section] = {}
    timings: dict[str, int] = {}
    for collector in collectors:
        started = time.monotonic()
        for found in _isolated(collector, subject):
            section = _within_contract(found)
            while section.path in sections:  # a name given by the operator may be another one's path
                section = replace(section, path=f"{section.path}#2")
            sections[section.path] = section
        timings[collector.path] = round((time.monotonic() - started) * 1000)
    return Fingerprint(
        target=Target(target.kind, clean_text(target.name)),
        taken_at=now(),
        sections=sections,
        identity=clean_attributes(identity(subject.root)),
        timings=timings,
    )


def now() -> str:
    """The present moment in UTC, as ISO 8601 to the second."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def _isolated(collector: Collector, subject: Subject) -> Iterable[Section]:
    found: list[Section] = []
    try:
        found.extend(collector.collect(subject))  # keeps what came before a failure
    except UsageError:
        raise  # the person asked for something that is not there
    except Unreadable as problem:
        found.append(_failed(collector, problem.reason))
    except Exception:  # noqa: BLE001  # whatever a hostile tree makes a collector do, the others' facts stand
        _log.exception("collector %s failed", collector.path)
        found.append(_failed(collector, Reason.ERROR))
    return found


def _failed(collector: Collector, reason: str) -> Section:
    return Section(collector.path, collector.kind, 1, status=Status.FAILED, reasons=(reason,))


def _within_contract(found: Section) -> Section:
    complete = len(found.items) <= MAX_ITEMS
    section = replace(
        found,
        path=clean_text(found.path),
        items=clean(sorted(found.items.items())[:MAX_ITEMS]),
        observed=clean_attributes(found.observed),
    )
    if complete:
        return section
    return replace(section, status=Status.PARTIAL, reasons=(*section.reasons, Reason.CAP))


def identity(root: Root) -> Attributes:
    """What is unique by nature: kept, never compared."""
    facts = {}
    for name, path in (("hostname", "etc/hostname"), ("machine_id", "etc/machine-id")):
        try:
            content = root.read_if_there(path, cap=4096)
        except Unreadable:
            continue  # a label only: the host's identity is the one it got at enrolment
        if content:
            facts[name] = content.decode("utf-8", "replace").strip()
    return facts
