"""Finds the Python environments of a target: where each lies, which interpreter it has, and what is installed in it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from envparity_agent.fingerprint import Attributes, Section, SectionLike
from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.reproduce.quoting import is_quotable
from envparity_server.reproduce.requirements import Requirements, requirements
from envparity_server.reproduce.target import Subject

DECLARED_PREFIX = "/opt/venv"  # a file that declares packages does not say where they go
_LONGEST = 80  # characters of a file's name that come from an environment's
_LIBRARY = re.compile(r"/lib(?:64)?/(?:python|pypy)[^/]*")
OS_OWNER = re.compile(r"(?:deb|rpm|apk):")
_ABI = re.compile(r"\d\.\d{1,2}t?")


@dataclass(frozen=True)
class Environment:
    """One Python environment to rebuild; `prefix` is empty where a Dockerfile cannot name it."""

    section: str
    prefix: str
    facts: Attributes  # of its interpreter
    distributions: Mapping[str, Attributes]  # all but those of the operating system
    declared: bool = False
    complete: bool = True  # nothing else is in it

    @property
    def role(self) -> str:
        """What it is: venv, interpreter or site."""
        return "venv" if self.declared else str(self.facts.get("role") or "venv")

    @property
    def abi(self) -> str:
        """X.Y of its interpreter, with t where it is free-threaded; empty where that is not known."""
        abi = str(self.facts.get("abi") or "")
        return abi if _ABI.fullmatch(abi) else ""

    @property
    def base(self) -> str:
        """The directory of the interpreter that it was made from, below the root."""
        base = str(self.facts.get("base") or "").strip("/")
        return base.removesuffix("/bin") if is_quotable(base) else ""

    @property
    def has_conda(self) -> bool:
        """Whether conda made it."""
        return any(item.startswith("conda:") for item in self.distributions)

    @property
    def requirements(self) -> Requirements:
        """What is asked for to rebuild it."""
        return requirements(self.section, self.distributions)

    @property
    def is_installable(self) -> bool:
        """Whether there is something to install, and pip can."""
        return bool(self.distributions) and not self.has_conda


def environments(subject: Subject) -> Iterator[Environment]:
    """The environments that were found, and one for each file that declares packages."""
    for section in subject.of_kind("python"):
        facts = section.items.get(INTERPRETER_ITEM, {})
        own = {
            item: body
            for item, body in section.items.items()
            if not item.startswith("@") and not OS_OWNER.match(str(body.get("owner") or ""))
        }
        yield Environment(section.path, _prefix(section, facts), facts, own, complete=section.status == "ok")
    for section in subject.declared():
        facts = section.items.get(INTERPRETER_ITEM, {})
        own = {item: body for item, body in section.items.items() if not item.startswith("@")}
        complete = "@lock" in section.items
        yield Environment(section.path, DECLARED_PREFIX, facts, own, declared=True, complete=complete)


def file_names(found: Iterable[Environment], start: str, joint: str, end: str) -> dict[str, str]:
    """Section -> the name of its file: where only one environment needs one, START and END alone."""
    needed = [one.section for one in found if one.is_installable]
    if len(needed) == 1:
        return {needed[0]: f"{start}{end}"}
    names: dict[str, str] = {}
    for section in needed:
        slug = re.sub(r"[^A-Za-z0-9]+", "-", section.partition("/")[2]).strip("-").lower()[:_LONGEST]
        name, number = f"{start}{joint}{slug}{end}", 2
        while name in names.values():
            name, number = f"{start}{joint}{slug}-{number}{end}", number + 1
        names[section] = name
    return names


def _prefix(section: SectionLike, facts: Attributes) -> str:
    """Where it lies: what was observed, else what its name says; the name that an operator gave is taken for a path."""
    observed = section.observed.get("location") if isinstance(section, Section) else None
    place = str(observed or section.path.removeprefix("python"))
    if facts.get("role") == "interpreter":
        place = _LIBRARY.sub("", place)
    parts = place.split("/")[1:]
    return place if place.startswith("/") and is_quotable(place) and ".." not in parts and all(parts) else ""
