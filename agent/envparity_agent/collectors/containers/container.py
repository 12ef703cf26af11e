"""The running containers of a subject: which image each really runs, where its tag points, and what was patched."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import docker
import requests.exceptions

from envparity_agent.collectors.containers.engine import NotInstalled, connect, inspect_image, locate, reason_of
from envparity_agent.collectors.containers.images import identity, normal_reference, store
from envparity_agent.collectors.interface import Collector, Subject
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Section, Status, Value

MAX_CHANGES = 1000

_CHANGES = {0: "modified", 1: "added", 2: "deleted"}
# places that a container writes to in the course of its work, and files that the engine itself puts there
_VOLATILE = (
    "/.dockerenv", "/dev", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/proc", "/root/.cache",
    "/run", "/sys", "/tmp", "/var/cache", "/var/lock", "/var/log", "/var/run", "/var/tmp",  # noqa: S108  # names only
)  # fmt: skip


def collect(subject: Subject, inside: Sequence[Collector]) -> Iterator[Section]:
    """Yield one `container/NAME` for each running container, then `containers`, which says if the engine answered."""
    try:
        url = locate(subject.root, subject.options.engine)
        with connect(url) as client:
            subject.progress("asking the container engine")
            info = client.info()
            yield from read_all(client, info)
            yield _engine(client.version(), info)
    except NotInstalled as problem:
        yield _without_answer(Status.ABSENT, problem.reason)
    except Unreadable as problem:
        yield _without_answer(Status.FAILED, problem.reason)


def _without_answer(status: Status, reason: str) -> Section:
    return Section("containers", "containers", 1, status=status, reasons=(reason,))


def _engine(version: Mapping[str, Any], info: Mapping[str, Any]) -> Section:
    facts: dict[str, Value] = {
        "version": str(version.get("Version", "")),
        "api": str(version.get("ApiVersion", "")),
        "store": store(info),
        "cgroup": str(info.get("CgroupVersion", "1")),
    }
    return Section("containers", "containers", 1, {"engine": facts})


def read_all(client: docker.APIClient, info: Mapping[str, Any]) -> Iterator[Section]:
    """The sections of all running containers; identical replicas are one, variants are numbered."""
    by_name: dict[str, dict[str, Section]] = {}
    instances: dict[tuple[str, str], int] = {}  # by path and hash: other names may have the same facts
    for listed in client.containers():
        inspected = None
        try:
            inspected = client.inspect_container(listed["Id"])
            section = read(client, store(info), inspected)
        except docker.errors.NotFound:
            continue  # it ended between the list and this question: it does not run
        except (docker.errors.APIError, requests.exceptions.Timeout) as problem:
            name = logical_name(inspected) if inspected else (listed.get("Names") or [listed["Id"]])[0].lstrip("/")
            reasons = (reason_of(problem),)
            section = Section(f"container/{name}", "container", 1, status=Status.FAILED, reasons=reasons)
        by_name.setdefault(section.path, {}).setdefault(section.hash, section)
        replica = section.path, section.hash
        instances[replica] = instances.get(replica, 0) + 1
    for path, variants in by_name.items():
        for number, (key, section) in enumerate(sorted(variants.items()), start=1):
            observed = {**section.observed, "instances": instances[path, key]}
            yield Section(
                path if len(variants) == 1 else f"{path}#{number}",
                section.kind,
                section.schema,
                section.items,
                section.status,
                section.reasons,
                observed,
            )


def logical_name(inspected: Mapping[str, Any]) -> str:
    """What people call a container: compose project.service, swarm service, Kubernetes owner, else its name."""
    labels = inspected["Config"].get("Labels") or {}
    project, service = labels.get("com.docker.compose.project"), labels.get("com.docker.compose.service")
    if project and service:
        return f"{project}.{service}"
    if labels.get("com.docker.swarm.service.name"):
        return str(labels["com.docker.swarm.service.name"])
    namespace, pod = labels.get("io.kubernetes.pod.namespace"), labels.get("io.kubernetes.pod.name")
    if namespace and pod:
        return f"{namespace}/{pod}/{labels.get('io.kubernetes.container.name', 'container')}"
    return str(inspected["Name"]).lstrip("/")


def read(client: docker.APIClient, store_kind: str, inspected: Mapping[str, Any]) -> Section:
    """The section of one inspected container: starts from what it runs, not from what its tag says."""
    declared = str(inspected["Config"]["Image"])
    running = str(inspected["Image"])
    items: dict[str, Attributes] = {}
    reasons: list[str] = []
    image = inspect_image(client, running)
    if image is None:
        reasons.append(Reason.VANISHED)
    else:
        manifest = (inspected.get("ImageManifestDescriptor") or {}).get("digest")
        items["image"] = identity(image, store_kind, manifest)
        if not _is_id(declared, running):
            items["image"] = {"reference": normal_reference(declared), **items["image"]}
            items |= _tag(client, declared, running)
    changes = topmost_changes(client.diff(inspected["Id"]) or ())
    if len(changes) > MAX_CHANGES:
        reasons.append(Reason.CAP)
    items |= {f"layer:{path}": {"change": change} for path, change in sorted(changes.items())[:MAX_CHANGES]}
    return Section(
        f"container/{logical_name(inspected)}",
        "container",
        1,
        items,
        status=Status.PARTIAL if reasons else Status.OK,
        reasons=tuple(reasons),
        observed={"id": str(inspected["Id"])[:12], "name": str(inspected["Name"]).lstrip("/")},
    )


def _tag(client: docker.APIClient, declared: str, running: str) -> dict[str, Attributes]:
    """Where the declared tag points now; nothing for a reference by digest, or a tag that is gone."""
    if "@" in declared:
        return {}
    tagged = inspect_image(client, declared)
    if tagged is None:
        return {}
    return {"tag": {"moved": tagged["Id"] != running, "points_at": str(tagged["Id"])}}


def _is_id(declared: str, running: str) -> bool:
    """Whether a person named the image by its id, or the beginning of it."""
    return declared.startswith("sha256:") or running.removeprefix("sha256:").startswith(declared)


def topmost_changes(changes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Path -> change, each change once at the highest path that says it all.

    The engine lists every directory above a change as modified and everything below an added directory as added.
    """
    kinds = {str(change["Path"]): int(change["Kind"]) for change in changes}
    parents = {path.rpartition("/")[0] for path in kinds}
    found = {}
    for path, kind in kinds.items():
        inside_added = kinds.get(path.rpartition("/")[0]) == 1 and kind == 1
        only_above = kind == 0 and path in parents
        if not inside_added and not only_above and not _is_volatile(path):
            found[path] = _CHANGES.get(kind, f"kind-{kind}")
    return found


def _is_volatile(path: str) -> bool:
    if path.endswith((".pyc", "/__pycache__")):
        return True
    return any(path == place or path.startswith(f"{place}/") for place in _VOLATILE)
