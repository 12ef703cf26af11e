"""A server that knows two hosts of prod, one of dev, a stale one, and one that never reported."""

from datetime import UTC, datetime, timedelta

from envparity_agent.fingerprint import Fingerprint
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.fleet import enrolled, reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages


def running(version: str) -> Fingerprint:
    """A host with a version of idna."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": version, "flask": "3.0"}))


def populated(api: Asking) -> Asking:
    """The server, asked by nobody yet."""
    now = datetime.now(UTC)
    with writing(api.engine) as connection:
        reported(connection, "web-1", running("3.7"), now, "prod", {"role": "web"})
        reported(connection, "web-2", running("3.7"), now, "prod", {"role": "web"})
        reported(connection, "dev-1", running("3.4"), now, "dev")
        reported(connection, "old-1", running("3.7"), now - timedelta(days=2), "old")
        enrolled(connection, "silent", "staging")
    return api
