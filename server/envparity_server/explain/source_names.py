"""The witness of the application's own source: what it names and imports may break it, what it does not seldom does."""

import re
from collections.abc import Iterator

from envparity_server.explain.application import imports, texts, tops
from envparity_server.explain.likeness import SURE
from envparity_server.explain.model import Evidence, Situation
from envparity_server.explain.providers import Providers
from envparity_server.explain.surroundings import OF_RUNTIME
from envparity_server.explain.telling import differing

_NAMED, _ABBREVIATED, _UNNAMED = 1.0, 0.75, -0.5  # points of a name that the source has; of its end; of none
_OWN_FILE = 1.0
_UNREACHED = -2.5


def source_names(situation: Situation) -> Iterator[Evidence]:
    """Evidence from the source of the application, where it was told."""
    if situation.application is not None:
        yield from _of_settings(situation)
        yield from _of_own_files(situation)
        yield from _of_distributions(situation)


def _of_settings(situation: Situation) -> Iterator[Evidence]:
    """Variables and keys that the source has as a text, or as a field of a class of settings."""
    named = {text.lower(): file for text, file in texts(situation).items()}
    for suspect in differing(situation, "configuration", "file") if named else ():
        is_variable = suspect.item.startswith("env:")
        name = suspect.item.removeprefix("env:")
        if not name or name.startswith("@") or ":" in name:  # a file as a whole, a mount, a port
            continue
        if name.lower() in named:
            yield Evidence(suspect, _NAMED, f"the application names it: {named[name.lower()]}")
        elif short := next((one for one in _endings(name.lower()) if one in named), ""):
            yield Evidence(suspect, _ABBREVIATED, f"the application names {short}: {named[short]}")
        elif is_variable and not OF_RUNTIME.match(name):
            yield Evidence(suspect, _UNNAMED, "the application's source does not name it")


def _endings(name: str) -> Iterator[str]:
    """`shop_catalog_delays` as a class of settings calls it, `smtp.password` as a reader of a section does."""
    for match in re.finditer(r"[_.]+", name):
        if len(ending := name[match.end() :]) > 2:
            yield ending


def _of_own_files(situation: Situation) -> Iterator[Evidence]:
    """Modules of the application that differ, and that another one imports, wherever its directory is on the path."""
    imported = imports(situation)
    for suspect in differing(situation, "application"):
        kind, _, path = suspect.item.partition(":")
        module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if (
            kind == "file"
            and path.endswith(".py")
            and any(f".{module.rpartition('.')[2]}." in f".{one}." for one in imported)
        ):
            yield Evidence(suspect, _OWN_FILE, f"the application imports {module}")


def _of_distributions(situation: Situation) -> Iterator[Evidence]:
    """Distributions that nothing of what the application imports requires: tools, and what is left over."""
    providers = Providers(situation)
    reached = {name for one in tops(situation) for name, much in providers.of_module(one).items() if much >= SURE}
    if not reached:
        return
    pending = list(reached)
    while pending:
        further = providers.requires(pending.pop()) - reached
        reached |= further
        pending.extend(further)
    # a driver in an address, a plugin in a list, what the error speaks of
    said = "\n".join([*texts(situation), situation.failure.text if situation.failure else ""]).lower()
    for name in sorted(providers.suspects.keys() - reached):
        if name in said or name.replace("-", "_") in said:
            continue
        for suspect in providers.suspects[name]:
            if situation.suspects[suspect][0].kind == "python":
                yield Evidence(suspect, _UNREACHED, "nothing that the application imports requires it")
