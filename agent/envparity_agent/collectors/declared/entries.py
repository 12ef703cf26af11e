"""What a file declares of packages, as the items of one section: each named so that nothing hides another."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from packaging.utils import canonicalize_name

from envparity_agent.collectors.declared.source import Source
from envparity_agent.fingerprint import Attributes, Reason, Section, Status, Value
from envparity_agent.kinds import INTERPRETER_ITEM, LOCK_ITEM

MAX_HASHES = 200  # of one package: each wheel of it has one


class Entry(NamedTuple):
    """One declaration: the normalised name, and what is said of it."""

    name: str
    attributes: dict[str, Value]


def entry(name: str, line: int, **facts: Value) -> Entry:
    """A declaration of a Python distribution; facts that are empty are left out."""
    return Entry(canonicalize_name(name), {"line": line or None, **facts})


def section(
    path: str,
    entries: Iterable[Entry],
    *,
    complete: bool = False,
    python: str = "",
    reasons: Iterable[str] = (),
) -> Section:
    """The section of these declarations.

    `complete` says that nothing else is to be installed, `python` is the range of interpreters. Of several
    declarations of one name each is named after what tells it from the others: its marker, else its version.
    """
    groups: dict[str, list[dict[str, Value]]] = {}
    for name, facts in entries:
        kept: dict[str, Value] = {key: value for key, value in facts.items() if value not in (None, "", ())}
        if not {"version", "source", "commit"} & kept.keys():
            kept["specifier"] = facts.get("specifier") or ""
        groups.setdefault(name, []).append(kept)
    items: dict[str, Attributes] = {}
    for name, group in groups.items():
        items.update(_named(name, group))
    if complete:
        items[LOCK_ITEM] = {"complete": True}
    if python:
        items[INTERPRETER_ITEM] = {"specifier": python}
    why = tuple(sorted(set(reasons)))
    return Section(path, "declared", 2, items, Status.PARTIAL if why else Status.OK, why)


def _named(name: str, group: Sequence[dict[str, Value]]) -> dict[str, Attributes]:
    distinct: dict[str, dict[str, Value]] = {}
    for facts in group:
        told = str(sorted((key, str(value)) for key, value in facts.items() if key not in ("line", "via")))
        distinct.setdefault(told, facts)
    if len(distinct) == 1:
        return {name: next(iter(distinct.values()))}
    named: dict[str, Attributes] = {}
    for _, facts in sorted(distinct.items()):
        label = next((facts[key] for key in ("marker", "version", "specifier", "source") if facts.get(key)), "")
        key = base = f"{name}#{label}"
        number = 2
        while key in named:
            key, number = f"{base}#{number}", number + 1
        named[key] = facts
    return named


def at(source: Source) -> str:
    """The path of the section of what a file declares of Python distributions."""
    return f"python/{source.base}"


def unread(parts: Iterable[object]) -> tuple[str, ...]:
    """The reasons of a section of which these parts could not be followed."""
    return (Reason.UNSUPPORTED,) if any(parts) else ()
