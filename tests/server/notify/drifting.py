"""Puts drifts into a database as the evaluation leaves them, and channels beside them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, insert

from envparity_server.compare.model import Severity
from envparity_server.notify.interface import Notification
from envparity_server.storage import channels
from envparity_server.storage.channels import Channel
from envparity_server.storage.tables import drift, drift_item
from tests.server.fleet import enrolled
from tests.server.making import NOON


@dataclass(frozen=True)
class Moved:
    """A transition, as the evaluation returns it."""

    drift_id: str
    event: str


def channel(name: str = "ops", **changed: Any) -> Channel:
    """A webhook for all hosts and every severity."""
    usual = {
        "kind": "webhook", "address": "https://hooks.example.com/x", "secret": "eps_secret", "hosts": "",
        "severity": Severity.INFO, "enabled": True, "created_by": "person:ada", "created_at": NOON,
    }  # fmt: skip
    return Channel(name, **{**usual, **changed})


def channel_in(connection: Connection, name: str = "ops", **changed: Any) -> Channel:
    """The same, stored."""
    one = channel(name, **changed)
    channels.add(connection, one)
    return one


def drift_in(
    connection: Connection,
    id: str = "00000000000000aa",
    hosts: dict[str, dict[str, str]] | None = None,
    items: tuple[str, ...] = ("openssl",),
    **changed: Any,
) -> str:
    """A drift of packages on hosts, name -> labels."""
    usual = {
        "hosts": "env:prod", "environment": "prod", "reference": "env:prod", "section": "os-packages",
        "kind": "os-packages", "severity": Severity.HIGH, "state": "new", "state_since": NOON, "first_seen": NOON,
        "last_seen": NOON, "last_moved": NOON, "moved": "host", "first": False, "is_whole": False, "words": WORDS,
    }  # fmt: skip
    connection.execute(insert(drift).values(id=id, **{**usual, **changed}))
    for name, labels in (hosts or {"web-1": {}}).items():
        host = enrolled(connection, name, labels=labels)
        for item in items:
            connection.execute(
                insert(drift_item).values(
                    drift=id, subject=host.id, section="os-packages", item=item, attribute="version", state="changed",
                    left="3.0.11", right="3.0.15", distance="patch", severity=Severity.HIGH,
                    since_after=NOON - timedelta(hours=6), since_before=NOON,
                )
            )  # fmt: skip
    return id


WORDS = "os-packages: openssl 3.0.15 -> 3.0.11 on web-1, since between 2026-11-01 06:00 and 12:00 UTC, actor unknown"
TOLD = Notification("new", "high: openssl on web-1", "web-1 differs.", "high", "prod", "")
