"""A report arrives: objects are verified and stored, and the root hash becomes the host's last one, durably."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from envparity_agent.documents import references
from envparity_agent.errors import EnvparityError, InvalidDocument
from envparity_server.storage import content, hosts


class Conflict(EnvparityError):
    """The report contradicts one that was accepted: nothing is overwritten."""


def store_objects(connection: Connection, body: bytes) -> list[str]:
    """Verify and store the objects of a request, one canonical JSON a line; returns what they refer to and is missing.

    The server takes the hash of the bytes that it received, so that an object cannot claim another one's.
    """
    bodies = [line for line in body.split(b"\n") if line]
    referred = [hash for one in bodies for hash in references(one)]
    content.store(connection, bodies)
    return content.missing(connection, referred)


def accept(
    connection: Connection, host: hosts.Host, epoch: str, seq: int, report: Mapping[str, Any], now: datetime
) -> tuple[bool, list[str]]:
    """Make a report the host's last one; returns whether it is a duplicate, and what is missing before it can be one.

    1. A number that was used is a duplicate with the same root, a conflict with another one.
    2. Nothing is recorded while an object of its tree is missing.
    3. The host's row and its history change in the caller's transaction.
    """
    if epoch == host.epoch and host.seq is not None and seq <= host.seq:
        if seq == host.seq and report["root"] == host.root:
            return True, []
        raise Conflict(
            f"report {seq} of this host was accepted before, with other content"
            if seq == host.seq
            else f"report {seq} is older than {host.seq}, which was accepted",
            "a machine that was cloned or restored enrols again: envparity agent enroll",
        )
    if report["root"] != host.root:
        missing = _missing(connection, report["root"])
        if missing:
            return False, missing
    hosts.record(connection, host, {**report, "epoch": epoch, "seq": seq}, now)
    return False, []


def _missing(connection: Connection, root: str) -> list[str]:
    """What a tree lacks, level by level: the root, its parts if it has any, its sections, their pages."""
    level = [root]
    for name in ("parts", "sections", "pages", "items"):
        lacking = content.missing(connection, level)
        if lacking:
            return lacking
        found = content.load(connection, level).values()
        if name == "parts" and not any(name in one for one in found):
            continue  # a root with few sections is its own part
        if not all(name in one for one in found):
            raise InvalidDocument("the report's tree is not a root of sections of pages")
        level = [hash for one in found for hash in _below(one)]
    return []


def _below(body: Mapping[str, Any]) -> Iterable[str]:
    """The hashes that a decoded object refers to."""
    hashes: Iterable[str] = (body.get("sections") or {}).values() or body.get("parts") or body.get("pages", ())
    return hashes
