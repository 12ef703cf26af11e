"""A report arrives: objects are verified and stored, and the root hash becomes the host's last one, durably."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from envparity_agent.documents import examined
from envparity_agent.errors import EnvparityError, InvalidDocument
from envparity_agent.fingerprint import Reason, Status
from envparity_server.storage import content, history, hosts
from envparity_server.storage.history import SectionHead


class Conflict(EnvparityError):
    """The report contradicts one that was accepted: nothing is overwritten."""


def store_objects(connection: Connection, body: bytes, now: datetime) -> list[str]:
    """Verify and store the objects of a request, one canonical JSON a line; returns what they refer to and is missing.

    The server takes the hash of the bytes that it received, so that an object cannot claim another one's.
    """
    objects = [(examined(line), line) for line in body.split(b"\n") if line]
    content.store(connection, ((one.kind, line) for one, line in objects), now)
    return content.missing(connection, (hash for one, _ in objects for hash in one.references))


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
    if host.seen_at is not None:
        now = max(now, host.seen_at + timedelta(microseconds=1))  # whatever the server's clock does
    if report["root"] != host.root:
        missing = _advance(connection, host, report["root"], now)
        if missing:
            return False, missing
    hosts.record(connection, host.id, {**report, "epoch": epoch, "seq": seq}, now)
    return False, []


def _advance(connection: Connection, host: hosts.Host, root: str, now: datetime) -> list[str]:
    """Begin what a root says as what the host runs now; returns what its tree lacks, and then has done nothing."""
    sections, missing = _sections(connection, root)
    if missing:
        return missing
    before = history.at(connection, [host.id])
    new = set(sections.values()) - set(before[host.id].sections.values() if before else ())
    heads = content.load(connection, new)
    unheard = new - history.known(connection, new)  # of the others all that is below was there when they came
    missing = _lacking(connection, new, "section") or _lacking(
        connection, (page for hash in unheard for page in heads[hash]["pages"]), "page"
    )
    if missing:
        return missing
    told = {hash: SectionHead(head["kind"], _is_good(head)) for hash, head in heads.items()}
    history.advance(connection, host.id, root, sections, told, host.seen_at, now)
    return []


def _sections(connection: Connection, root: str) -> tuple[dict[str, str], list[str]]:
    """The sections of a root, path -> hash, and what is missing to tell them."""
    missing = _lacking(connection, [root], "root")
    if missing:
        return {}, missing
    top = content.load(connection, [root])[root]
    parts = top.get("parts", (root,))
    missing = _lacking(connection, parts, "root")
    if missing:
        return {}, missing
    found = content.load(connection, parts).values()
    if not all("sections" in part for part in found):
        raise InvalidDocument("the report's tree is not a root of sections of pages")
    return {path: hash for part in found for path, hash in part["sections"].items()}, []


def _lacking(connection: Connection, hashes: Iterable[str], kind: str) -> list[str]:
    """Those of the objects that are not stored; raises InvalidDocument for one that is of another kind."""
    wanted = list(dict.fromkeys(hashes))
    there = content.kinds(connection, wanted)
    if any(found != kind for found in there.values()):
        raise InvalidDocument("the report's tree is not a root of sections of pages")
    return [hash for hash in wanted if hash not in there]


def _is_good(head: Mapping[str, Any]) -> bool:
    """Whether an item that is missing from the section is known not to be there."""
    absent = head["status"] == Status.ABSENT and tuple(head["reasons"]) == (Reason.NOT_INSTALLED,)
    return absent or head["status"] == Status.OK
