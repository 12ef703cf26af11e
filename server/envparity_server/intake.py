"""A report arrives: objects are verified and stored, and the root hash becomes the host's last one, durably."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from envparity_agent.documents import examined
from envparity_agent.errors import EnvparityError, InvalidDocument
from envparity_agent.fingerprint import Reason, Status
from envparity_server.storage import changes, content, history, hosts, items
from envparity_server.storage.history import SectionHead

MAX_SKEW = 2**31 - 1  # seconds: what the column takes
MAX_NAME = 2048  # bytes of a section's path: an index of PostgreSQL takes rows of at most 2,704


class Conflict(EnvparityError):
    """The report contradicts one that was accepted: nothing is overwritten."""


def store_objects(connection: Connection, body: bytes, now: datetime) -> list[str]:
    """Verify and store the objects of a request, one canonical JSON a line; returns what they refer to and is missing.

    The server takes the hash of the bytes that it received, so that an object cannot claim another one's.
    """
    objects = [(examined(line), line) for line in body.split(b"\n") if line]
    content.hold(connection)
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
            "a machine that was cloned or restored enrols anew: envparity agent enroll --again",
        )
    # a report may have waited: what tells the host's clock is when it was sent, which older agents do not say
    last = {key: value for key, value in report.items() if key != "sent_at"}
    skew = _skew(report.get("sent_at") or report["taken_at"], now)
    if host.seen_at is not None:
        now = max(now, host.seen_at + timedelta(microseconds=1))  # whatever the server's clock does
    if report["root"] != host.root:
        missing = _advance(connection, host, report, now)
        if missing:
            return False, missing
    hosts.record(connection, host.id, {**last, "epoch": epoch, "seq": seq, "skew": skew}, now)
    return False, []


def _advance(connection: Connection, host: hosts.Host, report: Mapping[str, Any], now: datetime) -> list[str]:
    """Begin what a report says as what the host runs now; returns what its tree lacks, and then has done nothing."""
    content.hold(connection)  # what is there now is there until this is committed
    sections, missing = _sections(connection, report["root"])
    if missing:
        return missing
    trees = history.at(connection, [host.id])
    before = trees[host.id].sections if trees else {}
    new = {hash for path, hash in sections.items() if before.get(path) != hash}
    heads = content.load(connection, new)
    unheard = new - history.known(connection, new)  # of the others all that is below was there when they came
    missing = _lacking(connection, new, "section") or _lacking(
        connection, (page for hash in unheard for page in heads[hash]["pages"]), "page"
    )
    if missing:
        return missing
    _check_names(sections, heads)
    changes.record(connection, host, before, sections, report["observed"], now)
    told = {hash: SectionHead(head["kind"], _is_good(head)) for hash, head in heads.items()}
    history.advance(connection, host.id, report["root"], sections, told, host.seen_at, now)
    items.index(connection, new)
    return []


def _check_names(sections: Iterable[str], heads: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise InvalidDocument for names that no index of the databases can hold."""
    for name in (*sections, *(head["kind"] for head in heads.values())):
        if "\0" in name or len(name.encode()) > MAX_NAME:
            raise InvalidDocument(f"the path or kind {name[:40]!r} of a section has a NUL or over {MAX_NAME} bytes")


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


def _skew(taken_at: str, now: datetime) -> int:
    """Seconds that the host's clock is ahead of the server's, as far as the moment of the report tells."""
    taken = datetime.fromisoformat(taken_at)
    ahead = (taken if taken.tzinfo else taken.replace(tzinfo=UTC)) - now
    return max(-MAX_SKEW, min(int(ahead.total_seconds()), MAX_SKEW))
