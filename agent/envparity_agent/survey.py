"""Runs collectors on one subject and makes the fingerprint."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from envparity_agent.canonical import canonical
from envparity_agent.collectors import COLLECTORS
from envparity_agent.collectors.interface import Collector, Subject, isolated
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import (
    MAX_ITEMS,
    Attributes,
    Fingerprint,
    Items,
    Reason,
    Section,
    Status,
    Target,
    clean,
    clean_attributes,
    clean_text,
    now,
)
from envparity_agent.root import Root

MAX_ITEM_BYTES = 256 * 1024
MAX_SECTION_BYTES = 12 * 1024 * 1024  # a server takes 16 MiB at once, and all items may be in one page


def survey(target: Target, subject: Subject, collectors: Iterable[Collector] = COLLECTORS) -> Fingerprint:
    """Fingerprint a subject; a collector that fails is a failed section and takes nothing else with it."""
    subject.memory.begin()
    sections: dict[str, Section] = {}
    timings: dict[str, int] = {}
    for collector in collectors:
        started = time.monotonic()
        for found in isolated(collector, subject):
            section = within_contract(replace(found, path=subject.prefix + found.path))
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


def within_contract(found: Section) -> Section:
    """The section within the bounds of what a server takes; `partial(cap)` where something was left out."""
    items = clean(sorted(found.items.items())[:MAX_ITEMS])
    kept = dict(_within_bytes(items))
    section = replace(found, path=clean_text(found.path), items=kept, observed=clean_attributes(found.observed))
    if len(found.items) <= MAX_ITEMS and kept == items:
        return section
    return replace(section, status=Status.PARTIAL, reasons=tuple(sorted({*section.reasons, Reason.CAP})))


def _within_bytes(items: Items) -> Iterator[tuple[str, Attributes]]:
    """The items, too large ones without their long lists, as many as one request may hold together."""
    sizes = [at_most(body) + len(name) for name, body in items.items()]
    if max(sizes, default=0) <= MAX_ITEM_BYTES and sum(sizes) <= MAX_SECTION_BYTES:
        yield from items.items()  # as nearly always: nothing has to be written out to be measured
        return
    total = 0
    for name, body in items.items():
        size = len(canonical(body))
        if size > MAX_ITEM_BYTES:
            body = {key: value for key, value in body.items() if not isinstance(value, tuple)}
            size = len(canonical(body))
        total += size + len(name)
        if total > MAX_SECTION_BYTES:
            return
        yield name, body


def at_most(body: Attributes) -> int:
    """How many bytes an item has at most: JSON writes a control character as six, and any other as fewer."""
    texts = (text for value in body.values() for text in (value if isinstance(value, tuple) else (str(value),)))
    return 2 + sum(6 * len(text) + 3 for text in texts) + sum(6 * len(name) + 6 for name in body)


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
