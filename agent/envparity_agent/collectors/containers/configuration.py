"""How a container is configured: what decides how its program runs, without what an engine makes up for each one."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import chain
from typing import Any

from envparity_agent.canonical import MAX_INTEGER
from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.redaction import command, labels
from envparity_agent.collectors.values import untold
from envparity_agent.fingerprint import Attributes, Section, Status, Value

LABELS = (  # told without being asked for
    "com.docker.compose.project",
    "com.docker.compose.service",
    "envparity.app",
    "org.opencontainers.image.*",
)
_NO_LABELS = ("org.opencontainers.image.created",)  # moves with every build

_Named = tuple[str, Attributes]

# what an engine calls by a random id: an anonymous volume, a container, a pod
_GENERATED = re.compile(
    r"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![0-9a-f])"
    r"|(?<=/)[0-9a-f]{8}$"  # the end of what a kubelet makes: /var/lib/kubelet/pods/UID/containers/NAME/ID
)
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LONG = 200  # a seccomp profile is given by its whole text
_SHARED_MEMORY = (0, 64 * 1024 * 1024, 65_536_000)  # what Docker and Podman give unasked
_DEFAULT_NETWORKS = ("bridge", "podman")


def read(inspected: Mapping[str, Any], image: Mapping[str, Any] | None, options: Options) -> Section:
    """The section `config`, to be put below the container's, of an inspected container and its image.

    Variables of the image and those that were added are both there, as the engine merges them.
    """
    config, host = inspected["Config"], inspected.get("HostConfig") or {}
    of_image = (image or {}).get("Config") or {}
    return _section(
        _environment(config, of_image, options),
        _process(config, options),
        _ports(config, host, of_image if image else config),
        _mounts(inspected, host),
        _network(inspected, host),
        _limits(host),
        _security(host),
        _devices(host),
        _labels(config, options),
    )


def of_image(config: Mapping[str, Any], options: Options) -> Section:
    """The section `config` of an image: as that of a container, without what an engine decides for each one."""
    return _section(
        _environment(config, config, options),
        _process(config, options),
        _ports(config, {}, config),
        _labels(config, options),
    )


def _section(*parts: Iterable[_Named]) -> Section:
    items = dict(chain.from_iterable(parts))
    reasons = untold(items)
    return Section("config", "configuration", 1, items, Status.PARTIAL if reasons else Status.OK, reasons)


def _environment(config: Mapping[str, Any], of_image: Mapping[str, Any], options: Options) -> Iterator[_Named]:
    from_image = {one.partition("=")[0] for one in of_image.get("Env") or ()}
    for one in config.get("Env") or ():
        name, _, value = one.partition("=")
        if name in from_image or not _set_by_the_engine(name, value, config):
            yield f"env:{name}", options.disclosure.of(name, value)


def _set_by_the_engine(name: str, value: str, config: Mapping[str, Any]) -> bool:
    """Whether a variable is one that Podman writes down, and Docker sets without saying so."""
    return (name, value) in {
        ("PATH", _DEFAULT_PATH),
        ("TERM", "xterm"),
        ("HOME", "/root"),
        ("HOME", "/"),
        ("HOSTNAME", str(config.get("Hostname"))),
        ("container", "podman"),
        ("container", "oci"),
    }


def _process(config: Mapping[str, Any], options: Options) -> Iterator[_Named]:
    for item, key in (("entrypoint", "Entrypoint"), ("command", "Cmd")):
        words = config.get(key)
        if words:
            yield (
                item,
                command([words] if isinstance(words, str) else [str(word) for word in words], options.disclosure),
            )
    yield "workdir", {"value": str(config.get("WorkingDir") or "/")}
    if config.get("User"):
        yield "user", {"value": str(config["User"])}
    test = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    yield "healthcheck", {"value": test != ["NONE"]}


def _ports(config: Mapping[str, Any], host: Mapping[str, Any], of_image: Mapping[str, Any]) -> Iterator[_Named]:
    """Each port with the places of the host that lead to it, `any` for a port that the engine chooses anew each time.

    What a person asked for is in PortBindings; where that leads at the moment is told elsewhere, and moves.
    """
    bindings = host.get("PortBindings") or {}
    exposed = {port for port in config.get("ExposedPorts") or () if port not in bindings}
    exposed |= (of_image.get("ExposedPorts") or {}).keys()
    for port in sorted(exposed | bindings.keys()):
        published = {_binding(one) for one in bindings.get(port) or ()}
        if host.get("PublishAllPorts") and not published and port in exposed:
            published = {_binding({})}
        yield f"port:{port}", {"exposed": port in exposed, "published": tuple(sorted(published))}


def _binding(binding: Mapping[str, Any]) -> str:
    chosen = str(binding.get("HostPort") or "0")
    return f"{binding.get('HostIp') or '0.0.0.0'}:{'any' if chosen == '0' else chosen}"  # noqa: S104  # a fact


def _mounts(inspected: Mapping[str, Any], host: Mapping[str, Any]) -> Iterator[_Named]:
    for mount in inspected.get("Mounts") or ():
        facts: dict[str, Value] = {"type": str(mount.get("Type") or "bind"), "writable": bool(mount.get("RW"))}
        source = str((mount.get("Name") if facts["type"] == "volume" else mount.get("Source")) or "")
        shown = _GENERATED.sub("…", source)
        if shown.strip("…"):
            facts["source"] = shown
        yield f"mount:{mount['Destination']}", facts
    for place, how in (host.get("Tmpfs") or {}).items():
        yield f"mount:{place}", {"type": "tmpfs", "writable": "ro" not in str(how).split(",")}


def _network(inspected: Mapping[str, Any], host: Mapping[str, Any]) -> Iterator[_Named]:
    mode = str(host.get("NetworkMode") or "default")
    mode = "container" if mode.startswith("container:") else mode  # whose, is a random id
    yield "network", {"value": "bridge" if mode == "default" else _GENERATED.sub("…", mode)}
    joined = {str(name) for name in (inspected.get("NetworkSettings") or {}).get("Networks") or ()}
    if joined - {*_DEFAULT_NETWORKS, "none", "host"}:
        yield "networks", {"value": tuple(sorted(joined))}
    for item, key in (("dns", "Dns"), ("dns-search", "DnsSearch"), ("extra-hosts", "ExtraHosts")):
        if host.get(key):
            yield item, {"value": tuple(sorted(map(str, host[key])))}


def _limits(host: Mapping[str, Any]) -> Iterator[_Named]:
    memory, swap = _number(host, "Memory"), _number(host, "MemorySwap")
    cpu = _number(host, "NanoCpus") // 1_000_000
    if not cpu and _number(host, "CpuQuota") > 0:
        cpu = _number(host, "CpuQuota") * 1000 // (_number(host, "CpuPeriod") or 100_000)
    shared = _number(host, "ShmSize")
    amounts = {
        "memory": memory,
        "swap": swap if swap != 2 * memory else 0,  # twice the memory is what an engine gives unasked
        "reservation": _number(host, "MemoryReservation"),
        "cpu": cpu,  # in thousandths of a processor
        "pids": max(_number(host, "PidsLimit"), 0),
        "shm": shared if shared not in _SHARED_MEMORY else 0,
    }
    for name, amount in amounts.items():
        if amount:
            yield f"limit:{name}", {"value": amount}
    if host.get("CpusetCpus"):
        yield "limit:cpuset", {"value": str(host["CpusetCpus"])}
    for one in host.get("Ulimits") or ():
        name = str(one["Name"]).lower().removeprefix("rlimit_")
        yield f"ulimit:{name}", {"value": f"{one.get('Soft')}:{one.get('Hard')}"}


def _number(host: Mapping[str, Any], key: str) -> int:
    amount = int(host.get(key) or 0)
    return amount if abs(amount) <= MAX_INTEGER else 0


def _security(host: Mapping[str, Any]) -> Iterator[_Named]:
    policy = host.get("RestartPolicy") or {}
    again = str(policy.get("Name") or "no")
    yield "restart", {"value": f"{again}:{policy['MaximumRetryCount']}" if policy.get("MaximumRetryCount") else again}
    yield "privileged", {"value": bool(host.get("Privileged"))}
    yield "read_only", {"value": bool(host.get("ReadonlyRootfs"))}
    lists: tuple[tuple[str, str, Callable[[str], str]], ...] = (
        ("capabilities-added", "CapAdd", _capability),
        ("capabilities-dropped", "CapDrop", _capability),
        ("security", "SecurityOpt", _option),
    )
    for item, key, told in lists:
        if host.get(key):
            yield item, {"value": tuple(sorted(told(str(one)) for one in host[key]))}
    for item, key in (("pid", "PidMode"), ("ipc", "IpcMode"), ("users", "UsernsMode")):
        if host.get(key) == "host":
            yield f"namespace:{item}", {"value": "host"}


def _devices(host: Mapping[str, Any]) -> Iterator[_Named]:
    """What of the host's hardware is given, above all its GPUs, and what is set for the container's own kernel view."""
    given = {str(one.get("PathInContainer") or one.get("PathOnHost")) for one in host.get("Devices") or ()}
    if given:
        yield "devices", {"value": tuple(sorted(given))}
    asked = {_request(one) for one in host.get("DeviceRequests") or ()}
    if asked:
        yield "device-requests", {"value": tuple(sorted(asked))}
    if host.get("GroupAdd"):
        yield "groups-added", {"value": tuple(sorted(map(str, host["GroupAdd"])))}
    for name, value in (host.get("Sysctls") or {}).items():
        yield f"sysctl:{name}", {"value": str(value)}


def _request(request: Mapping[str, Any]) -> str:
    """As `--gpus` asks for them: how many, of what; which ones is a matter of the host."""
    count = len(request.get("DeviceIDs") or ()) or int(request.get("Count") or 0)
    wanted = ["+".join(sorted(map(str, those))) for those in request.get("Capabilities") or ()]
    return f"{'all' if count < 0 else count} of {' or '.join(sorted(wanted)) or request.get('Driver') or 'any'}"


def _capability(name: str) -> str:
    return name.upper().removeprefix("CAP_")


def _option(option: str) -> str:
    """A security option; of a whole profile its name and hash."""
    if len(option) <= _LONG:
        return option
    name = option.partition("=")[0][:_LONG]
    return f"{name}=sha256:{sha256(option.encode('utf-8', 'surrogatepass')).hexdigest()}"


def label_items(found: Mapping[str, str], options: Options) -> dict[str, Attributes]:
    """The items of the labels that are told, of a container as of a file that declares one."""
    usual = {name: value for name, value in found.items() if name not in _NO_LABELS}
    told = {**labels(usual, LABELS), **labels(found, options.labels)}
    return {f"label:{name}": {"value": value} for name, value in told.items()}


def _labels(config: Mapping[str, Any], options: Options) -> Iterable[_Named]:
    found = {str(name): str(value) for name, value in (config.get("Labels") or {}).items()}
    return label_items(found, options).items()
