"""The running containers of a subject: which image each really runs, how it is configured, and what is inside."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import docker.errors

from envparity_agent.collectors.containers import cgroups, configuration, inside
from envparity_agent.collectors.containers.changes import Changed, unattributed
from envparity_agent.collectors.containers.client import Client
from envparity_agent.collectors.containers.description import facts
from envparity_agent.collectors.containers.engine import (
    FAULTS,
    Endpoint,
    NotInstalled,
    connect,
    endpoints,
    inspect_image,
    reason_of,
)
from envparity_agent.collectors.containers.images import identity, is_id, normal_reference, store
from envparity_agent.collectors.containers.layer import without_mounts
from envparity_agent.collectors.containers.naming import listed_name, logical_name
from envparity_agent.collectors.containers.replicas import Replica, folded, hashable
from envparity_agent.collectors.interface import Collector, Consent, Subject
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Section, Status, Value

MAX_CHANGES = 1000
MAX_CONTAINERS = 2000
INSIDE_SECONDS = 300.0  # for reading inside all containers together

Changes = Sequence[Mapping[str, Any]]


@dataclass
class _Host:
    """What has been found out so far about the containers of one host."""

    subject: Subject
    inside: Sequence[Collector]
    items: dict[str, Attributes] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)
    replicas: list[Replica] = field(default_factory=list)
    known: set[str] = field(default_factory=set)  # ids of the containers that an engine told of
    engines: set[tuple[str, str]] = field(default_factory=set)  # that answered, by id and directory of their data
    deadline: float = field(default_factory=lambda: time.monotonic() + INSIDE_SECONDS)


def collect(subject: Subject, inside: Sequence[Collector]) -> Iterator[Section]:
    """Yield the sections of every container, then `containers`, which says which engines answered and what is unseen.

    `inside` are the collectors that read what is inside a container.
    """
    consent = subject.options.consent
    host = _Host(subject, inside, {"consent": {"level": consent.name.lower()}})
    if consent < Consent.IMAGES:
        yield Section("containers", "containers", 2, host.items, Status.ABSENT, (Reason.CONSENT,))
        return
    found: list[Endpoint] = []
    try:
        found, host.reasons = endpoints(subject.root, subject.options.engine)
    except NotInstalled:
        pass
    except Unreadable as problem:
        host.reasons.add(problem.reason)
    for number, endpoint in enumerate(found):
        try:
            _ask(host, endpoint, "engine" if number == 0 else f"engine:{endpoint.place}")
        except Unreadable as problem:
            host.reasons.add(problem.reason)
    unseen = _unseen(host, found)
    yield from folded(host.replicas)
    yield Section("containers", "containers", 2, host.items, *_status(host, found, unseen))


def _status(host: _Host, found: Sequence[Endpoint], unseen: bool) -> tuple[Status, tuple[str, ...]]:
    """Of what runs here no more than a part is told where an engine did not answer, or something is unseen."""
    if not found and not unseen and not host.reasons:
        return Status.ABSENT, (Reason.NOT_INSTALLED,)
    reasons = tuple(sorted({*host.reasons, Reason.UNSUPPORTED} if unseen else host.reasons))
    if not host.engines and not unseen:
        return Status.FAILED, reasons
    return (Status.PARTIAL if reasons else Status.OK), reasons


def _unseen(host: _Host, found: Sequence[Endpoint]) -> bool:
    """Count the containers by runtime that no engine told of; whether there are any."""
    running, reasons = cgroups.running(host.subject.root)
    host.reasons |= reasons
    if running.keys() - host.known:
        for endpoint in found:  # one may have begun after its engine was asked
            try:
                with connect(endpoint.url) as client:
                    host.known.update(str(listed["Id"]) for listed in client.containers())
            except Unreadable as problem:
                host.reasons.add(problem.reason)
    runtimes = [runtime for container, runtime in running.items() if container not in host.known]
    for runtime in runtimes:
        host.items[f"runtime:{runtime}"] = {"unseen": True, "count": runtimes.count(runtime)}
    return bool(runtimes)


def _ask(host: _Host, endpoint: Endpoint, item: str) -> None:
    """Read the containers of one engine; raises Unreadable where it does not answer."""
    host.subject.progress(f"asking the container engine at {endpoint.place}")
    with connect(endpoint.url) as client:
        info = client.info()
        engine = str(info.get("ID", endpoint.place)), str(info.get("DockerRootDir", ""))
        if engine in host.engines:
            return  # the same one, by another socket
        facts = _engine(client.told_version, info)
        listed = client.containers()
        host.known.update(str(one["Id"]) for one in listed)
        host.engines.add(engine)
        host.items[item] = facts
        if len(listed) > MAX_CONTAINERS:
            host.reasons.add(Reason.CAP)
        for one in listed[:MAX_CONTAINERS]:
            found = _replica(host, client, store(info), one)
            host.replicas.extend([found] if found else [])


def _engine(version: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Value]:
    return {
        "version": str(version.get("Version", "")),
        "api": str(version.get("ApiVersion", "")),
        "store": store(info),
        "cgroup": str(info.get("CgroupVersion", "1")),
        "kernel": str(info.get("KernelVersion", "")),
        "rootless": "name=rootless" in (info.get("SecurityOptions") or ()),
    }


def _replica(host: _Host, client: Client, store_kind: str, listed: Mapping[str, Any]) -> Replica | None:
    """One container with all its sections; None where it ended since it was listed: then it does not run."""
    try:
        inspected = client.inspect_container(listed["Id"])
        return _described(host, client, store_kind, inspected)
    except docker.errors.NotFound:
        return None
    except FAULTS as problem:
        reasons = (reason_of(problem),)
        own = Section("", "container", 2, status=Status.FAILED, reasons=reasons)
        config = Section("config", "configuration", 1, status=Status.FAILED, reasons=reasons)
        rest = inside.without(host.inside, Status.FAILED, reasons[0]).sections
        return Replica(listed_name(listed), {"": own, "config": config, **rest}, {})


def _described(host: _Host, client: Client, store_kind: str, inspected: Mapping[str, Any]) -> Replica:
    consent = host.subject.options.consent
    changes = changes_of(client, inspected) if consent >= Consent.INSIDE else Reason.CONSENT
    if consent >= Consent.CONFIG:
        image = inspect_image(client, str(inspected["Image"]))
        config = configuration.read(inspected, image, host.subject.options)
    else:
        config = Section("config", "configuration", 1, status=Status.ABSENT, reasons=(Reason.CONSENT,))
    if consent >= Consent.INSIDE:
        within = inside.read(host.subject, client, inspected, changes, host.inside, host.deadline)
    else:
        within = inside.without(host.inside, Status.ABSENT, Reason.CONSENT)
    own = _container(client, store_kind, inspected, within.changed or unattributed(changes))
    observed = {**own.observed, **within.observed}
    outside = {"": hashable(own), "config": hashable(config)}
    return Replica(logical_name(inspected), {**outside, **within.sections}, observed)


def changes_of(client: Client, inspected: Mapping[str, Any]) -> Changes | Reason:
    """What was changed in a container's writable layer, or why that is not known."""
    try:
        return without_mounts(inspected, client.diff(inspected["Id"]) or ())
    except docker.errors.NotFound:
        raise
    except FAULTS as problem:
        return reason_of(problem)


def read(client: Client, store_kind: str, inspected: Mapping[str, Any], changed: Changed) -> Section:
    """The section of one inspected container: starts from what it runs, not from what its tag says."""
    return replace(_container(client, store_kind, inspected, changed), path=f"container/{logical_name(inspected)}")


def _container(client: Client, store_kind: str, inspected: Mapping[str, Any], changed: Changed) -> Section:
    declared = str(inspected["Config"]["Image"])
    running = str(inspected["Image"])
    items: dict[str, Attributes] = {}
    reasons: list[str] = []
    image = inspect_image(client, running)
    if image is None:
        reasons.append(Reason.VANISHED)
    else:
        manifest = (inspected.get("ImageManifestDescriptor") or {}).get("digest")
        items["image"] = {**identity(image, store_kind, manifest), **facts(image)}
        if not is_id(declared, running):
            items["image"] = {"reference": normal_reference(declared), **items["image"]}
            items |= _tag(client, declared, running)
    reasons += changed.reasons
    if len(changed.items) > MAX_CHANGES:
        reasons.append(Reason.CAP)
    items |= sorted(changed.items.items())[:MAX_CHANGES]
    return Section(
        "",
        "container",
        2,
        items,
        status=Status.PARTIAL if reasons else Status.OK,
        reasons=tuple(sorted(set(reasons))),
        observed={"id": str(inspected["Id"])[:12], "name": str(inspected["Name"]).lstrip("/")},
    )


def _tag(client: Client, declared: str, running: str) -> dict[str, Attributes]:
    """Where the declared tag points now; nothing for a reference by digest, or a tag that is gone."""
    if "@" in declared:
        return {}
    tagged = inspect_image(client, declared)
    if tagged is None:
        return {}
    points_at = str(tagged["Id"])
    return {"tag": {"moved": _bare(points_at) != _bare(running), "points_at": f"sha256:{_bare(points_at)}"}}


def _bare(identifier: str) -> str:
    """An id without the prefix that libpod omits."""
    return identifier.removeprefix("sha256:")
