"""The fingerprint of a container that a person names, with what is inside it."""

from dataclasses import replace
from typing import Any

import docker.errors

from envparity_agent.collectors import INSIDE
from envparity_agent.collectors.containers import container as containers
from envparity_agent.collectors.containers.client import Client
from envparity_agent.collectors.containers.engine import connect, locate
from envparity_agent.collectors.containers.filesystem import filesystem, run_of
from envparity_agent.collectors.containers.images import store
from envparity_agent.collectors.containers.naming import logical_name
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
        with filesystem(client, inspected, options.progress) as (root, through):
            inside = survey(Target("container", name), Subject(root, replace(options, names={})), INSIDE)
        if run_of(_find(client, str(inspected["Id"]))) != run_of(inspected):
            raise CannotTell(f"container {name} ended or was restarted while it was read", "try again")
    told = replace(own, observed={**own.observed, "read_through": through})
    return replace(inside, sections={**inside.sections, own.path: told})


def _find(client: Client, name: str) -> Any:
    """Inspect a container by its name or id, or by the name that envparity gives it (compose project.service)."""
    try:
        return client.inspect_container(name)
    except docker.errors.NotFound:
        running = [client.inspect_container(listed["Id"]) for listed in client.containers()]
    for inspected in running:
        if logical_name(inspected) == name:
            return inspected
    names = ", ".join(sorted(logical_name(one) for one in running)) or "none"
    raise UsageError(f"no container {name}", f"running containers: {names}")
