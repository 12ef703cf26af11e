"""Chooses the image that a Dockerfile begins from: the target's own by its digest, else one of its release."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envparity_agent.fingerprint import Attributes
from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.reproduce.model import Gap
from envparity_server.reproduce.target import Subject

_DIGEST = re.compile(r"[a-z0-9._:/-]{1,255}@sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?(?:(?:a|b|rc)\d+)?")
LOCAL = "usr/local"  # where the official images of Python have theirs


class Origin(Enum):
    """What a base image is to the target."""

    OWN = auto()  # the image that the target is or runs: all but later changes is in it
    PARENT = auto()  # what that image was built from
    RELEASE = auto()  # the operating system's release
    PYTHON = auto()  # the official image of a version of Python


@dataclass(frozen=True)
class Base:
    """The image to begin from, and what it lacks."""

    reference: str
    origin: Origin
    gaps: tuple[Gap, ...] = ()


def choose(subject: Subject) -> Base:
    """The base of a target, first that is known: its image, what that was built from, its release, its Python."""
    return _own(subject) or _parent(subject) or _release(subject) or _python(subject)


def _own(subject: Subject) -> Base | None:
    """The image by a digest that a registry gave; what an engine calls `localhost/` was never in one."""
    digests = subject.image.get("repo_digests")
    known = [one for one in digests if _is_pullable(one)] if isinstance(digests, tuple) else []
    return Base(min(known), Origin.OWN) if known else None


def _is_pullable(reference: str) -> bool:
    return bool(_DIGEST.fullmatch(reference)) and not reference.startswith("localhost/")


def _parent(subject: Subject) -> Base | None:
    told = str(subject.image.get("base") or "")
    return Base(told, Origin.PARENT) if _DIGEST.fullmatch(told) else None


def _release(subject: Subject) -> Base | None:
    facts = subject.items("os").get("distribution", {})
    id, version, codename = (str(facts.get(key) or "") for key in ("id", "version", "codename"))
    if not id:
        return None
    local = _local_python(subject)
    if local and (id == "debian" or id == "alpine"):
        variant = f"slim-{codename}" if id == "debian" else f"alpine{_short(version)}"
        return _checked(f"python:{local}-{variant}", Origin.PYTHON, facts)
    repository, tag = _REPOSITORIES[id](version, codename) if id in _REPOSITORIES else (id, version)
    return _checked(f"{repository}:{tag or 'latest'}", Origin.RELEASE, facts)


def _checked(reference: str, origin: Origin, facts: Attributes) -> Base | None:
    """A base by a tag, which is no identity: what it brings is that of the day on which it is built."""
    repository, _, tag = reference.partition(":")
    if not re.fullmatch(r"[a-z0-9._/-]+", repository) or not _TAG.fullmatch(tag):
        return None
    why = f"begins from the image {reference} as it is on the day of the build: no digest of the target's own is known"
    gaps = [Gap("os", "distribution", f"{why}; the point release may be another one")]
    if str(facts.get("id")) not in _REPOSITORIES:
        gaps.append(Gap("os", "", f"whether there is an image {reference} is not known"))
    return Base(reference, origin, tuple(gaps))


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])


_Naming = Callable[[str, str], tuple[str, str]]
# ID of os-release -> version, codename -> the official image of that release
_REPOSITORIES: dict[str, _Naming] = {
    "almalinux": lambda version, _: ("almalinux", version),
    "alpine": lambda version, _: ("alpine", version),
    "amzn": lambda version, _: ("amazonlinux", version),
    "arch": lambda *_: ("archlinux", "base"),
    "debian": lambda version, codename: ("debian", f"{codename or version or 'stable'}-slim"),
    "fedora": lambda version, _: ("fedora", version),
    "opensuse-leap": lambda version, _: ("opensuse/leap", version),
    "rhel": lambda version, _: (f"redhat/ubi{version.partition('.')[0]}", version),
    "rocky": lambda version, _: ("rockylinux/rockylinux", version),
    "ubuntu": lambda version, _: ("ubuntu", version),
}


def _local_python(subject: Subject) -> str:
    """The version of a Python that was built into /usr/local, as the official images do; empty where there is none."""
    for section in subject.of_kind("python"):
        facts = section.items.get(INTERPRETER_ITEM, {})
        if facts.get("role") == "interpreter" and section.path.startswith(f"python/{LOCAL}/lib/"):
            return _version(facts)
    return ""


def _version(facts: Attributes) -> str:
    version = str(facts.get("version") or facts.get("abi") or "").rstrip("+")
    return version if _VERSION.fullmatch(version) else ""


def _python(subject: Subject) -> Base:
    """The official image of the newest interpreter that the target's environments tell of, or may have."""
    versions = {_version(section.items.get(INTERPRETER_ITEM, {})) for section in subject.of_kind("python")} - {""}
    if versions:
        newest = max(versions, key=lambda one: [int(part) for part in re.findall(r"\d+", one)])
        return Base(f"python:{newest}-slim", Origin.PYTHON)
    for section in subject.declared():
        asked = str(section.items.get(INTERPRETER_ITEM, {}).get("specifier") or "")
        lowest = _lowest(asked)
        if lowest:
            why = f"asks for Python {asked}: the lowest that fits is taken"
            return Base(f"python:{lowest}-slim", Origin.PYTHON, (Gap(section.path, INTERPRETER_ITEM, why),))
        why = "does not say for which Python it is: the newest is taken"
        return Base("python:3-slim", Origin.PYTHON, (Gap(section.path, INTERPRETER_ITEM, why),))
    return Base("python:3-slim", Origin.PYTHON)


def _lowest(asked: str) -> str:
    """The lowest X.Y that a specifier allows; empty for one that has no lower bound."""
    try:
        specifiers = SpecifierSet(asked)
    except InvalidSpecifier:
        return ""
    bounds = [one.version.removesuffix(".*") for one in specifiers if one.operator in ("==", ">=", "~=")]
    exact = [bound for bound in bounds if _VERSION.fullmatch(bound)]
    return max(exact, key=lambda one: [int(part) for part in re.findall(r"\d+", one)], default="")
