"""Finds what is told of the modules of a Python environment: in the symbols of its distributions."""

from envparity_agent.fingerprint import FingerprintLike, SectionLike, Status
from envparity_server.explain.defined import Module, read_module
from envparity_server.explain.importing import Environment


def environment_of(side: FingerprintLike, section: SectionLike) -> Environment:
    """The modules of the distributions of an environment, as far as their symbols are told."""
    prefix = section.path.rpartition("python/")[0]
    modules: dict[str, Module] = {}
    partial: set[str] = set()
    is_complete = True
    for item, body in sorted(section.items.items()):
        content = str(body.get("content") or "").removeprefix("sha256:")
        told = side.sections.get(f"{prefix}symbols/{item}-{content[:12]}") if content and "#" not in item else None
        if told is None or told.status in (Status.FAILED, Status.ABSENT):
            is_complete = is_complete and (not body.get("version") or "#" in item or item.startswith("@"))
            continue
        for name, attributes in told.items.items():
            modules.setdefault(name, read_module(name, item, told.path, attributes))
            if told.status == Status.PARTIAL:
                partial.add(name.partition(".")[0])
    return Environment(modules, frozenset(partial), is_complete)
