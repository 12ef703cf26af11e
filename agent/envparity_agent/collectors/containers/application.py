"""The code of a container's application: what its working directory holds, what it was built from, what hides it."""

import re
from collections.abc import Mapping
from typing import Any

from envparity_agent.collectors.code.applications import code
from envparity_agent.collectors.containers.workdir import workdir
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.reads import Reads
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Items, Reason, Section, Status, Value
from envparity_agent.kinds import CODE_ITEM
from envparity_agent.root import Root

PATH = "app"  # below the container's own


def reads(inspected: Mapping[str, Any]) -> tuple[Reads, ...]:
    """What is read of a container's files: all below its working directory."""
    place = workdir(inspected).directory
    return (Reads(content=(f"{re.escape(place.strip('/'))}/.*",)),) if place else ()


def application(inspected: Mapping[str, Any], root: Root, memory: Memory) -> Section | None:
    """The section `app` of a container or image whose files are below a root; None where nothing tells of code."""
    place = workdir(inspected)
    told: dict[str, Value] = {}
    if place.revision:
        told["revision"] = place.revision
    if place.shadowed:
        told["shadowed"] = place.shadowed
    if place.directory is None:
        return Section(PATH, "application", 1, {CODE_ITEM: told}) if told else None
    items: Items = {}
    reasons: tuple[str, ...] = ()
    try:
        items, reasons = code(root, place.directory, memory)
    except Unreadable as problem:
        if problem.reason != Reason.VANISHED:  # an engine makes a WORKDIR that is not there only when it starts
            reasons = (problem.reason,)
    found: Attributes = items.get(CODE_ITEM, {})
    status = Status.PARTIAL if reasons else Status.OK
    return Section(PATH, "application", 1, {**items, CODE_ITEM: {**found, **told}}, status, reasons)
