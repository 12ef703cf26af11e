"""Finds the container engines of a root, and says why one does not answer."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import docker.errors
import requests.exceptions

from envparity_agent.collectors.containers.client import Client, TooLarge
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root

SOCKETS = ("run/docker.sock", "var/run/docker.sock", "run/podman/podman.sock")
# of engines without root, below run/user/UID:
# https://docs.docker.com/engine/security/rootless, https://docs.podman.io/en/latest/markdown/podman-system-service.1.html
USERS = "run/user"
USERS_SOCKETS = ("docker.sock", "podman/podman.sock")
# where an engine is installed, but no socket was found, it cannot be asked: that is not the same as having none
_TRACES = ("usr/bin/dockerd", "usr/sbin/dockerd", "usr/local/bin/dockerd", "var/lib/docker/image", "usr/bin/podman")

# what an engine makes its reader raise, by an answer of whatever form
FAULTS = (
    docker.errors.DockerException,
    requests.exceptions.RequestException,
    AttributeError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)


class NotInstalled(Unreadable):
    """There is neither a socket nor a trace of a container engine."""


@dataclass(frozen=True)
class Endpoint:
    """Where an engine listens; `place` tells it from the others of its host: its socket's path, or its URL."""

    url: str
    place: str


def locate(root: Root, engine: str | None) -> str:
    """The URL of the first engine; raises NotInstalled, or Unreadable where an engine is there but no socket."""
    return endpoints(root, engine)[0][0].url


def endpoints(root: Root, engine: str | None) -> tuple[list[Endpoint], set[str]]:
    """Every engine of a root, each once, and why there may be more; raises as `locate`.

    An engine that is named is the only one that is asked; the variable DOCKER_HOST is for the running system alone.
    """
    if engine:
        return [Endpoint(engine, engine)], set()
    found: dict[object, Endpoint] = {}
    reasons: set[str] = set()
    variable = os.environ.get("DOCKER_HOST") if root.live else None
    if variable:
        found[_identity(root, variable.removeprefix("unix://"))] = Endpoint(variable, variable)
    for path in _sockets(root, reasons):
        try:
            place = root.resolved(path) if root.stat(path) else None  # links lead to places in the root
        except Unreadable as problem:
            reasons.add(problem.reason)
            continue
        if place is not None:
            found.setdefault(_identity(root, path), Endpoint(f"unix://{os.path.join(root.path, place)}", f"/{place}"))
    if found:
        return list(found.values()), reasons
    if reasons:
        raise Unreadable("container engine", min(reasons))
    if any(root.stat(path) for path in _TRACES):
        raise Unreadable("container engine", Reason.UNREACHABLE)
    raise NotInstalled("container engine", Reason.NOT_INSTALLED)


def _sockets(root: Root, reasons: set[str]) -> Iterator[str]:
    yield from SOCKETS
    try:
        users = root.names(USERS)
    except Unreadable as problem:
        reasons.add(problem.reason)
        return
    for user in filter(str.isdecimal, users):
        try:
            root.names(f"{USERS}/{user}")
        except Unreadable as problem:
            if any(root.stat(path) for path in _TRACES):  # closed to others always: that alone is no sign of an engine
                reasons.add(problem.reason)
            continue
        yield from (f"{USERS}/{user}/{name}" for name in USERS_SOCKETS)


def _identity(root: Root, path: str) -> object:
    """What two paths to one socket have in common."""
    try:
        status = root.stat(path)
    except Unreadable:
        status = None
    return (status.st_dev, status.st_ino) if status else path


@contextmanager
def connect(url: str) -> Iterator[Client]:
    """A client of the engine; what goes wrong while it is used is raised as Unreadable with its reason."""
    try:
        client = Client(url)
        try:
            yield client
        finally:
            client.close()
    except docker.errors.NotFound as problem:
        raise Unreadable(url, Reason.VANISHED) from problem
    except FAULTS as problem:
        raise Unreadable(url, reason_of(problem)) from problem


def reason_of(problem: BaseException) -> Reason:
    """The code for what went wrong while an engine was asked."""
    causes = [problem]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    text = " ".join(str(cause) for cause in causes)
    if any(isinstance(cause, PermissionError) for cause in causes) or "Permission denied" in text:
        return Reason.PERMISSION
    if any(isinstance(cause, TooLarge) for cause in causes):
        return Reason.CAP
    if any(isinstance(cause, requests.exceptions.Timeout | TimeoutError) for cause in causes):
        return Reason.TIMEOUT
    if any(isinstance(cause, json.JSONDecodeError | UnicodeDecodeError | RecursionError) for cause in causes):
        return Reason.INVALID
    if isinstance(problem, AttributeError | KeyError | TypeError | ValueError):
        return Reason.INVALID  # JSON, but of another form
    return Reason.UNREACHABLE


def inspect_image(client: Client, reference: str) -> Mapping[str, Any] | None:
    """What the engine says of an image, None where it does not have it; each is asked for once."""
    if reference not in client.images_asked_for:
        client.images_asked_for[reference] = _ask_for_image(client, reference)
    return client.images_asked_for[reference]


def _ask_for_image(client: Client, reference: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = client.inspect_image(reference)  # type: ignore[no-untyped-call]  # no types there
    except docker.errors.ImageNotFound:
        return None
    except docker.errors.APIError as problem:
        if problem.is_client_error():  # 400: the declared text is no reference
            return None
        raise
    return found
