"""The fingerprint of a container that a person names, with what is inside it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import docker.errors

from envparity_agent.collectors import INSIDE
from envparity_agent.collectors.containers import container as containers
from envparity_agent.collectors.containers.archive import copied
from envparity_agent.collectors.containers.engine import connect, locate
from envparity_agent.collectors.containers.images import store
from envparity_agent.collectors.interface import Options, Subject
from envparity_agent.errors import CannotTell, Unreadable, UsageError
from envparity_agent.fingerprint import Fingerprint, Target
from envparity_agent.root import Root
from envparity_agent.survey import survey


def container(name: str, options: Options) -> Fingerprint:
    """The fingerprint of a running container; raises UsageError where there is none of that name."""
    try:
        with Root(options.root) as host_root:
            url = locate(host_root, options.engine)
    except Unreadable as problem:
        advice = "give --docker URL or set DOCKER_HOST; it may take root or the group docker"
        raise CannotTell(f"container engine: {problem.reason}", advice) from None
    with connect(url) as client:
        inspected = _find(client, name)
        own = containers.read(client, store(client.info()), inspected)
        process = int(inspected["State"]["Pid"])
        if not process:
            raise CannotTell(f"container {name} is not running", f"start it: docker start {name}")
        with _filesystem(client, inspected, options) as (place, through), Root(place) as root:
            inside = survey(Target("container", name), Subject(root, replace(options, names={})), INSIDE)
        if _run(_find(client, str(inspected["Id"]))) != _run(inspected):
            raise CannotTell(f"container {name} ended or was restarted while it was read", "try again")
    told = replace(own, observed={**own.observed, "read_through": through})
    return replace(inside, sections={**inside.sections, own.path: told})


@contextmanager
def _filesystem(client: docker.APIClient, inspected: Any, options: Options) -> Iterator[tuple[str, str]]:
    """A directory with a container's files, and how: `proc` where its process may be read, else `archive`, a copy."""
    process = f"/proc/{inspected['State']['Pid']}"
    if os.access(f"{process}/root/", os.R_OK) and _belongs(process, str(inspected["Id"])):
        yield f"{process}/root", "proc"
        return
    options.progress("copying files out of the container")
    with copied(client, str(inspected["Id"])) as place:
        yield place, "archive"


def _run(inspected: Any) -> tuple[object, ...]:
    """What names one run of a container: a restart changes it, a health check does not."""
    state = inspected["State"]
    return state["Pid"], state["StartedAt"], state["Running"]


def _belongs(process: str, container: str) -> bool:
    """Whether a process is the container's: an engine in a virtual machine tells the numbers of its own processes."""
    try:
        return container in Path(process, "cgroup").read_text("utf-8")
    except OSError:
        return False


def _find(client: docker.APIClient, name: str) -> Any:
    """Inspect a container by its name or id, or by the name that envparity gives it (compose project.service)."""
    try:
        return client.inspect_container(name)
    except docker.errors.NotFound:
        running = [client.inspect_container(listed["Id"]) for listed in client.containers()]
    for inspected in running:
        if containers.logical_name(inspected) == name:
            return inspected
    names = ", ".join(sorted(containers.logical_name(one) for one in running)) or "none"
    raise UsageError(f"no container {name}", f"running containers: {names}")
