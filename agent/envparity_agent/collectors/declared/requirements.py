"""What requirements and constraints files declare, those that they include as well, in pip's own grammar."""

from collections.abc import Iterator
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from packaging.utils import canonicalize_name
from pip_requirements_parser import InstallRequirement, RequirementsFile

from envparity_agent.collectors.declared.entries import MAX_HASHES, Entry, at, entry, section
from envparity_agent.collectors.declared.source import Source
from envparity_agent.collectors.redaction import url
from envparity_agent.fingerprint import Reason, Section, Value

MAX_FILES = 100
MAX_INCLUDED = 20  # files that include each other, one below the other


class _Included(NamedTuple):
    """One file of those that are read: how it was included, and whether as a constraint."""

    source: Source
    via: str
    constraint: bool
    depth: int


def read_requirements(source: Source) -> Section:
    """The packages of a requirements, constraints or freeze file and of all that it includes.

    A file that comes by a pipe includes nothing that could be found: the section is then `partial(unsupported)`.
    Where every requirement is pinned with a hash, pip installs nothing else: it is a lock. Raises UsageError where
    a line is no requirement, or an included file cannot be read.
    https://pip.pypa.io/en/stable/reference/requirements-file-format/
    """
    entries: list[Entry] = []
    limits: list[Entry] = []
    reasons: set[str] = set()
    waiting = [_Included(source, "", constraint=source.base.startswith("constraint"), depth=0)]
    seen: set[tuple[str, bool]] = set()
    while waiting:
        one = waiting.pop()
        place = (one.source.path, one.constraint)
        if one.source.path and place in seen:
            continue
        seen.add(place)
        if len(seen) > MAX_FILES:
            raise one.source.error(0, f"more than {MAX_FILES} files are included")
        parsed = _parsed(one.source, included=one.depth > 0)
        for requirement in parsed.requirements:
            found = _entry(requirement, one)
            (limits if one.constraint else entries).extend([found] if found.name else [])
            reasons.update(() if found.name else (Reason.UNSUPPORTED,))
        waiting += _includes(parsed, one, reasons)
    complete = bool(entries) and not reasons and all(_is_locked(one) for one in entries)
    return section(at(source), _limited(entries, limits), complete=complete, reasons=reasons)


def _parsed(source: Source, included: bool) -> RequirementsFile:
    text = source.text()
    with NamedTemporaryFile(suffix=".txt") as copy:  # the parser takes nothing but a file's name
        copy.write(text.encode())
        copy.flush()
        parsed = RequirementsFile.from_file(copy.name)
    if parsed.invalid_lines:
        first = parsed.invalid_lines[0]
        # of an included file nothing is shown: it may be one that is none, such as a process' environment
        shown = "" if included else f": {first.line.strip()[:80]!r}"
        raise source.error(
            first.line_number,
            f"not a requirement{shown}",
            "name a requirements file (pip freeze writes one) or a fingerprint (envparity show --json)",
        )
    return parsed


def _includes(parsed: RequirementsFile, one: _Included, reasons: set[str]) -> Iterator[_Included]:
    for option in parsed.options:
        line = option.requirement_line.line_number
        for word, flag in (("requirements", "-r"), ("constraints", "-c")):
            for path in option.options.get(word) or ():
                if "://" in path:
                    reasons.add(Reason.UNSUPPORTED)
                    continue
                if one.depth == MAX_INCLUDED:
                    raise one.source.error(line, f"more than {MAX_INCLUDED} files include each other")
                included = one.source.beside(path, line)
                if included is None:
                    reasons.add(Reason.UNSUPPORTED)
                else:
                    constraint = one.constraint or word == "constraints"
                    yield _Included(included, f"{flag} {path}", constraint, one.depth + 1)


def _entry(requirement: InstallRequirement, one: _Included) -> Entry:
    facts: dict[str, Value] = {"via": (one.via,) if one.via else ()}
    pinned = requirement.get_pinned_version
    if pinned and "*" not in pinned:
        facts["version"] = pinned
    else:
        facts["specifier"] = str(requirement.specifier or "")
    if requirement.marker:
        facts["marker"] = str(requirement.marker)
    if requirement.link:
        facts |= _place(requirement)
    facts["hashes"] = tuple(sorted(set(requirement.hash_options or ())))[:MAX_HASHES]
    return entry(requirement.name or "", requirement.requirement_line.line_number, **facts)


def _place(requirement: InstallRequirement) -> dict[str, Value]:
    """Where a direct requirement comes from, and the commit that it asks for."""
    asked = requirement.link.url_without_fragment
    if not requirement.is_vcs_url:
        return {"source": url(asked)}
    place, _, revision = asked.rpartition("@")
    if "/" in revision or "://" not in place:  # the @ of a user, or none
        place, revision = asked, ""
    return {"source": url(place), **commit(revision)}


def commit(revision: str) -> dict[str, Value]:
    """The full hash of a commit; a branch or a tag names none."""
    is_hash = len(revision) in (40, 64) and not set(revision.lower()) - set("0123456789abcdef")
    return {"commit": revision.lower()} if is_hash else {}


def _is_locked(one: Entry) -> bool:
    return bool(one.attributes.get("hashes") and one.attributes.get("version"))


def _limited(entries: list[Entry], limits: list[Entry]) -> Iterator[Entry]:
    """The requirements with what constraints say of them; a constraint alone asks for nothing."""
    asked = {one.name for one in entries}
    by_name: dict[str, list[Entry]] = {}
    for limit in limits:
        if limit.name in asked and not limit.attributes.get("marker"):
            by_name.setdefault(canonicalize_name(limit.name), []).append(limit)
        else:
            yield Entry(limit.name, {**limit.attributes, "optional": ("constraint",)})
    for one in entries:
        yield _narrowed(one, by_name.get(one.name, ()))


def _narrowed(one: Entry, limits: "list[Entry] | tuple[()]") -> Entry:
    facts = dict(one.attributes)
    for limit in limits:
        if facts.get("version") or facts.get("source"):
            break  # as narrow as can be
        if limit.attributes.get("version"):
            facts["version"] = limit.attributes["version"]
            facts.pop("specifier", None)
        else:
            both = (str(side) for side in (facts.get("specifier"), limit.attributes.get("specifier")) if side)
            facts["specifier"] = ",".join(both)
    return Entry(one.name, facts)
