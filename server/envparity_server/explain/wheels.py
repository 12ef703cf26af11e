"""A witness of wheels: distributions with native code that this interpreter, or this C library, cannot load.

https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from envparity_agent.fingerprint import Attributes, Items, Value
from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.compare.applied import system_of
from envparity_server.explain.blame import blamed
from envparity_server.explain.installed import Environments, Installed, environments
from envparity_server.explain.model import Evidence, Situation, Suspect

_UNLOADABLE = 8.0
_BELOW = ("libc", "architecture")  # items of section `os` that decide which native code runs
_CPYTHON = re.compile(r"^cp3(\d+)[a-z]*$")
_MANYLINUX = re.compile(r"^manylinux_(\d+)_(\d+)_\w+$")
_MACHINE = re.compile(
    r"^(?:manylinux\w*?|musllinux_\d+_\d+|linux)_(x86_64|i686|aarch64|armv\w+|ppc64le|s390x|riscv64)$"
)
# how the first three names of manylinux are written today: https://peps.python.org/pep-0600/
_LEGACY = {"manylinux1_": "manylinux_2_5_", "manylinux2010_": "manylinux_2_12_", "manylinux2014_": "manylinux_2_17_"}


@dataclass(frozen=True)
class _Below:
    """What native code is loaded by: an interpreter of a section of its own, on a system."""

    interpreter: Attributes
    system: Items

    @classmethod
    def of(cls, installed: Installed) -> "_Below":
        interpreter = installed.section.items.get(INTERPRETER_ITEM, {})
        return cls(interpreter, system_of(installed.section, installed.side))

    @property
    def abi(self) -> str:
        """The Python version of modules with native code: 3.11, 3.13t; empty where it is not known."""
        is_cpython = self.interpreter.get("implementation", "cpython") == "cpython"
        return str(self.interpreter.get("abi") or "") if is_cpython else ""

    @property
    def libc(self) -> str:
        """The C library in words; empty where it is not known."""
        found = self.system.get("libc", {})
        return " ".join(str(found[name]) for name in ("family", "version") if found.get(name))

    def loads(self, tags: Value) -> bool:
        """Whether the interpreter can load a wheel with these tags; what is not known can."""
        return not isinstance(tags, tuple) or not self.abi or any(_is_for_python(tag, self.abi) for tag in tags)

    def runs(self, tags: Value) -> bool:
        """Whether the C library and the architecture are those of a wheel with these tags; what is not known is."""
        return not isinstance(tags, tuple) or any(_is_for_system(tag.rpartition("-")[2], self.system) for tag in tags)


def wheels(situation: Situation) -> Iterator[Evidence]:
    """Evidence from the tags of wheels that fit the good side and not the bad one."""
    below = any(suspect.item in _BELOW for suspect in situation.suspects)
    for environment in environments(situation, "python", everywhere=below):
        good, bad = _Below.of(environment.good), _Below.of(environment.bad)
        for name, body in sorted(environment.bad.items.items()):
            yield from _of_python(situation, environment, (good, bad), name, body.get("tags"))
            yield from _of_system(situation, environment, (good, bad), name, body.get("tags"))


def _of_python(
    situation: Situation, environment: Environments, below: tuple[_Below, _Below], name: str, tags: Value
) -> Iterator[Evidence]:
    good, bad = below
    before = environment.good.items.get(name, {}).get("tags")
    if bad.loads(tags) or not good.loads(before):
        return
    alone = {
        Suspect(environment.path, name): not good.loads(tags),
        Suspect(environment.path, INTERPRETER_ITEM): not bad.loads(before),
    }
    sentence = f"the wheel of {name} {environment.bad.version(name)} is for {_list(tags)}, not for Python {bad.abi}"
    yield from blamed(situation, alone, _UNLOADABLE, sentence)


def _of_system(
    situation: Situation, environment: Environments, below: tuple[_Below, _Below], name: str, tags: Value
) -> Iterator[Evidence]:
    good, bad = below
    before = environment.good.items.get(name, {}).get("tags")
    if bad.runs(tags) or not good.runs(before):
        return
    alone = {Suspect(environment.path, name): not good.runs(tags)}
    prefix = environment.path.partition("python/")[0]
    for item in _BELOW:
        alone[Suspect(f"{prefix}os", item)] = not bad.runs(before)
    machine = bad.system.get("architecture", {}).get("machine", "")
    sentence = (
        f"the wheel of {name} {environment.bad.version(name)} is for {_list(tags)}, "
        f"and the bad side has {bad.libc} on {machine}"
    )
    yield from blamed(situation, alone, _UNLOADABLE, sentence)


def _list(tags: Value) -> str:
    return ", ".join(tags) if isinstance(tags, tuple) else ""


def _is_for_python(tag: str, abi: str) -> bool:
    """Whether CPython of a version (3.11, 3.13t) can load what a tag says."""
    python, _, rest = tag.partition("-")
    binary = rest.partition("-")[0]
    if binary == "none":
        return True  # no native code that depends on the interpreter
    plain, free_threaded = abi.removesuffix("t"), abi.endswith("t")
    minor = plain.partition(".")[2]
    made_for = _CPYTHON.match(python)
    if made_for is None or not minor.isdecimal():
        return not python.startswith("pp")
    if binary == "abi3":
        return int(made_for[1]) <= int(minor) and not free_threaded
    return made_for[1] == minor and binary.endswith("t") == free_threaded


def _is_for_system(platform: str, system: Items) -> bool:
    """Whether a platform of a tag is that of a system, as far as this is known."""
    machine = _MACHINE.match(platform)
    own = system.get("architecture", {}).get("machine")
    if own and machine and machine[1] != own:
        return False
    family, version = (str(system.get("libc", {}).get(name) or "") for name in ("family", "version"))
    if family and platform.startswith(("manylinux", "musllinux")):
        if platform.startswith("musllinux") != (family == "musl"):
            return False
        for old, new in _LEGACY.items():
            platform = platform.replace(old, new, 1)
        asked = _MANYLINUX.match(platform)
        has = re.match(r"(\d+)\.(\d+)", version)
        if asked and has:
            return (int(asked[1]), int(asked[2])) <= (int(has[1]), int(has[2]))
    return True
