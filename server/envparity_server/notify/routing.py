"""Decides which channels are told of a drift: by hosts and lowest severity; the end of one where its beginning was."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from envparity_agent.errors import UsageError
from envparity_server.compare.selectors import ALL, Selector, parse_selector
from envparity_server.storage.causes import Cause
from envparity_server.storage.channels import Channel

RESOLVED = "resolved"


def channel_selector(text: str, now: datetime) -> Selector | None:
    """The hosts that a channel is for, None for all; raises UsageError for what is no lasting group of hosts."""
    if not text:
        return None
    selector = parse_selector(text, now)
    if selector.kind != "env" or selector.moment or selector.section:
        raise UsageError(
            f"{text[:80]!r} does not name hosts of environments",
            "a channel is for env:prod, env:prod,role=web or role=web",
        )
    return selector


def environment_of(channel: Channel) -> str | None:
    """The environment that a channel belongs to; None where it is for all of them."""
    selector = channel_selector(channel.hosts, channel.created_at)
    return None if selector is None or selector.name == ALL else selector.name


def receivers(
    channels: Iterable[Channel], cause: Cause, event: str, told: Iterable[str], now: datetime
) -> list[Channel]:
    """The channels that are told of an event of a drift; `told` are those that have been told of it before."""
    enabled = [one for one in channels if one.enabled]
    if event == RESOLVED:
        before = set(told)
        return [one for one in enabled if one.name in before]
    return [
        one
        for one in enabled
        if cause.severity >= one.severity and _is_for(channel_selector(one.hosts, now), cause, now)
    ]


def _is_for(selector: Selector | None, cause: Cause, now: datetime) -> bool:
    """Whether the drift is of the selector's hosts: of its group, or at least on one of them."""
    if selector is None:
        return True
    if selector.name not in (ALL, cause.environment):
        return False
    labels = selector.labels.items()
    return any(labels <= one.items() for one in (_labels_of(cause.hosts, now), *(at.labels for at in cause.places)))


def _labels_of(group: str, now: datetime) -> Mapping[str, str]:
    return parse_selector(group, now).labels
