"""Asks a container engine through the docker SDK, with GET requests only, and says why where it does not answer."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker
import docker.errors
import requests.exceptions

from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root

TIMEOUT_SECONDS = 10
SOCKETS = ("run/docker.sock", "var/run/docker.sock", "run/podman/podman.sock")
# where an engine is installed, but no socket was found, it cannot be asked: that is not the same as having none
_TRACES = ("usr/bin/dockerd", "usr/sbin/dockerd", "usr/local/bin/dockerd", "var/lib/docker/image", "usr/bin/podman")


class NotInstalled(Unreadable):
    """There is neither a socket nor a trace of a container engine."""


def locate(root: Root, engine: str | None) -> str:
    """The URL of the engine's socket; raises NotInstalled, or Unreadable where an engine is there but no socket."""
    if engine:
        return engine
    if root.live and os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    for path in SOCKETS:
        if root.stat(path):
            return f"unix://{os.path.join(root.path, root.resolved(path))}"  # links lead to places in the root
    if any(root.stat(path) for path in _TRACES):
        raise Unreadable("container engine", Reason.UNREACHABLE)
    raise NotInstalled("container engine", Reason.NOT_INSTALLED)


@contextmanager
def connect(url: str) -> Iterator[docker.APIClient]:
    """A client of the engine; what goes wrong while it is used is raised as Unreadable with its reason."""
    try:
        client = docker.APIClient(base_url=url, version="auto", timeout=TIMEOUT_SECONDS)
        try:
            yield client
        finally:
            client.close()
    except docker.errors.NotFound as problem:
        raise Unreadable(url, Reason.VANISHED) from problem
    except (docker.errors.DockerException, requests.exceptions.RequestException, ValueError) as problem:
        raise Unreadable(url, reason_of(problem)) from problem


def reason_of(problem: Exception) -> Reason:
    """The code for what went wrong while an engine was asked."""
    causes: list[BaseException] = [problem]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    text = " ".join(str(cause) for cause in causes)
    if any(isinstance(cause, PermissionError) for cause in causes) or "Permission denied" in text:
        return Reason.PERMISSION
    if any(isinstance(cause, requests.exceptions.Timeout | TimeoutError) for cause in causes):
        return Reason.TIMEOUT
    if any(isinstance(cause, json.JSONDecodeError | UnicodeDecodeError) for cause in causes):
        return Reason.INVALID
    return Reason.UNREACHABLE


def inspect_image(client: docker.APIClient, reference: str) -> Mapping[str, Any] | None:
    """What the engine says of an image, None where it does not have it."""
    try:
        found: Mapping[str, Any] = client.inspect_image(reference)  # type: ignore[no-untyped-call]  # no types there
    except docker.errors.ImageNotFound:
        return None
    except docker.errors.APIError as problem:
        if problem.is_client_error():  # 400: the declared text is no reference
            return None
        raise
    return found
