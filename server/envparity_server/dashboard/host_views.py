"""How the pages of hosts are arranged: a host at a glance, its sections, what is not read, its changes; pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from envparity_agent.fingerprint import Attributes, Reason, SectionLike
from envparity_agent.kinds import INTERPRETER_ITEM, title
from envparity_server.compare.covering import container_of, is_complete
from envparity_server.compare.groups import FOLD_OVER, text
from envparity_server.compare.model import Severity
from envparity_server.dashboard.pages import compare_address
from envparity_server.storage.changes import Change
from envparity_server.storage.hosts import Host

_FEW = 3  # Python environments, containers and images that are named at a glance
_FEW_CHANGES = 6  # of one report

_WHY: Mapping[str, str] = {
    Reason.CAP: "there is more than the agent reads",
    Reason.CONSENT: "the operator of the host does not allow it",
    Reason.DECLARED: "only a part of it is declared",
    Reason.ERROR: "the agent failed on it",
    Reason.INVALID: "what was read does not follow its format",
    Reason.NO_KEY: "the agent has no key to hash values with",
    Reason.NOT_INSTALLED: "there is none",
    Reason.NOT_REGULAR: "it is not a regular file",
    Reason.PERMISSION: "the agent may not read it",
    Reason.SYMLINKS: "a link loops or leads out",
    Reason.TIMEOUT: "it took too long",
    Reason.UNREACHABLE: "it does not answer",
    Reason.UNSUPPORTED: "the agent cannot read this kind of it",
    Reason.VANISHED: "it went while it was read",
}


@dataclass(frozen=True)
class Row:
    """A host of the list, with what its fingerprint says first."""

    host: Host
    standing: str
    drifts: Sequence[tuple[str, int]]  # the open ones: severity and how many, the highest first
    system: str
    pythons: int
    containers: str
    note: str


@dataclass(frozen=True)
class Card:
    """One thing at a glance: a heading, a figure or a name, and a few lines of detail."""

    title: str
    value: str
    details: tuple[str, ...] = ()
    address: str = ""


@dataclass(frozen=True)
class Group:
    """The sections of one container, or whose paths begin alike."""

    name: str
    sections: tuple[SectionLike, ...]

    @property
    def is_folded(self) -> bool:
        """Whether there are too many to show at once."""
        return len(self.sections) > FOLD_OVER

    @property
    def digest(self) -> str:
        """The group in one line: `214 sections, 3 of them not complete`."""
        missing = sum(not is_complete(one) for one in self.sections)
        return f"{len(self.sections)} sections" + (f", {missing} of them not complete" if missing else "")


@dataclass(frozen=True)
class Gap:
    """Why some sections could not be read, or not wholly."""

    why: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Moment:
    """What one report changed: it came between the report before it and itself."""

    after: datetime
    before: datetime
    changes: tuple[Change, ...]  # the first of them
    count: int
    severities: tuple[tuple[str, int], ...]
    address: str  # of the comparison


def row(
    host: Host, standing: str, drifts: Mapping[Severity, int], sections: Mapping[str, SectionLike], note: str
) -> Row:
    """A line of the list."""
    pythons = _count(sections, "python")
    return Row(host, standing, by_severity(drifts), system_name(sections), pythons, _containers(sections), note)


def by_severity(counts: Mapping[Severity, int]) -> tuple[tuple[str, int], ...]:
    """How many of each severity, the highest first."""
    return tuple((one.word, counts[one]) for one in sorted(counts, reverse=True))


def _containers(sections: Mapping[str, SectionLike]) -> str:
    """How many there are, or why that is not known."""
    engine = sections.get("containers")
    if engine is None:
        return ""
    return str(_count(sections, "container")) if engine.status == "ok" else ", ".join(engine.reasons)


def _count(sections: Mapping[str, SectionLike], kind: str) -> int:
    return sum(one.kind == kind for one in sections.values())


def system_name(sections: Mapping[str, SectionLike]) -> str:
    """The operating system in a few words, or why it is not known."""
    section = sections.get("os")
    if section is None:
        return ""
    facts = section.items.get("distribution", {})
    return str(facts.get("name") or facts.get("id") or section.status)


def glance(sections: Mapping[str, SectionLike]) -> list[Card]:
    """What the host runs on, in four cards."""
    system, machine = sections.get("os"), sections.get("os/machine") or sections.get("machine")
    kernel = machine.items.get("kernel", {}) if machine else {}
    architecture = system.items.get("architecture", {}) if system else {}
    told = (f"kernel {kernel['release']}" if kernel.get("release") else "", str(architecture.get("machine") or ""))
    pythons = [one for one in sections.values() if one.kind == "python"]
    running = [one for one in sections.values() if one.kind == "container"]
    images = Counter(_image(one) for one in running)
    return [
        Card("Operating system", system_name(sections) or "not told", tuple(one for one in told if one)),
        Card("Python environments", str(len(pythons)), _named([_python(one) for one in pythons[:_FEW]], len(pythons))),
        Card(
            "Containers",
            _containers(sections) or "not told",
            _named([one.path.removeprefix("container/") for one in running[:_FEW]], len(running)),
        ),
        Card(
            "Images",
            str(len(images)) if images or _containers(sections) == "0" else "not told",
            _named(sorted(images)[:_FEW], len(images)),
        ),
    ]


def _named(names: Sequence[str], count: int) -> tuple[str, ...]:
    return (*names, f"and {count - len(names)} more") if count > len(names) else tuple(names)


def _python(section: SectionLike) -> str:
    version = section.items.get(INTERPRETER_ITEM, {}).get("version")
    name = section.path.removeprefix("python/")
    return f"{name}: {version}" if version else name


def _image(section: SectionLike) -> str:
    """What a container runs, by its reference, else by its digest."""
    facts = section.items.get("image", {})
    digest = str(facts.get("config") or facts.get("manifest") or "").removeprefix("sha256:")[:12]
    return str(facts.get("reference") or digest or "not told")


def matching(sections: Mapping[str, SectionLike], words: str) -> dict[str, SectionLike]:
    """The sections whose path or kind has every word, by path."""
    wanted = words.lower().split()
    return {
        path: one
        for path, one in sorted(sections.items())
        if all(word in f"{path} {title(one.kind)}".lower() for word in wanted)
    }


def groups(shown: Mapping[str, SectionLike], sections: Mapping[str, SectionLike]) -> list[Group]:
    """Some sections, those of one container or one beginning together; all of the host say what is a container."""
    by_name: dict[str, list[SectionLike]] = {}
    for path, section in shown.items():
        own = path if section.kind == "container" else container_of(sections, path)
        by_name.setdefault(own or path.partition("/")[0], []).append(section)
    return [Group(name, tuple(members)) for name, members in by_name.items()]


def gaps(sections: Mapping[str, SectionLike]) -> list[Gap]:
    """What could not be read, by why, in words; what the host has none of is no gap."""
    by_reason: dict[str, list[str]] = {}
    for path, one in sorted(sections.items()):
        if not is_complete(one):
            for reason in one.reasons or (str(one.status),):
                by_reason.setdefault(reason, []).append(path)
    return [Gap(_WHY.get(reason, reason), tuple(paths)) for reason, paths in sorted(by_reason.items())]


def clock(skew: int | None) -> str:
    """How a clock stands against the server's: `3 min ahead`."""
    if skew is None:
        return "not told yet"
    return f"{span(abs(skew))} {'ahead' if skew > 0 else 'behind'}" if skew else "right to the second"


def span(seconds: int) -> str:
    """A time in its largest unit: `15 min`."""
    size, unit = next((pair for pair in ((86400, "d"), (3600, "h"), (60, "min")) if seconds >= pair[0]), (1, "s"))
    return f"{seconds // size} {unit}"


def facts(attributes: Attributes) -> list[tuple[str, str]]:
    """The attributes of an item as text, the version first."""
    shown = sorted(attributes.items(), key=lambda fact: (fact[0] != "version", fact[0]))
    return [(key, text(value)) for key, value in shown]


def moments(host: Host, changes: Iterable[Change]) -> list[Moment]:
    """Changes, the newest first, by the report that had them first."""
    found = []
    for before, members in groupby(changes, key=lambda one: one.before):
        own = sorted(members, key=lambda one: (-one.severity, one.section, one.item, one.attribute))
        after = max(one.after for one in own)
        address = compare_address(f"host:{host.id}@{after.isoformat()}", f"host:{host.id}@{before.isoformat()}")
        counts = by_severity(Counter(one.severity for one in own))
        found.append(Moment(after, before, tuple(own[:_FEW_CHANGES]), len(own), counts, address))
    return found
