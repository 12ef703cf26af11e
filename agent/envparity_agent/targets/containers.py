"""The fingerprint of a container or an image that a person names, with what is inside it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import docker.errors

from envparity_agent.collectors import INSIDE
from envparity_agent.collectors.containers import configuration, description
from envparity_agent.collectors.containers import container as containers
from envparity_agent.collectors.containers.application import application, reads
from envparity_agent.collectors.containers.changes import attributed
from envparity_agent.collectors.containers.client import Client
from envparity_agent.collectors.containers.engine import connect, inspect_image, locate
from envparity_agent.collectors.containers.export import exported
from envparity_agent.collectors.containers.filesystem import filesystem, run_of
from envparity_agent.collectors.containers.images import store
from envparity_agent.collectors.containers.naming import logical_name
from envparity_agent.collectors.interface import Options, Subject, wanted
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.system.owners import owners
from envparity_agent.errors import CannotTell, Unreadable, UsageError
from envparity_agent.fingerprint import Fingerprint, Section, Target
from envparity_agent.root import Root
from envparity_agent.survey import survey


def container(name: str, options: Options) -> Fingerprint:
    """The fingerprint of a container, running or not; raises UsageError where there is none of that name."""
    with _engine(options) as client:
        inspected = _find(client, name)
        changes = containers.changes_of(client, inspected)
        needed = wanted(INSIDE, options, reads(inspected))
        with filesystem(client, inspected, needed, options.progress) as (root, through):
            inside = survey(Target("container", name), Subject(root, replace(options, names={})), INSIDE)
            changed = attributed(changes, root, partial(owners, root, Memory()))
            code = application(inspected, root, Memory())
        own = containers.read(client, store(client.info()), inspected, changed)
        config = configuration.read(inspected, inspect_image(client, str(inspected["Image"])), options)
        if run_of(_find(client, str(inspected["Id"]))) != run_of(inspected):
            raise CannotTell(f"container {name} ended or was restarted while it was read", "try again")
    state = str(inspected["State"].get("Status") or "")
    told = replace(own, observed={**own.observed, "read_through": through, "state": state})
    described = {own.path: told, **{f"{own.path}/{one.path}": _below(own, one) for one in (config, code) if one}}
    return replace(inside, sections={**inside.sections, **described})


def image(reference: str, options: Options) -> Fingerprint:
    """The fingerprint of an image that the engine has, of which nothing runs for it; raises UsageError for no image."""
    with _engine(options) as client:
        found = inspect_image(client, reference)
        if found is None:
            raise UsageError(f"the engine has no image {reference}", f"fetch it: docker pull {reference}")
        own = description.sections(found, store(client.info()), reference, _history(client, found), options)
        options.progress("copying files out of the image")
        with exported(client, found, wanted(INSIDE, options, reads(found))) as place, Root(place) as root:
            inside = survey(Target("image", reference), Subject(root, replace(options, names={})), INSIDE)
            code = application(found, root, Memory())
    described = {one.path: one for one in (*own, *([_below(own[0], code)] if code else ()))}
    return replace(inside, sections={**inside.sections, **described})


def _below(own: Section, nested: Section) -> Section:
    return replace(nested, path=f"{own.path}/{nested.path}")


def _history(client: Client, image: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """How the image was built, the newest step first; nothing where the engine does not tell: it is for people only."""
    try:
        steps: Sequence[Mapping[str, Any]] = client.history(str(image["Id"]))  # type: ignore[no-untyped-call]  # none there
    except docker.errors.APIError:
        return ()
    return steps


@contextmanager
def _engine(options: Options) -> Iterator[Client]:
    try:
        with Root(options.root) as host_root:
            url = locate(host_root, options.engine)
    except Unreadable as problem:
        advice = "give --docker URL or set DOCKER_HOST; it may take root or the group docker"
        raise CannotTell(f"container engine: {problem.reason}", advice) from None
    with connect(url) as client:
        yield client


def _find(client: Client, name: str) -> Any:
    """Inspect a container by its name or id, or by the name that envparity gives it (compose project.service)."""
    try:
        return client.inspect_container(name)
    except docker.errors.NotFound:
        known = [client.inspect_container(listed["Id"]) for listed in client.containers(all=True)]
    for inspected in known:
        if logical_name(inspected) == name:
            return inspected
    names = ", ".join(sorted(logical_name(one) for one in known)) or "none"
    raise UsageError(f"no container {name}", f"containers: {names}")
