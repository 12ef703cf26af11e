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


def _extended(kind: Kind, attributes: Mapping[str, Attribute]) -> Kind:
    """The next version of a kind: all that it had, and more."""
    return Kind(kind.title, {**kind.attributes, **attributes})


def _label(meaning: str) -> Attribute:
    return Attribute(meaning, compared=False)


# items that agents and comparisons both know by name; no distribution, package or file can be called so
INTERPRETER_ITEM = "@python"  # of an environment, and of what a file declares
LOCK_ITEM = "@lock"  # in a file that names all that is to be installed
CODE_ITEM = "code"  # of an application: what all of its code is, beside `file:PATH`

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

MACHINE_2 = _extended(
    MACHINE,
    {
        "features": Attribute("instruction sets of the processor that programs ask for, such as avx2"),
        "level": Attribute("level of the instruction set: x86-64-v3"),
        "given": Attribute("what a control group grants: processors in thousandths, memory in MiB"),
    },
)

SETTINGS = Kind(
    "System settings",
    {
        "value": Attribute("value: of a sysctl, the locale, the time zone"),
        "soft": Attribute("soft limit of a resource, or unlimited"),
        "hard": Attribute("hard limit of a resource, or unlimited"),
    },
)

LIBRARIES = Kind(
    "Native libraries",
    {
        "version": Attribute("version that the library's own text tells, such as OpenSSL's"),
        "build_id": Attribute("build id that the linker wrote into the library"),
        "content": Attribute("SHA-256 of the file, where it has no build id"),
        "missing": Attribute("no library of this name was found, although one is asked for"),
        "path": _label("where it lies"),
        "owner": _label("package that it belongs to: deb:libssl3 3.0.15-1"),
        "used_by": _label("Python distributions and modules that load it"),
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

OS_PACKAGES_2 = _extended(
    OS_PACKAGES,
    {
        "content": Attribute("hash that the package manager keeps of the package, or of the list of its files' hashes"),
        "manager": _label("deb, rpm or apk"),
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
        "build": Attribute("build number of the wheel, or conda's build string"),
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
        "form": _label("dist-info, egg-info, egg or egg-link"),
        "location": _label("path entry that holds it"),
    },
)

PYTHON_2 = _extended(
    PYTHON,
    {
        "head": Attribute("commit of the checkout that an editable distribution lies in"),
        "dirty": Attribute("the checkout has changes that are in no commit"),
        "changes": Attribute("SHA-256 over the paths and contents of those changes"),
        "channel": Attribute("conda channel"),
        "path": Attribute("entries of sys.path in order, each with its number and origin"),
        "hooks": Attribute("code that runs at start, by name and hash: .pth import lines, .start files, sitecustomize"),
        "restart_needed": Attribute("a process runs from the environment that is older than what is on disk"),
        "requested": _label("a person asked for it: not only a dependency of another one"),
        "requires": _label("Requires-Dist, as in the metadata"),
        "requires_python": _label("Requires-Python, as in the metadata"),
        "unmet": _label("requirements that apply here and that nothing installed fulfils, with what is there"),
        "owner": _label("OS package that it belongs to: deb:python3-foo 1.2-3"),
        "archive": _label("hashes of the archive that it was installed from"),
        "display": _label("the name as the metadata has it, where it is not the normalised one"),
    },
)

PYTHON_FILES = Kind(
    "Python files against RECORD",
    {
        "modified": Attribute("files whose content is not what RECORD says"),
        "missing": Attribute("files of RECORD that are not there"),
        "content": Attribute("SHA-256 over the modified files and their present hashes"),
    },
)

SYMBOLS = Kind("Public names of a Python distribution", {"names": _label("names that a module defines")})

SYMBOLS_2 = _extended(SYMBOLS, {"uses": _label("what a module uses of other modules, with the lines")})

APPLICATION = Kind(
    "Application code",
    {
        "commit": Attribute("commit that is checked out"),
        "dirty": Attribute("there are changes that are in no commit"),
        "changes": Attribute("SHA-256 over the paths and contents of those changes"),
        "revision": Attribute("org.opencontainers.image.revision of the image"),
        "tree": Attribute("SHA-256 over all files and their contents"),
        "content": Attribute("SHA-256 of a file"),
        "shadowed": Attribute("a mount hides the code that the image has there"),
        "branch": _label("branch that is checked out"),
        "source": _label("where the code comes from, without credentials"),
        "location": _label("directory of the code"),
        "files": _label("how many files the tree has; where they are very many, none is an item of its own"),
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

DECLARED_2 = _extended(
    DECLARED,
    {
        "commit": Attribute("commit that is asked for"),
        "hashes": _label("hashes of the archives that are allowed"),
        "line": _label("line of the file that declares it"),
        "via": _label("what asked for it, where the file tells"),
        "optional": _label("what must be chosen for it to be installed: an extra, a group, or none: a constraint"),
        "complete": _label("the file is a lock: nothing else is to be installed"),
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

CONTAINERS_2 = _extended(
    CONTAINERS,
    {
        "kernel": Attribute("kernel that the containers share"),
        "rootless": Attribute("the engine runs without root"),
        "unseen": Attribute("containers of a runtime that cannot be asked run here"),
        "count": _label("how many"),
        "level": _label("how far the operator lets containers be looked into"),
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

CONTAINER_2 = _extended(
    CONTAINER,
    {
        "owner": Attribute("what a change in the writable layer belongs to: a Python distribution or an OS package"),
        "base": _label("base image: its name and digest from OCI labels"),
        "layers": _label("DiffIDs in order, each with its number"),
        "history": _label("what made each layer, redacted, in order, each with its number"),
        "created": _label("when the image was built"),
    },
)

CONFIGURATION = Kind(
    "Configuration of a container or service",
    {
        "value": Attribute("value that is told in clear"),
        "hmac": Attribute("keyed hash of a value that is not"),
        "key": Attribute("id of the key that made the hash"),
        "hidden": Attribute("the value is not told, as there is no key"),
        "exposed": Attribute("the image declares the port"),
        "published": Attribute("addresses and ports of the host that lead to it"),
        "type": Attribute("bind, volume or tmpfs"),
        "source": Attribute("what is mounted"),
        "writable": Attribute("the mount can be written to"),
        "command": Attribute("words of the command that are told in clear; … for the others"),
    },
)

FILE = Kind(
    "Configuration file",
    {
        "value": Attribute("value that is told in clear"),
        "hmac": Attribute("keyed hash of a value that is not"),
        "key": Attribute("id of the key that made the hash"),
        "hidden": Attribute("the value is not told, as there is no key"),
        "mode": Attribute("permissions"),
        "format": _label("how the file was read: env, ini, toml, yaml, json or whole"),
    },
)

KINDS: Mapping[tuple[str, int], Kind] = {
    ("os", 1): OS,
    ("machine", 1): MACHINE,
    ("machine", 2): MACHINE_2,
    ("settings", 1): SETTINGS,
    ("libraries", 1): LIBRARIES,
    ("os-packages", 1): OS_PACKAGES,
    ("os-packages", 2): OS_PACKAGES_2,
    ("python-search", 1): PYTHON_SEARCH,
    ("python-search", 2): PYTHON_SEARCH,  # from here on the applications beside the environments are told as well
    ("python", 1): PYTHON,
    ("python", 2): PYTHON_2,
    ("python-files", 1): PYTHON_FILES,
    ("symbols", 1): SYMBOLS,
    ("symbols", 2): SYMBOLS_2,
    ("application", 1): APPLICATION,
    ("declared", 1): DECLARED,
    ("declared", 2): DECLARED_2,
    ("containers", 1): CONTAINERS,
    ("containers", 2): CONTAINERS_2,
    ("container", 1): CONTAINER,
    ("container", 2): CONTAINER_2,
    ("configuration", 1): CONFIGURATION,
    ("file", 1): FILE,
}


# kind -> how the names of items begin that it has only from a version on
_LATER_ITEMS: Mapping[str, tuple[tuple[str, int], ...]] = {"python": (("conda:", 2),)}


def compared_between(*schemas: tuple[str, int]) -> frozenset[str]:
    """The attributes that a comparison of sections of these (kind, schema version) looks at.

    A version that this program does not know yet is taken as the newest that it does know; an unknown kind has none.
    """
    return frozenset.intersection(*(_compared(kind, version) for kind, version in schemas))


def tells(kind: str, version: int, item: str) -> bool:
    """Whether an agent that emits this version of a kind would tell an item if it were there."""
    return not any(version < since and item.startswith(start) for start, since in _LATER_ITEMS.get(kind, ()))


def newest(kind: str) -> int:
    """The highest version of a kind's schema that this program knows; 1 for a kind that it does not know."""
    return max((version for name, version in KINDS if name == kind), default=1)


def _compared(kind: str, version: int) -> frozenset[str]:
    declared = KINDS.get((kind, version)) or KINDS.get((kind, newest(kind)))
    if declared is None:
        return frozenset()
    return frozenset(name for name, attribute in declared.attributes.items() if attribute.compared)


def title(kind: str) -> str:
    """What a person calls sections of this kind."""
    return next((one.title for (name, _), one in KINDS.items() if name == kind), kind)
