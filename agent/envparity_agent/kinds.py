"""What each kind of section declares: its attributes, and which of them a comparison looks at.

A comparison uses the attributes that both sides' schemas declare, so a newer agent that reads more makes no drift.
Every schema ever emitted stays here.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Attribute:
    """One attribute: what it means, and whether a difference in it is a difference of the target."""

    meaning: str
    compared: bool = True


@dataclass(frozen=True)
class Kind:
    """One version of the schema of a kind."""

    title: str
    attributes: Mapping[str, Attribute]


def _label(meaning: str) -> Attribute:
    return Attribute(meaning, compared=False)


OS = Kind(
    "Operating system",
    {
        "id": Attribute("ID of os-release, such as debian"),
        "version": Attribute("version of the distribution or of the C library"),
        "point_release": Attribute("/etc/debian_version, such as 12.5"),
        "codename": _label("VERSION_CODENAME of os-release"),
        "name": _label("PRETTY_NAME of os-release"),
        "family": Attribute("which C library: glibc or musl"),
        "machine": Attribute("instruction set that the system's programs are built for"),
    },
)

MACHINE = Kind(
    "Machine",
    {
        "release": Attribute("kernel release, as uname -r"),
        "build": Attribute("kernel build, as uname -v"),
        "machine": Attribute("architecture of the kernel, as uname -m"),
        "cores": Attribute("processors that are online"),
        "model": Attribute("processor model"),
        "total": Attribute("memory in MiB"),
        "kind": Attribute("bare-metal, container, or the hypervisor: kvm, vmware, hyper-v, virtualbox, xen, wsl, ..."),
    },
)

OS_PACKAGES = Kind(
    "OS packages",
    {
        "version": Attribute("version as the package manager writes it"),
        "architecture": Attribute("architecture, or all"),
        "source": _label("source package"),
        "state": Attribute("dpkg state where it is not installed: unpacked, half-configured, ..."),
    },
)

PYTHON_SEARCH = Kind(
    "Search for Python environments",
    {"skipped": _label("why this directory was not searched")},
)

PYTHON = Kind(
    "Python environment",
    {
        "version": Attribute("version of the distribution, or of the interpreter"),
        "content": Attribute("SHA-256 over the files and hashes that RECORD lists, free of installer noise"),
        "code": Attribute("the same without the .dist-info directory"),
        "pure": Attribute("the same over .py files only: equal across platforms"),
        "tags": Attribute("tags of the wheel"),
        "build": Attribute("build number of the wheel"),
        "commit": Attribute("commit of a distribution installed from version control"),
        "editable": Attribute("installed in editable mode"),
        "problem": Attribute("why the distribution's metadata could not be read"),
        "implementation": Attribute("cpython or pypy"),
        "role": Attribute("venv, interpreter or site"),
        "abi": Attribute("version of the library directory: 3.11, 3.13t"),
        "system_site": Attribute("whether the base interpreter's packages are visible"),
        "orphaned": Attribute("the base interpreter is gone"),
        "creator": _label("venv, virtualenv or uv"),
        "base": _label("directory of the base interpreter"),
        "source": _label("URL of a direct install, without credentials"),
        "installer": _label("what INSTALLER says"),
        "form": _label("dist-info, egg-info or egg"),
        "location": _label("path entry that holds it"),
    },
)

DECLARED = Kind(
    "Declared packages",
    {
        "version": Attribute("the pinned version"),
        "specifier": _label("the version specifier, where it is no pin"),
        "marker": _label("the environment marker"),
        "source": _label("URL, without credentials"),
    },
)

CONTAINERS = Kind(
    "Container engine",
    {
        "version": Attribute("version of the engine"),
        "api": _label("version of its API"),
        "store": _label("graphdriver or containerd: decides what an image id is"),
        "cgroup": Attribute("cgroup version"),
    },
)

CONTAINER = Kind(
    "Container",
    {
        "reference": Attribute("the image as it was declared, normalised"),
        "manifest": Attribute("platform manifest digest of the image that runs"),
        "config": Attribute("config digest of the image that runs (the OCI image id)"),
        "content": Attribute("SHA-256 over the ChainID of the layers, the platform and the normalised config"),
        "index": _label("index digest, which attestations move"),
        "repo_digests": _label("RepoDigests of the engine: a set, of no certain kind"),
        "platform": Attribute("os/architecture/variant"),
        "fields": _label("which field of the engine's API each digest came from"),
        "moved": Attribute("the tag points at another image now than the one that the container runs"),
        "points_at": _label("id of the image that the tag points at now"),
        "change": Attribute("added, modified or deleted in the container's writable layer"),
    },
)

KINDS: Mapping[tuple[str, int], Kind] = {
    ("os", 1): OS,
    ("machine", 1): MACHINE,
    ("os-packages", 1): OS_PACKAGES,
    ("python-search", 1): PYTHON_SEARCH,
    ("python", 1): PYTHON,
    ("declared", 1): DECLARED,
    ("containers", 1): CONTAINERS,
    ("container", 1): CONTAINER,
}


def compared_between(*schemas: tuple[str, int]) -> frozenset[str]:
    """The attributes that a comparison of sections of these (kind, schema version) looks at.

    A version that this program does not know yet is taken as the newest that it does know; an unknown kind has none.
    """
    return frozenset.intersection(*(_compared(kind, version) for kind, version in schemas))


def _compared(kind: str, version: int) -> frozenset[str]:
    known = [number for name, number in KINDS if name == kind]
    if not known:
        return frozenset()
    declared = KINDS.get((kind, version)) or KINDS[kind, max(known)]
    return frozenset(name for name, attribute in declared.attributes.items() if attribute.compared)


def title(kind: str) -> str:
    """What a person calls sections of this kind."""
    return next((one.title for (name, _), one in KINDS.items() if name == kind), kind)
