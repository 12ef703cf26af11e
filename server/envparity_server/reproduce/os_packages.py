"""Installs OS packages at their versions: by default those that the Python environments load or belong to.

What a base image has already cannot be known from a fingerprint, and one package that the archive no longer has ends
a build: so all of them are asked for only where a person wants that.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from envparity_agent.fingerprint import SPLIT, Attributes, Items
from envparity_server.reproduce.bases import Base, Origin
from envparity_server.reproduce.model import Gap, Part
from envparity_server.reproduce.quoting import shell
from envparity_server.reproduce.target import Subject

SECTION = "os-packages"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*(?::[a-z0-9-]+)?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:~_^-]*")
_OWNER = re.compile(r"(?:deb|rpm|apk):(\S+)")
_PYTHON = re.compile(r"(?:lib)?py(?:thon)?3.*")  # how distributions call an interpreter and its parts
_SUITE = re.compile(r"[a-z]{1,32}")

# the archive's own words for it differ; a later RUN sees the variable, the image does not keep it
_SNAPSHOT = (
    "# versions that the archive no longer has come from a snapshot of it, of the day of the fingerprint:",
    "# --build-arg SNAPSHOT=ADDRESS",
    "ARG SNAPSHOT",
)


class Packages(StrEnum):
    """Which OS packages are installed at their versions."""

    NEEDED = "needed"
    ALL = "all"


def os_packages(subject: Subject, base: Base, wanted: Packages) -> Part:
    """The instruction that installs what is needed, and a gap for each package that is left to the base image."""
    if base.origin is Origin.OWN:
        return _changed(subject)
    installed = subject.items(SECTION)
    if not installed:
        return Part()
    needed = set(installed)
    if wanted is Packages.NEEDED:
        needed = _with_siblings(installed, set(_needed(subject, installed)))
    pins = {name: body for name, body in installed.items() if name in needed and _is_pinnable(name, body)}
    gaps = tuple(_gap(name, body, name in needed) for name, body in installed.items() if name not in pins)
    return Part(_install(subject, pins), gaps=gaps)


def _changed(subject: Subject) -> Part:
    """What was installed in the container after its image was built."""
    installed = subject.items(SECTION)
    pins: dict[str, Attributes] = {}
    gaps: list[Gap] = []
    for item, facts in sorted(subject.layer.items()):
        name = item.removeprefix("deb:").removeprefix("rpm:").removeprefix("apk:")
        if name == item:
            continue
        if name in installed and _is_pinnable(name, installed[name]):
            pins[name] = installed[name]
        else:
            gaps.append(Gap(SECTION, name, f"was {facts.get('change')} in the running container"))
    return Part(_install(subject, pins), gaps=tuple(gaps))


def _needed(subject: Subject, installed: Items) -> Iterator[str]:
    """The packages of the interpreters, of Python distributions, and of the libraries that these load."""
    yield from (name for name in installed if _PYTHON.fullmatch(name))
    for kind in ("libraries", "python"):
        for section in subject.of_kind(kind):
            for body in section.items.values():
                owner = _OWNER.match(str(body.get("owner") or ""))
                if owner:
                    yield owner[1]


def _with_siblings(installed: Items, needed: set[str]) -> set[str]:
    """What is built from the same source goes along: such packages ask for each other's exact version."""
    sources = {_source(name, installed[name]) for name in needed & installed.keys()}
    return {name for name, body in installed.items() if _source(name, body) in sources}


def _source(name: str, body: Attributes) -> str:
    return str(body.get("source") or name).partition(" ")[0].partition(":")[0]


def _is_pinnable(name: str, body: Attributes) -> bool:
    version = str(body.get("version") or "")
    return not {"state", SPLIT} & body.keys() and bool(_NAME.fullmatch(name)) and bool(_VERSION.fullmatch(version))


def _gap(name: str, body: Attributes, is_needed: bool) -> Gap:
    if SPLIT in body:
        return Gap(SECTION, name, "the hosts do not agree on it")
    if "state" in body:
        return Gap(SECTION, name, f"is {body['state']} and not installed")
    if is_needed:
        return Gap(SECTION, name, "has a name or version that no package manager takes")
    return Gap(
        SECTION, name, "no Python environment loads it, and the base image may not have it: --packages all installs it"
    )


def _install(subject: Subject, pins: Mapping[str, Attributes]) -> tuple[str, ...]:
    """The instruction for the package manager that the pins are of; the first one of a target that has several."""
    if not pins:
        return ()
    manager = str(next(iter(pins.values())).get("manager") or "deb")
    own = {name: str(body["version"]) for name, body in sorted(pins.items()) if _manager(body) == manager}
    if manager == "apk":
        return _run("apk add --no-cache", (f"{name}={version}" for name, version in own.items()))
    if manager == "rpm":
        return _run("dnf install --assumeyes --allowerasing", (f"{name}-{_no_epoch(own[name])}" for name in own))
    return _apt(subject, own)


def _manager(body: Attributes) -> str:
    return str(body.get("manager") or "deb")


def _no_epoch(version: str) -> str:
    """NAME-VERSION-RELEASE is what every package manager of RPM takes; the epoch stands elsewhere in each."""
    return version.rpartition(":")[2]


def _apt(subject: Subject, pins: Mapping[str, str]) -> tuple[str, ...]:
    suite = str(subject.items("os").get("distribution", {}).get("codename") or "")
    snapshot: tuple[str, ...] = ()
    first = "apt-get update"
    if _SUITE.fullmatch(suite):
        snapshot = _SNAPSHOT
        source = f'"deb [check-valid-until=no] $SNAPSHOT {suite} main"'
        first = f'if [ -n "$SNAPSHOT" ]; then echo {source} > /etc/apt/sources.list.d/snapshot.list; fi && {first}'
    install = "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends --allow-downgrades"
    lines = list(_run(install, (f"{name}={version}" for name, version in pins.items())))
    lines[0] = f"RUN {first} && {lines[0].removeprefix('RUN ')}"
    clean = "rm --recursive --force /var/lib/apt/lists/* /etc/apt/sources.list.d/snapshot.list"
    return (*snapshot, *lines[:-1], f"{lines[-1]} \\", f"    && {clean}")


def _run(command: str, packages: Iterable[str]) -> tuple[str, ...]:
    words = [shell(one) for one in packages]
    return (f"RUN {command} \\", *(f"    {one} \\" for one in words[:-1]), f"    {words[-1]}")
