"""Turns what a person names as a target into its fingerprint."""

import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import docker
import docker.errors

from envparity_agent.canonical import decode
from envparity_agent.collectors import COLLECTORS, INSIDE, PYTHON_ONLY, containers
from envparity_agent.collectors.archive import copied
from envparity_agent.collectors.declared import read_requirements
from envparity_agent.collectors.engine import connect, locate
from envparity_agent.collectors.images import store
from envparity_agent.collectors.interface import Subject
from envparity_agent.documents import from_document
from envparity_agent.errors import CannotTell, Unreadable, UsageError
from envparity_agent.fingerprint import Fingerprint, Target
from envparity_agent.root import Root
from envparity_agent.survey import now, survey

MAX_FILE = 64 * 1024 * 1024


@dataclass(frozen=True)
class Options:
    """How targets are read, whichever they are."""

    root: str = "/"  # the root of `local`
    engine: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda _: None


def fingerprint(text: str, options: Options) -> Fingerprint:
    """The fingerprint of a target: `local`, `root:DIR`, `container:NAME`, a directory, a file, or `-`.

    Raises UsageError for what is no target, CannotTell for one that cannot be read.
    """
    kind, separator, name = text.partition(":")
    if text == "local":
        return host(options)
    if separator and kind == "root":
        return _root(name, options)
    if separator and kind == "container":
        return _container(name, options)
    if text == "-":
        return _content(sys.stdin.buffer.read(MAX_FILE + 1), "standard input")
    if os.path.isdir(text):
        return _python(text, options)
    if os.path.exists(text):
        return _file(Path(text))
    raise UsageError(
        f"{text}: no such target",
        "a target is local, root:DIR, container:NAME, a directory with a Python environment, "
        "a requirements file, or a fingerprint file",
    )


def host(options: Options) -> Fingerprint:
    """The fingerprint of this host, or of the host whose root directory is elsewhere."""
    with Root(options.root) as root:
        subject = Subject(root, options.engine, options.names, progress=options.progress)
        return survey(Target("host", host_name(root)), subject, COLLECTORS)


def host_name(root: Root) -> str:
    """The host's own name: a label, never an identity."""
    if root.live:
        return socket.gethostname()
    content = root.read_if_there("etc/hostname", cap=4096) or b""
    return content.decode("utf-8", "replace").strip() or os.path.basename(os.path.abspath(root.path))


def _root(path: str, options: Options) -> Fingerprint:
    with Root(path) as root:
        subject = Subject(root, names=options.names, progress=options.progress)
        return survey(Target("root", path), subject, INSIDE)


def _python(path: str, options: Options) -> Fingerprint:
    place = os.path.abspath(path)
    with Root("/") as root:
        subject = Subject(root, only=place, names=options.names, progress=options.progress)
        return survey(Target("python", place), subject, PYTHON_ONLY)


def _file(path: Path) -> Fingerprint:
    try:
        with path.open("rb") as file:  # once: a pipe of the shell's <(...) can be read only once
            content = file.read(MAX_FILE + 1)
    except OSError as problem:
        raise CannotTell(f"{path}: {problem.strerror}") from None
    return _content(content, str(path))


def _content(content: bytes, name: str) -> Fingerprint:
    if len(content) > MAX_FILE:
        raise UsageError(f"{name}: larger than {MAX_FILE // 1024 // 1024} MiB")
    if content.lstrip()[:1] == b"{":
        return _document(content, name)
    try:
        section = read_requirements(content, name)
    except UnicodeDecodeError:
        raise UsageError(f"{name}: neither a fingerprint nor a requirements file: it is not text") from None
    return Fingerprint(Target("declared", name), now(), {section.path: section})


def _document(content: bytes, name: str) -> Fingerprint:
    try:
        return from_document(decode(content))
    except UsageError as problem:
        raise UsageError(f"{name}: {problem}", problem.advice) from None


def _container(name: str, options: Options) -> Fingerprint:
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
            inside = survey(Target("container", name), Subject(root, progress=options.progress), INSIDE)
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
