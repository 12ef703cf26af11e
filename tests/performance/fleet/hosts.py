"""Simulated hosts: their sections have the shapes and sizes of collectors', and hosts share what is alike."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from envparity_agent.fingerprint import Attributes, Fingerprint, Reason, Section, Status, Target

RELEASES = ("bookworm", "trixie", "noble")
ROLES = ("web", "db", "worker")
ENVIRONMENTS = ("dev", "test", "prod")
PACKAGES, LIBRARIES, SETTINGS = 400, 80, 26
DEVIATING = 3  # packages of each host that no other one has
MOVED = 2  # packages or distributions that one upgrade or deploy changes

_VERSIONS = {"bookworm": ("12", "12.11", "3.11"), "trixie": ("13", "13.1", "3.13"), "noble": ("24.04", "", "3.12")}


@dataclass(frozen=True)
class Machine:
    """What of a host never changes."""

    number: int

    @property
    def release(self) -> str:
        """Its operating system."""
        return RELEASES[self.number % 3]

    @property
    def role(self) -> str:
        """What it is for."""
        return ROLES[self.number // 3 % 3]

    @property
    def environment(self) -> str:
        """Where it stands: of ten hosts two in dev, three in test, five in prod."""
        return ("prod", "test", "prod", "dev", "prod", "test", "prod", "dev", "prod", "test")[self.number // 9 % 10]

    @property
    def name(self) -> str:
        """Its name."""
        return f"{self.role}-{self.environment}-{self.number:04}"


@dataclass(frozen=True)
class State:
    """What of a host changes: upgrades of its release and deploys of its role that it has, and a patch by hand."""

    upgrades: int = 0
    deploys: int = 0
    patched: bool = False


def fingerprint(machine: Machine, state: State, taken_at: str) -> Fingerprint:
    """What the host would report."""
    found = {one.path: one for one in _sections(machine, state)}
    return Fingerprint(Target("host", machine.name), taken_at, found, {"hostname": machine.name})


def _sections(machine: Machine, state: State) -> Iterator[Section]:
    yield from _system(machine.release)
    yield _deviating(machine, packages(machine.release, state.upgrades))
    python = _VERSIONS[machine.release][2]
    environments = (
        (f"usr/lib/python{python}", ("system", 30, 0), False),
        (f"srv/{machine.role}/.venv", (machine.role, 120, state.deploys), state.patched),
        ("opt/tools/.venv", ("tools", 300, 0), False),
        (f"srv/{machine.role}-jobs/.venv", ("jobs", 60, 0), False),
    )
    for place, filling, patched in environments:
        yield _environment(f"python/{place}", python, filling, patched)
        yield _same(f"verify/{place}", "python-files", 1)
    yield _code(machine.role, state.deploys)
    for number, name in enumerate((f"{machine.role}.app", "proxy", "metrics")):
        yield from _container(name, state.deploys if number == 0 else 0)


@cache
def _same(path: str, kind: str, schema: int, status: Status = Status.OK, *reasons: str) -> Section:
    return Section(path, kind, schema, {}, status, reasons)


@cache
def _system(release: str) -> tuple[Section, ...]:
    version, point, _ = _VERSIONS[release]
    distribution = {"id": "debian", "version": version, "codename": release, "name": f"Linux {version} ({release})"}
    libraries: dict[str, Attributes] = {
        f"lib{number:03}.so.{number % 7}": {
            "build_id": _hash(release, "library", number)[:40],
            "path": f"/usr/lib/x86_64-linux-gnu/lib{number:03}.so.{number % 7}.0",
            "owner": f"deb:package-{number:03} {version}.{number}-1",
            "used_by": (f"module{number % 11}", f"module{number % 13}"),
        }
        for number in range(LIBRARIES)
    }
    return (
        Section(
            "os",
            "os",
            1,
            {
                "architecture": {"machine": "x86_64"},
                "distribution": {**distribution, "point_release": point},
                "libc": {"family": "glibc", "version": f"2.{version[:2]}"},
            },
        ),
        Section(
            "os/machine",
            "machine",
            2,
            {
                "cpu": {"cores": 8, "model": "AMD EPYC", "features": ("aes", "avx", "avx2"), "level": "x86-64-v3"},
                "kernel": {"release": f"6.{version[:2]}-amd64", "build": "#1 SMP", "machine": "x86_64"},
                "memory": {"total": 32000},
                "virtualisation": {"kind": "kvm"},
            },
        ),
        Section(
            "os/settings",
            "settings",
            1,
            {f"kernel.setting{number}": {"value": str(number)} for number in range(SETTINGS)},
        ),
        Section("os/libraries", "libraries", 1, libraries),
        Section("python", "python-search", 2, {"mnt/share": {"skipped": "file system of type nfs4"}}),
        Section("containers", "containers", 2, {"engine": {"version": "26.1", "store": "graphdriver", "cgroup": "2"}}),
        _same("config", "file", 1, Status.ABSENT, Reason.NOT_INSTALLED),
        Section(
            "services",
            "configuration",
            1,
            {f"unit{number}.service": {"command": "/usr/bin/python3 -m app"} for number in range(12)},
        ),
    )


@cache
def packages(release: str, upgrades: int) -> Mapping[str, Attributes]:
    """The packages of a release after so many upgrades, each of which moves a few."""
    if upgrades == 0:
        return {_package(number): _deb(release, number, 0) for number in range(PACKAGES)}
    moved = range(MOVED * upgrades, MOVED * (upgrades + 1))
    return {
        **packages(release, upgrades - 1),
        **{_package(number): _deb(release, number, upgrades) for number in moved},
    }


def _package(number: int) -> str:
    return f"package-{number % PACKAGES:03}"


def _deb(release: str, number: int, upgrade: int) -> Attributes:
    return {
        "version": f"{number % 9}.{number % 13}.{number % 7}-{upgrade + 1}+{release}",
        "architecture": "all" if number % 5 == 0 else "amd64",
        "manager": "deb",
        "source": f"source-{number % 90}",
        "content": f"sha256:{_hash(release, 'deb', number, upgrade)}",
    }


def _deviating(machine: Machine, usual: Mapping[str, Attributes]) -> Section:
    """A host's packages: some are a build that it alone has."""
    own = {
        name: {**usual[name], "version": f"{usual[name]['version']}~local{machine.number}"}
        for name in (_package(200 + (machine.number * 7 + 61 * turn) % 200) for turn in range(DEVIATING))
    }
    return Section("os-packages", "os-packages", 2, {**usual, **own})


@cache
def distributions(name: str, count: int, deploys: int) -> Mapping[str, Attributes]:
    """The distributions of a Python environment after so many deploys, each of which moves a few."""
    if deploys == 0:
        return {f"{name}-{number:03}": _distribution(name, number, 0) for number in range(count)}
    moved = {(MOVED * deploys + turn) % count for turn in range(MOVED)}
    return {
        **distributions(name, count, deploys - 1),
        **{f"{name}-{number:03}": _distribution(name, number, deploys) for number in moved},
    }


def _distribution(name: str, number: int, deploy: int) -> Attributes:
    return {
        "version": f"{number % 5}.{number % 11}.{deploy}",
        "content": f"sha256:{_hash(name, 'content', number, deploy)}",
        "code": f"sha256:{_hash(name, 'code', number, deploy)}",
        "pure": f"sha256:{_hash(name, 'pure', number, deploy)}",
        "form": "dist-info",
        "installer": "pip",
        "location": "lib/python3/site-packages",
        "requires": (f"{name}-{number + 1:03}>=1", "typing-extensions; python_version < '3.11'"),
        "tags": ("py3-none-any",),
    }


@cache
def _environment(path: str, python: str, filling: tuple[str, int, int], patched: bool) -> Section:
    items = dict(distributions(*filling))
    if patched:
        first = next(iter(items))
        items[first] = {**items[first], "version": "9.9.9", "installer": "uv"}
    interpreter: Attributes = {
        "role": "venv", "implementation": "cpython", "abi": python, "version": f"{python}.2", "hooks": (),
        "path": (f"00 lib/python{python} (stdlib)", f"01 lib/python{python}/site-packages (site)"),
    }  # fmt: skip
    return Section(path, "python", 2, {"@python": interpreter, **items})


@cache
def _code(role: str, deploys: int) -> Section:
    files: dict[str, Attributes] = {
        f"file:{role}/module{number}.py": {"content": f"sha256:{_hash(role, 'file', number, deploys // (number + 1))}"}
        for number in range(40)
    }
    code: Attributes = {"location": f"/srv/{role}", "tree": f"sha256:{_hash(role, 'tree', deploys)}", "files": 40}
    return Section(f"app/srv/{role}", "application", 1, {"code": code, **files})


@cache
def _container(name: str, deploys: int) -> tuple[Section, ...]:
    """A container: what it runs, its configuration, and what is inside its image."""
    path = f"container/{name}"
    image: Attributes = {
        "reference": f"registry.example/{name}:stable",
        "config": f"sha256:{_hash(name, 'config', deploys)}",
        "content": f"sha256:{_hash(name, 'content', deploys)}",
        "platform": "linux/amd64",
        "layers": tuple(f"{number:02} sha256:{_hash(name, 'layer', number, deploys)}" for number in range(8)),
    }
    configuration: dict[str, Attributes] = {
        **{f"env:SETTING_{number}": {"hmac": _hash(name, "env", number), "key": "k1"} for number in range(15)},
        "entrypoint": {"command": "python -m app"},
        "restart": {"value": "always"},
        "port:8000/tcp": {"exposed": True, "published": ("0.0.0.0:8000",)},
    }
    inside = {f"inside-{number:03}": _deb(name, number, 0) for number in range(120)}
    distribution = {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12"}
    return (
        Section(path, "container", 2, {"image": image, "tag": {"moved": False, "points_at": image["config"]}}),
        Section(f"{path}/config", "configuration", 1, configuration),
        Section(f"{path}/os", "os", 1, {"distribution": distribution}),
        Section(f"{path}/os-packages", "os-packages", 2, inside),
        _same(f"{path}/python", "python-search", 2),
        _environment(f"{path}/python/opt/app", "3.12", (f"inside-{name}", 80, deploys), patched=False),
    )


def _hash(*what: object) -> str:
    return hashlib.sha256("/".join(map(str, what)).encode()).hexdigest()
