"""Makes the files that rebuild a target, and the list of what they do not reproduce."""

from enum import StrEnum

from envparity_agent.errors import CannotTell
from envparity_agent.fingerprint import FingerprintLike
from envparity_server.reproduce.bases import Base, Origin, choose
from envparity_server.reproduce.configuration import configuration
from envparity_server.reproduce.environments import environments, file_names
from envparity_server.reproduce.leftovers import leftovers
from envparity_server.reproduce.model import Gap, Part, Reproduction, joined
from envparity_server.reproduce.os_packages import Packages, os_packages
from envparity_server.reproduce.pylock import pylock
from envparity_server.reproduce.pythons import pythons
from envparity_server.reproduce.quoting import one_line
from envparity_server.reproduce.report import gaps_file
from envparity_server.reproduce.target import Subject, subject

_RECIPES = ("compose", "dockerfile")
DOCKERFILE, GAPS = "Dockerfile", "GAPS.md"


class Lock(StrEnum):
    """The forms of what Python packages are told in; the Dockerfile installs from the first."""

    REQUIREMENTS = "requirements"
    PYLOCK = "pylock"


def reproduce(
    fingerprint: FingerprintLike, lock: Lock = Lock.REQUIREMENTS, packages: Packages = Packages.NEEDED
) -> Reproduction:
    """What rebuilds a target; raises CannotTell for a fingerprint that has nothing that an image could hold."""
    if fingerprint.target.kind in _RECIPES:
        raise CannotTell(f"{fingerprint.target.name} is itself what images are built from", "build it: docker build")
    found = subject(fingerprint)
    base = choose(found)
    if base.origin is not Origin.OWN and not found.items("os") and not list(environments(found)):
        raise CannotTell(
            f"{fingerprint.target.kind} {fingerprint.target.name}: neither an operating system nor Python packages",
            "reproduce a host, a root, a container, an image, a Python environment, or a lock",
        )
    parts = [
        _beginning(found, base),
        os_packages(found, base, packages),
        pythons(found, base),
        *([_pylocks(found)] if lock is Lock.PYLOCK else []),
        configuration(found, base),
    ]
    made = joined(parts)
    gaps = _sorted([*base.gaps, *made.gaps, *leftovers(found, base)])
    title = f"{fingerprint.target.kind} {fingerprint.target.name} at {fingerprint.taken_at}"
    files = {DOCKERFILE: "\n".join(made.lines) + "\n", GAPS: gaps_file(title, gaps), **made.files}
    return Reproduction(dict(sorted(files.items())), gaps)


def _beginning(subject: Subject, base: Base) -> Part:
    platform = str(subject.image.get("platform") or "")
    told = (f"# built for {one_line(platform)}",) if platform else ()
    return Part(
        (
            "# Rebuilds what envparity found; GAPS.md says what this does not reproduce.",
            f"# target: {one_line(subject.target.kind)} {one_line(subject.target.name)}",
            *told,
            "# another base: --build-arg BASE=IMAGE",
            f"ARG BASE={base.reference}",
            "FROM ${BASE}",
            *(("USER root",) if _is_of_a_user(subject, base) else ()),
        )
    )


def _is_of_a_user(subject: Subject, base: Base) -> bool:
    """Whether the base image may have a user other than root, who can install nothing; it is set again at the end."""
    return base.origin in (Origin.OWN, Origin.PARENT) and "user" in subject.items(f"{subject.described}/config")


def _pylocks(subject: Subject) -> Part:
    """A pylock.toml for each environment that has something to install."""
    found = [one for one in environments(subject) if one.is_installable]
    parts = []
    for one, name in zip(found, file_names(found, "pylock", ".", ".toml").values(), strict=True):
        text, gaps = pylock(one)
        parts.append(Part(files={name: text}, gaps=gaps))
    return joined(parts)


def _sorted(gaps: list[Gap]) -> tuple[Gap, ...]:
    """In their order, each once; where a whole section is one gap, its items need no gaps of their own."""
    whole = {one.section for one in gaps if not one.item}
    return tuple(sorted({one for one in gaps if not one.item or one.section not in whole}))
