"""How OS packages, native libraries and the distribution itself go back to what they are on the good side."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from envparity_agent.fingerprint import Attributes, FingerprintLike
from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.explain.model import Remedy
from envparity_server.explain.undo.sides import Sides, system_of, text_of
from envparity_server.explain.undo.words import command, line, note

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*(?::[a-z0-9]+)?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:~^_-]*")


@dataclass(frozen=True)
class _Manager:
    """A package manager: its commands, and what stands between a name and a version."""

    install: str
    again: str  # the same version once more
    remove: str
    build: str  # `install` where nobody can be asked
    between: str = "="


_APT = _Manager(
    "apt-get install", "apt-get install --reinstall", "apt-get remove",
    "apt-get update && apt-get install -y --allow-downgrades",
)  # fmt: skip
_DNF = _Manager("dnf install", "dnf reinstall", "dnf remove", "dnf install -y", "-")
_ZYPPER = _Manager("zypper install --oldpackage", "zypper install --force", "zypper remove",
                   "zypper --non-interactive install --oldpackage")  # fmt: skip
_APK = _Manager("apk add", "apk fix --reinstall", "apk del", "apk add --no-cache")
_MANAGERS: Mapping[str, _Manager] = {"deb": _APT, "rpm": _DNF, "apk": _APK}
_OF_SUSE = re.compile(r"opensuse|sle")


def of_package(sides: Sides) -> Remedy | None:
    """Undo what differs in one OS package."""
    good, bad = sides.good_body, sides.bad_body
    name = re.sub(r"^(?:deb|rpm|apk):", "", sides.item).partition("#")[0]
    version = text_of(good, "version")
    if sides.bad is not None and sides.bad.kind == "declared":
        return _declared(sides, name, version)
    if bad is not None and text_of(bad, "state") and not text_of(good, "state"):
        return Remedy((command("dpkg", "--configure", name),)) if _NAME.fullmatch(name) else None
    manager = _manager(sides, text_of(good or bad, "manager"))
    again = bad is not None and good is not None and version == text_of(bad, "version")
    return _remedy(sides, manager, name, version, good is None, again)


def of_library(sides: Sides) -> Remedy | None:
    """Undo what differs in a native library: by the package that it belongs to on the good side."""
    owner = text_of(sides.good_body, "owner")
    if not owner:
        if sides.good_body is None:
            return None
        place = text_of(sides.good_body, "path")
        told = f" as {place}" if place else ""
        return Remedy(
            (), note(f"The good side has {sides.item.partition('#')[0]}{told}, and no package owns it there.")
        )
    return _by_owner(sides, owner)


def owned(sides: Sides, good: Attributes | None, bad: Attributes | None) -> Remedy | None:
    """Undo what differs in a Python distribution that an OS package brings; None where an installer brings it."""
    ours, theirs = text_of(good, "owner"), text_of(bad, "owner")
    if bad is not None and _is_package(theirs):
        if good is None:
            kind, _, rest = theirs.partition(":")
            return _remedy(sides, _manager(sides, kind), rest.partition(" ")[0], "", remove=True)
        if _is_package(ours):
            return _by_owner(sides, ours)
        version = text_of(good, "version")
        return Remedy((), note(
            f"Here it is the OS package {theirs}, and the good side has {version} from elsewhere: "
            f"install {sides.item}=={version} into a virtual environment, which hides the OS package."
        ))  # fmt: skip
    role = text_of((sides.bad.items if sides.bad else {}).get(INTERPRETER_ITEM), "role")
    if bad is None and _is_package(ours) and role == "interpreter":
        return _by_owner(sides, ours)
    return None


def of_release(sides: Sides) -> Remedy | None:
    """Another release, C library or architecture of the operating system: the base image, or the machine's own."""
    wanted = _release(sides.situation.good, sides.good.path if sides.good else sides.path)
    if not all(wanted):
        return None
    return _another_release(sides, wanted)


def _is_package(owner: str) -> bool:
    return owner.partition(":")[0] in _MANAGERS


def _by_owner(sides: Sides, owner: str) -> Remedy | None:
    kind, _, rest = owner.partition(":")
    name, _, version = rest.partition(" ")
    return _remedy(sides, _manager(sides, kind), name, version) if kind in _MANAGERS else None


def _manager(sides: Sides, kind: str) -> _Manager | None:
    """The package manager of the bad side: by its kind of packages, and the distribution where that has its own."""
    distribution = system_of(sides.situation.bad, sides.path).get("distribution")
    if kind == "rpm" and _OF_SUSE.match(text_of(distribution, "id")):
        return _ZYPPER
    return _MANAGERS.get(kind or "deb")


def _remedy(
    sides: Sides, manager: _Manager | None, name: str, version: str, remove: bool = False, again: bool = False
) -> Remedy | None:
    if manager is None or not _NAME.fullmatch(name) or (version and not _VERSION.fullmatch(version)):
        return None
    ours, theirs = (_release(sides.situation.good, sides.good.path if sides.good else sides.path),
                    _release(sides.situation.bad, sides.path))  # fmt: skip
    if all(ours) and all(theirs) and ours != theirs and not remove:
        return _another_release(sides, ours)
    package = f"{name}{manager.between}{version}" if version else name
    home = sides.home
    if remove:
        step = f"{manager.remove} {command(name)}"
    elif again and not home.is_built:
        step = f"{manager.again} {command(package)}"
    else:
        step = f"{manager.build if home.is_built else manager.install} {command(package)}"
    taken = sides.situation.good.taken_at.partition("T")[0]
    since = f" from {taken}" if taken else ""
    snapshot = f"If the archive has that version no longer, a snapshot of it{since} does." if version else ""
    if not home.is_built:
        return Remedy((step,), note(snapshot))
    return Remedy((home.in_dockerfile(f"RUN {step}"), *home.rebuilt()), note(snapshot, home.to_be_rebuilt()))


def _declared(sides: Sides, name: str, version: str) -> Remedy | None:
    """The line of a Dockerfile that installs it."""
    manager = _manager(sides, text_of(sides.good_body, "manager"))
    if manager is None or not _NAME.fullmatch(name) or (version and not _VERSION.fullmatch(version)):
        return None
    package = f"{name}{manager.between}{version}" if version else name
    text = package if sides.good_body is not None else f"# {name}"
    return Remedy((line(sides.situation.bad.target.name, text, (sides.bad_body or {}).get("line")),))


def _another_release(sides: Sides, wanted: tuple[str, str]) -> Remedy:
    """Packages of two releases do not mix: the base goes back."""
    release = ":".join(filter(None, wanted))
    home = sides.home
    if home.is_built:
        base = _base(sides) or release
        told = "" if _base(sides) else "Or the image of another name that is based on it."
        return Remedy((home.in_dockerfile(f"FROM {command(base)}"), *home.rebuilt()), note(told, home.to_be_rebuilt()))
    return Remedy((), note(f"The good side is {' '.join(wanted)}: bring this machine to that release, "
                           "as packages of two releases do not mix."))  # fmt: skip


def _base(sides: Sides) -> str:
    """The base image of the good side's image, where labels or a Dockerfile tell it."""
    for section in sides.situation.good.sections.values():
        if section.kind == "container" and (base := text_of(section.items.get("image"), "base")):
            return base
    return ""


def _release(side: FingerprintLike, path: str) -> tuple[str, str]:
    body = system_of(side, path).get("distribution")
    found = text_of(body, "id"), text_of(body, "version")
    return found if all(found) else ("", "")
