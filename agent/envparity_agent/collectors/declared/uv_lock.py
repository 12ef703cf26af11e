"""What a uv.lock declares: which packages are always installed, which under a marker, which with a group or an extra.

A lock is a graph: its edges carry the markers, and the projects that it was made for are where it begins.
https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from envparity_agent.collectors.declared.entries import MAX_HASHES, Entry, at, entry, section
from envparity_agent.collectors.declared.formats import Table, headers, read_toml
from envparity_agent.collectors.declared.requirements import commit
from envparity_agent.collectors.declared.source import Source
from envparity_agent.collectors.redaction import url
from envparity_agent.fingerprint import Section, Value

MAX_CONDITIONS = 16  # alternatives under which one package is installed
MAX_CHOICES = 64  # groups and extras of all projects
_LOCAL = ("editable", "virtual", "directory")

_Condition = frozenset[str]  # markers that all hold; the empty one always does
_ALWAYS: _Condition = frozenset()


@dataclass
class _Package:
    """One package of the lock; `conditions` are the alternatives under which it is installed, None: too many."""

    table: Table
    name: str
    version: str
    conditions: set[_Condition] | None = field(default_factory=set)
    chosen: set[str] = field(default_factory=set)
    via: set[str] = field(default_factory=set)

    def add(self, condition: _Condition) -> bool:
        """Note one more alternative; whether that says anything new."""
        if self.conditions is None or any(known <= condition for known in self.conditions):
            return False
        self.conditions = {known for known in self.conditions if not condition <= known} | {condition}
        if len(self.conditions) > MAX_CONDITIONS:
            self.conditions = None
        return True


class _Graph:
    """The packages of a lock by name, and what leads from one to the next."""

    def __init__(self, document: Table) -> None:
        tables = document.tables("package", headers(document.source, "package"))
        self.packages = [_Package(one, entry(one.name(), 0).name, one.text("version")) for one in tables]
        self.by_name: dict[str, list[_Package]] = {}
        for package in self.packages:
            self.by_name.setdefault(package.name, []).append(package)

    def targets(self, edge: Table) -> list[_Package]:
        """The packages that a dependency leads to: several where a fork of the resolution has its own."""
        found = self.by_name.get(entry(edge.name(), 0).name, [])
        version = edge.text("version")
        return [one for one in found if one.version == version] if version else found

    def edges(self, package: _Package, extras: tuple[str, ...]) -> Iterator[Table]:
        """The dependencies of a package, with those of these extras."""
        yield from package.table.tables("dependencies")
        optional = package.table.table("optional-dependencies")
        for extra in extras:
            yield from optional.tables(extra)

    def install(self, roots: list[Table]) -> None:
        """Follow what is always installed, with the markers on the way."""
        waiting = [(edge, _ALWAYS, "") for edge in roots]
        seen: set[tuple[int, tuple[str, ...], _Condition]] = set()
        while waiting:
            edge, before, via = waiting.pop()
            marker = edge.text("marker")
            condition = before | {marker} if marker else before
            extras = tuple(sorted(edge.texts("extra")))
            for target in self.targets(edge):
                target.via |= {via} if via else set()
                new = target.add(condition)
                if target.conditions is None:
                    condition = _ALWAYS  # what lies below is then told as needed: it is, somewhere
                step = (id(target), extras, condition)
                if (new or extras) and step not in seen:
                    seen.add(step)
                    waiting += [(inner, condition, target.name) for inner in self.edges(target, extras)]

    def choose(self, label: str, roots: list[Table]) -> None:
        """Follow what is installed only where a group or an extra is chosen."""
        waiting = [(edge, "") for edge in roots]
        seen: set[tuple[int, tuple[str, ...]]] = set()
        while waiting:
            edge, via = waiting.pop()
            extras = tuple(sorted(edge.texts("extra")))
            for target in self.targets(edge):
                target.via |= {via} if via else set()
                step = (id(target), extras)
                if step not in seen:
                    seen.add(step)
                    target.chosen.add(label)
                    waiting += [(inner, target.name) for inner in self.edges(target, extras)]


def read_uv(source: Source) -> Section:
    """The packages of a uv.lock; raises UsageError."""
    document = Table(source, read_toml(source))
    if type(document.values.get("version")) is not int or document.values["version"] != 1:
        raise source.error(1, "a uv.lock of a version that is not known")
    graph = _Graph(document)
    members = set(document.table("manifest").texts("members"))
    for package in graph.packages:
        origin = package.table.table("source")
        here = any(origin.values.get(form) == "." for form in _LOCAL)
        if not here and package.name not in members:
            continue
        own = package.table.tables("dependencies")
        if here:
            package.add(_ALWAYS)
            graph.install(own)
        else:
            package.chosen.add(f"project {package.name}")
            graph.choose(f"project {package.name}", own)
        _choices(graph, package)
    entries = [found for package in graph.packages if (found := _entry(package)) is not None]
    return section(at(source), entries, complete=True, python=document.text("requires-python"))


def _choices(graph: _Graph, package: _Package) -> None:
    for key, word in (("optional-dependencies", "extra"), ("dev-dependencies", "group")):
        table = package.table.table(key)
        if len(table.values) > MAX_CHOICES:
            raise table.error(f"more than {MAX_CHOICES} groups or extras")
        for name in table.values:
            graph.choose(f"{word} {name}", table.tables(name))


def _entry(package: _Package) -> Entry | None:
    """What the lock says of one package; None for a project that is never installed itself."""
    origin = package.table.table("source")
    if "virtual" in origin.values:
        return None
    place = next((origin.text(key) for key in ("git", "url", *_LOCAL, "path") if key in origin.values), "")
    revision = origin.text("git").rpartition("#")[2] if "git" in origin.values else ""
    archives = [*package.table.tables("wheels"), package.table.table("sdist")]
    facts: dict[str, Value] = {
        "version": package.version,
        "marker": _marker(package.conditions or set()),
        "optional": _optional(package),
        "hashes": tuple(sorted({one.text("hash") for one in archives} - {""})[:MAX_HASHES]),
        "via": tuple(sorted(package.via)),
        "source": url(place) if place else "",
        **commit(revision),
    }
    return entry(package.name, package.table.line, **facts)


def _optional(package: _Package) -> tuple[str, ...]:
    if package.conditions is None:
        return ("unknown",)
    return () if package.conditions else tuple(sorted(package.chosen)) or ("unknown",)


def _marker(conditions: set[_Condition]) -> str:
    """The alternatives as one marker; empty for what is always installed."""
    if not conditions or _ALWAYS in conditions:
        return ""
    ways = (" and ".join(f"({one})" for one in sorted(condition)) for condition in conditions)
    return " or ".join(f"({one})" for one in sorted(ways)) if len(conditions) > 1 else next(ways)
