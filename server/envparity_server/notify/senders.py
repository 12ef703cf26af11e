"""The ways that there are: each with what sends, and with what checks an address before it is stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from envparity_agent.errors import UsageError
from envparity_server.notify.apprise_sender import AppriseSender, check_apprise
from envparity_server.notify.interface import Networks, Sender
from envparity_server.notify.webhook import Webhook, check_webhook
from envparity_server.storage.channels import Channel

Make = Callable[[Channel, Networks], Sender]


@dataclass(frozen=True)
class Way:
    """One way to send."""

    make: Make
    check: Callable[[str, Networks], None]  # raises UsageError or CannotTell
    is_signed: bool  # the server makes a secret for it


WAYS: Mapping[str, Way] = {
    "webhook": Way(lambda channel, allowed: Webhook(channel.address, channel.secret, allowed), check_webhook, True),
    "apprise": Way(lambda channel, allowed: AppriseSender(channel.address, allowed), check_apprise, False),
}


def sender_of(channel: Channel, allowed: Networks) -> Sender:
    """What sends to a channel."""
    return WAYS[channel.kind].make(channel, allowed)


def check_address(kind: str, address: str, allowed: Networks) -> None:
    """Raise UsageError for a kind that there is not, or for an address that may not be sent to."""
    if kind not in WAYS:
        raise UsageError(f"{kind[:40]!r} is no kind of channel", f"kinds: {', '.join(WAYS)}")
    WAYS[kind].check(address, allowed)


def masked(address: str) -> str:
    """As much of an address as may be shown: the scheme, and the host of a web address. The rest may be a secret."""
    scheme, separator, rest = address.partition("://")
    if scheme not in ("http", "https"):
        return f"{scheme}://…" if separator else "…"
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    return f"{scheme}://{host}/…"
