"""Whether an environment marker holds in an environment of which not all is known, and that is not this process'.

Where its interpreter or its platform are not all known, a marker is evaluated for each that there could be: the answer
is known where all give the same. https://packaging.python.org/en/latest/specifications/dependency-specifiers/
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TypeAlias

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

from envparity_agent.fingerprint import Items
from envparity_agent.kinds import INTERPRETER_ITEM

_MOST = 256  # environments that are tried for one marker
_OTHER = "…"  # a value that no marker names
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_SYSTEMS = {
    "linux": {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux"},
    "darwin": {"os_name": "posix", "sys_platform": "darwin", "platform_system": "Darwin"},
}
_LINUX = re.compile(r"-(?:manylinux\w*?|musllinux\w*?|linux)_(x86_64|i686|aarch64|armv\w+|ppc64le|s390x|riscv64)$")

_Marked: TypeAlias = Mapping[str, "str | frozenset[str]"]


@dataclass(frozen=True)
class Known:
    """What is known of an environment; empty for what is not."""

    version: str
    implementation: str
    system: str
    machine: str

    @classmethod
    def of(cls, there: Items, system: Items) -> "Known":
        """From the interpreter's item, the section `os`, and the tags of what is installed."""
        interpreter = there.get(INTERPRETER_ITEM, {})
        machine = str((system.get("architecture") or {}).get("machine") or "")
        name = "linux" if system else ""
        for body in there.values() if not (name and machine) else ():
            tags = body.get("tags")
            for tag in tags if isinstance(tags, tuple) else ():
                if found := _LINUX.search(tag):
                    name, machine = name or "linux", machine or found[1]
                elif "-macosx_" in tag:
                    name = name or "darwin"
        implementation = str(interpreter.get("implementation") or "")
        return cls(str(interpreter.get("version") or ""), implementation, name, machine)

    def holds(self, marker: str, extra: str | None = None) -> bool | None:
        """Whether a marker holds here; None where that depends on what is not known.

        `extra` is the one that is asked for, empty for none; None where it is not known which are.
        """
        try:
            parsed = Marker(marker)
            answers = {
                parsed.evaluate(one, context="lock_file" if "extras" in one else "metadata")
                for one in self._possible(marker, extra)
            }
        except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, RecursionError, ValueError):
            return None
        return answers.pop() if len(answers) == 1 else None

    def _possible(self, marker: str, extra: str | None) -> Iterator[_Marked]:
        """The environments that this one may be, as far as the marker asks; none where there are too many."""
        literals = [one or other for one, other in _QUOTED.findall(marker)]
        asked = set(re.findall(r"[a-z_]+", _QUOTED.sub("", marker)))
        choices: list[Sequence[_Marked]] = [
            self._interpreters(asked),
            [_SYSTEMS[self.system]] if self.system else list(_SYSTEMS.values()),
            [{"platform_machine": one} for one in ([self.machine] if self.machine else _each(literals))],
            [{"extra": one} for one in (_extras(literals) if "extra" in asked and extra is None else [extra or ""])],
            list(_sets(literals)) if asked & {"extras", "dependency_groups"} else [{}],
        ]
        if asked & {"platform_release", "platform_version"}:
            return
        if prod(map(len, choices)) > _MOST:
            return
        for parts in product(*choices):
            merged: dict[str, str | frozenset[str]] = {}
            for part in parts:
                merged.update(part)
            yield merged

    def _interpreters(self, asked: set[str]) -> list[_Marked]:
        """The interpreters that this may be: one where all is known, or nothing that is not is asked for."""
        versions = [self.version] if self.version.count(".") > 1 else []
        if self.version.count(".") == 1:  # its last number could not be told
            versions = [f"{self.version}.0", f"{self.version}.99"]
        if not versions:
            if asked & {"python_version", "python_full_version", "implementation_version"}:
                return []
            versions = ["0.0.0"]
        names = [self.implementation] if self.implementation else ["cpython", "pypy", _OTHER]
        told = {"cpython": "CPython", "pypy": "PyPy"}
        return [
            {
                "python_version": ".".join(version.split(".")[:2]),
                "python_full_version": version,
                "implementation_name": name,
                "implementation_version": version,
                "platform_python_implementation": told.get(name, name),
                "platform_release": "",
                "platform_version": "",
            }
            for version in versions
            for name in names
        ]


def _each(literals: Sequence[str]) -> list[str]:
    return [*dict.fromkeys(literals), _OTHER]


def _extras(literals: Sequence[str]) -> list[str]:
    return ["", *literals]


def _sets(literals: Sequence[str]) -> Iterator[_Marked]:
    """What may be chosen of the extras and groups that a marker names: none, each alone, all."""
    for chosen in (frozenset[str](), *(frozenset({one}) for one in dict.fromkeys(literals)), frozenset(literals)):
        yield {"extras": chosen, "dependency_groups": chosen}
