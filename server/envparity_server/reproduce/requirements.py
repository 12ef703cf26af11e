"""Writes what an environment has as a requirements file that pip installs without resolving anything."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from envparity_agent.fingerprint import SPLIT, Attributes, as_texts
from envparity_agent.kinds import LOCK_ITEM
from envparity_server.reproduce.model import ARCHIVES_ITEM, Gap
from envparity_server.reproduce.quoting import is_quotable, one_line

_HASH = re.compile(r"(sha256|sha384|sha512):([0-9a-f]{64,128})")  # the algorithms that pip takes
_ADDRESS = re.compile(r"(?:git\+)?(?:https?|ssh|git)://[^\s…]+")
_BUILT_HERE = re.compile(r"-linux_[a-z0-9_]+")  # tag of a wheel that no index takes: built where it was installed
_UNREADABLE = "is no requirement that pip could read"
_KNOWN_AS_IT_IS = "/:@+%=&?~!,;()[]-._"


@dataclass(frozen=True)
class Line:
    """One requirement: how pip reads it, and the hashes of the archives that fit."""

    name: str
    text: str
    marker: str = ""
    hashes: tuple[str, ...] = ()
    address: str = ""  # of a direct requirement
    commit: str = ""


@dataclass(frozen=True)
class Requirements:
    """What an environment asks for, and what of it cannot be asked for."""

    lines: tuple[Line, ...]
    left_out: tuple[str, ...]  # what is told in the file as a comment only
    gaps: tuple[Gap, ...]

    def text(self, title: str) -> str:
        """The requirements file. pip checks hashes only where it has one for each requirement."""
        locked = bool(self.lines) and all(one.hashes for one in self.lines)
        found = [f"# {one_line(title)}", *(f"# left out: {one_line(one)}" for one in self.left_out)]
        for one in self.lines:
            marker = f" ; {one.marker}" if one.marker else ""
            hashes = "".join(f" \\\n    --hash={hash}" for hash in one.hashes) if locked else ""
            found.append(f"{one.text}{marker}{hashes}")
        return "\n".join(found) + "\n"


def requirements(section: str, distributions: Mapping[str, Attributes]) -> Requirements:
    """The requirements of an environment, or of a file that declares packages, by the names of their items."""
    lines: list[Line] = []
    left_out: list[str] = []
    gaps: list[Gap] = []
    for item, facts in sorted(distributions.items()):
        line, why = _line(item, facts)
        if line is None:
            left_out.append(f"{item} {facts.get('version') or ''}".rstrip())
        else:
            lines.append(line)
        gaps += (Gap(section, item, one) for one in why)
    return Requirements(tuple(lines), tuple(left_out), (*gaps, *_unlocked(section, lines)))


def _unlocked(section: str, lines: list[Line]) -> Iterator[Gap]:
    """One gap for all: an installed distribution keeps no hash of the archive that it came from."""
    indexed = [one for one in lines if not one.commit]
    without = sum(not one.hashes for one in indexed)
    if without:
        why = f"which archive {without} of {len(indexed)} distributions are from is not told: an index may hold several"
        yield Gap(section, ARCHIVES_ITEM, why)


def _line(item: str, facts: Attributes) -> tuple[Line | None, list[str]]:
    """The requirement of a distribution, None where there can be none, and why it may not bring what is there."""
    name = item.partition("#")[0]
    problem = _not_installable(item, facts)
    if problem:
        return None, [problem]
    why = list(_doubts(facts))
    text, doubt = _asked(name, facts)
    if not text:
        return None, [*why, doubt]
    marker = str(facts.get("marker") or "")
    if not is_quotable(text + marker):
        return None, [_UNREADABLE]
    try:
        Requirement(f"{text.partition('#')[0]} ; {marker}" if marker else text)
    except InvalidRequirement:
        return None, [_UNREADABLE]
    address = _address(str(facts.get("source") or ""))
    line = Line(name, text, marker, _hashes(facts), address, str(facts.get("commit") or ""))
    return line, [*why, doubt] if doubt else why


def _not_installable(item: str, facts: Attributes) -> str:
    if SPLIT in facts:
        return "the hosts do not agree on it"
    if facts.get("problem"):
        return f"its metadata could not be read: {facts['problem']}"
    if facts.get("optional"):
        chosen = facts["optional"]
        words = ", ".join(chosen) if isinstance(chosen, tuple) else str(chosen)
        return f"is installed only where it is chosen: {words}"
    if "#" in item and "form" in facts:
        return "is hidden by another distribution of the same name"
    if facts.get("editable"):
        return "is installed in editable mode: its source is not in a fingerprint"
    if str(facts.get("owner") or "").startswith("conda:") or facts.get("installer") == "conda":
        return "is a conda package, which pip cannot install"
    return ""


def _doubts(facts: Attributes) -> Iterator[str]:
    """Why the same version from an index may not be what is installed."""
    tags = facts.get("tags")
    if isinstance(tags, tuple) and any(_BUILT_HERE.search(tag) for tag in tags) and not facts.get("source"):
        yield "was built where it is used, as the tag of its wheel says: an index may hold another build"
    if str(facts.get("form") or "dist-info") != "dist-info":
        yield f"is installed as {facts['form']}: pip installs a wheel, whose files are listed otherwise"
    if "+" in str(facts.get("version") or "") and not facts.get("source"):
        yield "has a local version, which comes from an index of its own: give it by PIP_EXTRA_INDEX_URL"


def _asked(name: str, facts: Attributes) -> tuple[str, str]:
    """The requirement as pip reads it, and what is uncertain about it; empty where there can be none."""
    source, commit = str(facts.get("source") or ""), str(facts.get("commit") or "")
    version, specifier = str(facts.get("version") or ""), str(facts.get("specifier") or "")
    if source or commit:
        return _direct(name, source, commit, _hashes(facts))
    if version:
        return f"{name}{_equal(version)}{version}", ""
    return f"{name}{specifier}", "is not pinned: what is newest on the day of the build is taken"


def _equal(version: str) -> str:
    """A version that PEP 440 does not know is asked for letter by letter."""
    try:
        Version(version)
    except InvalidVersion:
        return "==="
    return "=="


def _direct(name: str, source: str, commit: str, hashes: tuple[str, ...]) -> tuple[str, str]:
    address = _address(source)
    if not address:
        return "", f"was installed from {one_line(source) or 'a place that is not told'}, which no build can reach"
    doubt = "comes from an address of its own; credentials are in no fingerprint, if it asks for any"
    if commit:
        prefix = "" if address.startswith("git+") else "git+"
        return f"{name} @ {prefix}{address}@{commit}", f"{doubt}; it is taken for a repository of git"
    fragment = "#" + "&".join(one.replace(":", "=", 1) for one in hashes[:1]) if hashes else ""
    return f"{name} @ {address}{fragment}", doubt


def _address(source: str) -> str:
    """The address of a direct requirement, empty for none that a build could reach; `${NAME}` is a variable to pip."""
    is_one = _ADDRESS.fullmatch(source) and is_quotable(source)
    return quote(source, safe=_KNOWN_AS_IT_IS) if is_one else ""


def _hashes(facts: Attributes) -> tuple[str, ...]:
    told = [one for key in ("hashes", "archive") for one in as_texts(facts.get(key))]
    return tuple(one for one in told if _HASH.fullmatch(one))


def is_lock(items: Mapping[str, Attributes]) -> bool:
    """Whether a file that declares packages names all that is to be installed."""
    return LOCK_ITEM in items
