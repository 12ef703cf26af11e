"""What people do with channels, for the API and the verbs alike: each decision with its entry in the audit log."""

import re
import secrets
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from envparity_agent.errors import UsageError
from envparity_server.compare.model import Severity
from envparity_server.notify.routing import channel_selector, environment_of
from envparity_server.notify.senders import WAYS, masked
from envparity_server.storage import audit, channels, deliveries
from envparity_server.storage.actors import Actor
from envparity_server.storage.channels import Channel

DISABLED = "the channel was disabled"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")


def planned(actor: Actor, name: str, kind: str, address: str, hosts: str, severity: Severity, now: datetime) -> Channel:
    """A channel that is to be added; its address must have been checked. Raises UsageError for what is wrong."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name[:80]!r} is no name of a channel", "use letters, digits, dot, dash, underscore")
    channel_selector(hosts, now)
    secret = f"eps_{secrets.token_urlsafe(32)}" if WAYS[kind].is_signed else ""
    return Channel(name, kind, address, secret, hosts, severity, True, actor.name, now)


def add(connection: Connection, actor: Actor, new: Channel, now: datetime) -> None:
    """Add a channel; raises UsageError where its name is taken."""
    if channels.by_name(connection, new.name):
        raise UsageError(f"there is a channel {new.name} already", "choose another name, or change that one")
    channels.add(connection, new)
    audit.write(connection, actor, "channel.add", new.name, now, environment_of(new), **_shown(new))


def change(connection: Connection, actor: Actor, one: Channel, changed: dict[str, Any], now: datetime) -> Channel:
    """Change a channel; one that is disabled gives up what it has not got yet."""
    after = replace(one, **changed)
    channel_selector(after.hosts, now)
    if changed:
        channels.change(connection, one.name, **changed)
    if one.enabled and not after.enabled:
        deliveries.give_up(connection, one.name, DISABLED)
    audit.write(connection, actor, "channel.change", one.name, now, environment_of(after), **_shown(after))
    return after


def remove(connection: Connection, actor: Actor, one: Channel, now: datetime) -> None:
    """Remove a channel with its deliveries."""
    channels.remove(connection, one.name)
    audit.write(connection, actor, "channel.remove", one.name, now, environment_of(one), **_shown(one))


def _shown(one: Channel) -> dict[str, Any]:
    return {
        "kind": one.kind, "address": masked(one.address), "hosts": one.hosts, "severity": Severity(one.severity).word,
        "enabled": one.enabled,
    }  # fmt: skip
