"""Puts environments with a drift, with changes and with silent hosts into a database, as of now."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from envparity_server.evaluation import evaluate
from envparity_server.storage.hosts import Host, change
from tests.server.fleet import enrolled, report, reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages

PLAIN = host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": "3.4", "flask": "3.0"}))
OTHER = host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": "3.7", "flask": "3.0"}))


def drifting(connection: Connection, environment: str = "prod", alike: int = 4) -> list[Host]:
    """Hosts of an environment that are alike, and one that is not any more: it was upgraded an hour ago."""
    now = datetime.now(UTC)
    hosts = [reported(connection, f"{environment}-{number}", PLAIN, now, environment) for number in range(alike)]
    odd = reported(connection, f"{environment}-odd", PLAIN, now - timedelta(hours=2), environment)
    hosts.append(report(connection, odd, OTHER, now))
    for one in hosts:
        change(connection, one.id, enrolled_at=now - timedelta(days=3))
    evaluate(connection, now)
    return hosts


def upgraded(connection: Connection, names: tuple[str, ...], moment: datetime, environment: str = "prod") -> list[Host]:
    """Hosts that reported one upgrade of one package, each a minute after the other."""
    found = []
    for number, name in enumerate(names):
        one = reported(connection, name, PLAIN, moment - timedelta(hours=6), environment)
        found.append(report(connection, one, OTHER, moment + timedelta(minutes=number)))
    return found


def silent(connection: Connection, name: str, environment: str = "prod") -> Host:
    """A host that reported three days ago, and not since."""
    return reported(connection, name, PLAIN, datetime.now(UTC) - timedelta(days=3), environment)


def waiting(connection: Connection, name: str, environment: str = "prod") -> Host:
    """A host that has not reported yet."""
    return enrolled(connection, name, environment)
