"""What is inside a running container, read by the collectors of any root; what is certainly the same is read once."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias

import docker.errors

from envparity_agent.collectors.containers.application import application, reads
from envparity_agent.collectors.containers.changes import Changed, attributed
from envparity_agent.collectors.containers.client import Client
from envparity_agent.collectors.containers.engine import FAULTS, reason_of
from envparity_agent.collectors.containers.filesystem import ARCHIVE, filesystem, may_be_looked_into, run_of
from envparity_agent.collectors.containers.layer import is_as_its_image
from envparity_agent.collectors.containers.replicas import hashable
from envparity_agent.collectors.interface import Collector, Subject, isolated, wanted
from envparity_agent.collectors.system.owners import owners
from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.fingerprint import Attributes, Reason, Section, Status, clean_text, now
from envparity_agent.kinds import newest

COPY_SECONDS = 3600.0  # a copy is made anew at least as often: what changed in a changed file the engine does not tell

# what may be otherwise the next time, although nothing in the container has changed
_PASSING = frozenset({Reason.CAP, Reason.ERROR, Reason.TIMEOUT, Reason.UNREACHABLE})


Changes: TypeAlias = Sequence[Mapping[str, Any]] | Reason


class Inside(NamedTuple):
    """The sections of what is inside one container, by their paths below the container's own, and how it was read."""

    sections: Mapping[str, Section]
    observed: Attributes
    changed: Changed | None = None  # what was changed in it, and whose that is


class _Unsettled(Exception):
    """Holds what was read, but is not to be remembered."""

    def __init__(self, found: Inside) -> None:
        super().__init__()
        self.found = found


def read(
    host: Subject,
    client: Client,
    inspected: Mapping[str, Any],
    changes: Changes,
    collectors: Sequence[Collector],
    deadline: float,
) -> Inside:
    """What is inside a container whose writable layer has these changes; a Reason where they are not known.

    Containers of one image, of which none was changed, are alike inside: one of them is read, and remembered while the
    image is in use. Of others a copy is used again for an hour while the engine tells the same changes; files that can
    be looked into are looked into each time. What goes wrong, or comes after the deadline (of the monotonic clock),
    makes sections that failed.
    """
    if not isinstance(changes, Reason) and is_as_its_image(inspected, changes):
        key, stamp = ("inside", str(inspected["Image"]), str(inspected["Config"].get("WorkingDir"))), "image"
    else:
        key, stamp = ("inside", str(inspected["Id"]), ""), ""
        if not isinstance(changes, Reason) and not may_be_looked_into(inspected):
            told = repr((run_of(inspected), changes)).encode("utf-8", "backslashreplace")
            stamp = f"{sha256(told).hexdigest()} {time.monotonic() // COPY_SECONDS}"
    try:
        return host.memory.recall(
            key, stamp or None, lambda: _settled(_read(host, client, inspected, changes, collectors, deadline))
        )
    except _Unsettled as unsettled:
        return unsettled.found
    except Unreadable as problem:
        return without(collectors, Status.FAILED, problem.reason)
    except docker.errors.NotFound:
        return without(collectors, Status.FAILED, Reason.VANISHED)
    except UsageError:
        return without(collectors, Status.FAILED, Reason.ERROR)
    except FAULTS as problem:
        return without(collectors, Status.FAILED, reason_of(problem))


def without(collectors: Iterable[Collector], status: Status, reason: str) -> Inside:
    """The sections that stand for all that was not read."""
    sections = (Section(one.path, one.kind, newest(one.kind), status=status, reasons=(reason,)) for one in collectors)
    return Inside({section.path: section for section in sections}, {})


def _read(
    host: Subject,
    client: Client,
    inspected: Mapping[str, Any],
    changes: Changes,
    collectors: Sequence[Collector],
    deadline: float,
) -> Inside:
    identifier = str(inspected["Id"])
    if time.monotonic() > deadline:
        raise Unreadable(identifier, Reason.CAP)
    # of what moves by itself, which each report carries anew, the building of an image is no part
    tells = isinstance(changes, Reason) or not is_as_its_image(inspected, changes)
    # what the operator names are places of the host
    options = replace(host.options, engine=None, names={}, applications={}, files=(), search=())
    sections: dict[str, Section] = {}
    needed = wanted(collectors, options, reads(inspected))
    with filesystem(client, inspected, needed, host.progress) as (root, through):
        subject = Subject(root, options, memory=host.memory, prefix=f"container/{identifier}/")
        for collector in collectors:
            for section in isolated(collector, subject):
                told = section if tells else replace(section, observed={})
                sections.setdefault(clean_text(told.path), hashable(told))
        own = application(inspected, root, host.memory)
        if own is not None:
            sections[own.path] = own
        changed = attributed(changes, root, partial(owners, root, host.memory))
    if run_of(client.inspect_container(identifier)) != run_of(inspected):
        raise Unreadable(identifier, Reason.VANISHED)  # ended, or began anew: of which run the files are is unknown
    observed = {"read_through": through, **({"read_at": now()} if through == ARCHIVE else {})}
    return Inside(sections, observed, changed)


def _settled(found: Inside) -> Inside:
    if any(_PASSING.intersection(section.reasons) for section in found.sections.values()):
        raise _Unsettled(found)
    return found
