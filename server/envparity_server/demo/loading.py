"""Loads the demo fleet as if its agents had reported for days, and removes all of it; each is audited."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from envparity_server import intake
from envparity_server.demo.fleet import AGAINST, FLEET, DemoHost, states
from envparity_server.evaluation import evaluate
from envparity_server.storage import access, audit, demo, environments, hosts
from envparity_server.storage.actors import Actor

_INTERVAL = 7 * 86400  # seconds, the longest: no agent reports for it, and it is not to be stale the next hour
_EPOCH = access.hashed("demo")[:8]


@dataclass(frozen=True, order=True)
class _Report:
    """What one host had at one moment."""

    at: datetime
    host_id: str
    state: str


def _id(one: DemoHost) -> str:
    return access.hashed(f"demo {one.name}")[:16]


HOST_IDS = tuple(map(_id, FLEET))


def is_loaded(connection: Connection) -> bool:
    """Whether the demo fleet is there."""
    return demo.is_loaded(connection, HOST_IDS)


def load(connection: Connection, actor: Actor, now: datetime) -> None:
    """Enrol its hosts and let them report in the order of their story; again changes nothing.

    Drifts are found as the jobs would have found them at the time, and nobody is notified of any.
    """
    if is_loaded(connection):
        return
    reports = sorted(_reports(now))
    for name, against in AGAINST.items():
        environments.put(connection, name, against, reports[0].at)
    for each in FLEET:
        began = now - timedelta(days=max(each.story))
        credential = access.hashed(secrets.token_urlsafe(32))  # nobody's: no agent can report as it
        hosts.add(connection, _id(each), each.name, each.environment, {"role": each.role}, credential, began)
    for seq, one in enumerate(reports, 1):
        _report(connection, one, seq)
        evaluate(connection, one.at, timedelta(0), list(AGAINST))
    audit.write(connection, actor, "demo.load", "demo", now, hosts=len(FLEET))


def _reports(now: datetime) -> Iterator[_Report]:
    for one in FLEET:
        for days, state in one.story.items():
            yield _Report(now - timedelta(days=days), _id(one), state)
        yield _Report(now, _id(one), one.story[min(one.story)])


def _report(connection: Connection, one: _Report, seq: int) -> None:
    fingerprint = states()[one.state]
    host = hosts.named(connection, one.host_id)[0]
    head = {
        "root": fingerprint.root,
        "taken_at": one.at.isoformat(),
        "identity": {"hostname": host.name},
        "observed": {},
        "interval": _INTERVAL,
        "agent": "demo",
    }
    if fingerprint.root != host.root:
        intake.store_objects(connection, b"\n".join(fingerprint.objects().values()), one.at)
    intake.accept(connection, host, _EPOCH, seq, head, one.at)


def remove(connection: Connection, actor: Actor, now: datetime) -> None:
    """Take it out with all that came of it; again changes nothing."""
    if is_loaded(connection):
        demo.remove(connection, HOST_IDS, list(AGAINST))
        audit.write(connection, actor, "demo.remove", "demo", now)
