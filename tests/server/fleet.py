"""Puts hosts with their reports into a database, at any moment."""

from datetime import datetime

from sqlalchemy import Connection

from envparity_agent.fingerprint import Fingerprint
from envparity_server import intake
from envparity_server.storage import access, hosts
from tests.server.making import NOON

EPOCH = "00112233"


def enrolled(
    connection: Connection, name: str, environment: str = "prod", labels: dict[str, str] | None = None
) -> hosts.Host:
    """A host that has not reported yet; its id is made from its name."""
    host_id = access.hashed(name)[:16]
    hosts.add(connection, host_id, name, environment, labels or {}, access.hashed(f"credential of {name}"), NOON)
    return known(connection, host_id)


def known(connection: Connection, host_id: str) -> hosts.Host:
    """A host as it is stored now."""
    found = hosts.by_id(connection, host_id)
    assert found is not None
    return found


def report(
    connection: Connection, host: hosts.Host, fingerprint: Fingerprint, moment: datetime, **changed: object
) -> hosts.Host:
    """Store a fingerprint and make it the host's last report; the number counts up by itself."""
    intake.store_objects(connection, b"\n".join(fingerprint.objects().values()), moment)
    before = known(connection, host.id)
    head = {
        "root": fingerprint.root,
        "taken_at": fingerprint.taken_at,
        "identity": fingerprint.identity,
        "observed": fingerprint.observed,
        "interval": 900,
        "agent": "1.0",
        **changed,
    }
    assert intake.accept(connection, before, EPOCH, (before.seq or 0) + 1, head, moment) == (False, [])
    return known(connection, host.id)


def reported(
    connection: Connection,
    name: str,
    fingerprint: Fingerprint,
    moment: datetime,
    environment: str = "prod",
    labels: dict[str, str] | None = None,
) -> hosts.Host:
    """A host with one report."""
    return report(connection, enrolled(connection, name, environment, labels), fingerprint, moment)
