"""The guard: which addresses a notification may be sent to, so that no channel reaches into a private network."""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from envparity_agent.errors import CannotTell, UsageError
from envparity_server.notify.interface import Networks

Resolve = Callable[[str, int], Sequence[str]]

_PUBLIC_IPV6 = IPv6Network("2000::/3")  # all that is given out as global unicast
# inside of what `ipaddress` calls global on one of the supported Pythons, and not a place of the internet:
# https://www.iana.org/assignments/iana-ipv6-special-registry and the same of IPv4
_SPECIAL = tuple(
    ip_network(one)
    for one in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # Teredo and other assignments
        "2002::/16",  # 6to4: an IPv4 address inside
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)


class Refused(UsageError):
    """An address that notifications may not go to."""


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, as this system's resolver takes it; raises CannotTell where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:  # UnicodeError: a label that is too long
        raise CannotTell(f"cannot find the address of {host[:255]}: {problem}", "check the name") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def vetted(host: str, port: int, allowed: Networks, resolve: Resolve = resolve) -> tuple[str, ...]:
    """The addresses of a host; raises Refused where one of them is none that notifications may go to.

    Connect to what this returns and to nothing else: the name may have other addresses a moment later.
    """
    addresses = tuple(resolve(host, port))
    for address in addresses:
        check(address, allowed, host)
    if not addresses:
        raise CannotTell(f"cannot find the address of {host[:255]}", "check the name")
    return addresses


def check(address: str, allowed: Networks, host: str = "") -> None:
    """Raise Refused for an address that is not of the public internet, nor in a network that is allowed."""
    try:
        found = ip_address(address)
    except ValueError:
        raise Refused(f"{address[:80]} is not an IP address") from None
    if _is_public(found) or _is_in(found, allowed):
        return
    name = f" ({host[:255]})" if host and host != address else ""
    raise Refused(
        f"notifications may not go to {address}{name}: it is not an address of the public internet",
        "for a receiver of your own, add its network to the server's setting webhook_networks",
    )


def _is_in(address: IPv4Address | IPv6Address, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is one host of the public internet: no tunnel or translation that hides another address in it."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv6Address) and (address not in _PUBLIC_IPV6 or address.scope_id):
        return False  # IPv4-mapped, NAT64, site-local, and what nobody has been given
    return not _is_in(address, _SPECIAL)
