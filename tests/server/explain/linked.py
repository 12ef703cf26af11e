"""Builds two sides from sources, with the symbols that an agent would tell of them."""

from collections.abc import Mapping

from envparity_agent.canonical import digest
from envparity_agent.collectors.python.modules import is_package
from envparity_agent.collectors.python.symbols import parsed
from envparity_agent.fingerprint import Attributes, Fingerprint, Section, Status, Target
from envparity_server.compare.differences import compare
from envparity_server.explain.model import Situation

Sources = Mapping[str, str]  # file -> source
PATH = "python/app"


def side(distributions: Mapping[str, tuple[str, Sources]], status: Status = Status.OK) -> Fingerprint:
    """The fingerprint of a Python environment with these distributions: name -> version and sources."""
    items: dict[str, Attributes] = {}
    sections: dict[str, Section] = {}
    for name, (version, sources) in distributions.items():
        content = digest(repr((version, sorted(sources.items()))).encode())[:12]
        items[name] = {"version": version, "content": f"sha256:{content}"}
        modules = symbols(sources)
        path = f"symbols/{name}-{content}"
        sections[path] = Section(path, "symbols", 2, modules, status, () if status == Status.OK else ("cap",))
    sections[PATH] = Section(PATH, "python", 2, items)
    return Fingerprint(Target("python", "/srv/app"), "2026-01-01T00:00:00+00:00", sections)


def symbols(sources: Sources, whole: bool = False) -> dict[str, Attributes]:
    """Modules as a section of symbols has them; a compiled one has no source."""
    found: dict[str, Attributes] = {}
    for file, text in sources.items():
        module = file.partition(".")[0].replace("/", ".").removesuffix(".__init__")
        known = file.endswith(".py")
        found[file if whole else module] = parsed(text.encode(), module, is_package(f"/{file}"), whole) if known else {}
    return found


def situation(good: Fingerprint, bad: Fingerprint, application: Sources | None = None) -> Situation:
    """The two sides as `explain` has them, and the application's own source."""
    own = Section("symbols/@application", "symbols", 2, symbols(application, True)) if application else None
    return Situation(good, bad, compare(good, bad), application=own)
