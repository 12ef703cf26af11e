"""What people call a container, so that it has one name on every host and through every restart."""

import re
from collections.abc import Mapping
from typing import Any

APPLICATION = "envparity.app"  # the label by which a person names what runs in a container

# what Kubernetes makes names unique with has neither vowels nor 0, 1, 3:
# https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
_PODS = (
    re.compile(rf"-[{_SAFE}]{{8,10}}-[a-z0-9]{{5}}$"),  # Deployment: the hash of its replica set, and the pod's own
    re.compile(rf"-[0-9]{{8,10}}-[{_SAFE}]{{5}}$"),  # CronJob: the moment of the run, and the pod's own
    re.compile(rf"-[{_SAFE}]{{5}}$"),  # DaemonSet, Job
    re.compile(r"-(?:0|[1-9][0-9]{0,3})$"),  # StatefulSet
)
_NOMAD = "com.hashicorp.nomad."
_PODMAN_POD = re.compile(r"[0-9a-f]{12}-(infra|service)")


def logical_name(inspected: Mapping[str, Any]) -> str:
    """The name of an inspected container."""
    return named(inspected["Config"].get("Labels") or {}, str(inspected["Name"]))


def listed_name(listed: Mapping[str, Any]) -> str:
    """The name of a container that the engine lists."""
    return named(listed.get("Labels") or {}, str((listed.get("Names") or [listed["Id"]])[0]))


def named(labels: Mapping[str, Any], own: str) -> str:
    """The application that a label names, compose project.service, swarm service, Kubernetes
    namespace/owner/container, Nomad task, else the container's own name.
    """  # noqa: D205  # one sentence
    own = own.lstrip("/")

    def label(name: str) -> str:
        return str(labels.get(name) or "").replace("/", "_")  # a part of a section's path

    project, service = label("com.docker.compose.project"), label("com.docker.compose.service")
    namespace, pod = label("io.kubernetes.pod.namespace"), label("io.kubernetes.pod.name")
    if label(APPLICATION):
        return label(APPLICATION)
    if project and service:
        once = label("com.docker.compose.oneoff") == "True"  # `compose run`: no replica of the service
        return f"{project}.{service}.run" if once else f"{project}.{service}"
    if label("com.docker.swarm.service.name"):
        return label("com.docker.swarm.service.name")
    if namespace and pod:
        return f"{namespace}/{pod_owner(pod)}/{label('io.kubernetes.container.name') or 'container'}"
    if label(f"{_NOMAD}alloc_id"):
        job, task = label(f"{_NOMAD}job_name"), own.removesuffix(f"-{label(f'{_NOMAD}alloc_id')}")
        return f"{job}.{task}" if job else task
    pods_own = _PODMAN_POD.fullmatch(own)  # Podman's, by the random id of its pod
    return pods_own.group(1) if pods_own else own


def pod_owner(pod: str) -> str:
    """What a pod belongs to, by its name: its labels do not tell; web-5d4f8b7c9-x7k2p is one of web."""
    for pattern in _PODS:
        found = pattern.search(pod)
        if found and found.start():
            return pod[: found.start()]
    return pod
