"""Limits how often a login may fail: by the socket's address and by the account, in this process' memory.

The address is the socket's own: whoever asks can write anything into X-Forwarded-For.
"""

import ipaddress
from collections import OrderedDict
from datetime import datetime, timedelta
from http import HTTPStatus

from envparity_server.api.problems import Problem

WINDOW = timedelta(minutes=5)
MOST_BY_ACCOUNT = 10
MOST_BY_ADDRESS = 50  # a whole office may have one
_MOST_KEYS = 10_000
_NETWORK_BITS = 64  # what one holder of IPv6 addresses has


class Attempts:
    """How many logins failed within the present window, by key; the keys that waited longest are forgotten first."""

    def __init__(self, most: int, most_keys: int = _MOST_KEYS) -> None:
        self._most = most
        self._most_keys = most_keys
        self._failed: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def are_too_many(self, key: str, now: datetime) -> bool:
        """Whether no further attempt is allowed in this window."""
        began, count = self._failed.get(key, (now, 0))
        return count >= self._most and now - began < WINDOW

    def fail(self, key: str, now: datetime) -> None:
        """Count an attempt that failed."""
        began, count = self._failed.pop(key, (now, 0))
        self._failed[key] = (began, count + 1) if now - began < WINDOW else (now, 1)
        while len(self._failed) > self._most_keys:
            self._failed.popitem(last=False)


class LoginAttempts:
    """Those of addresses, and those of accounts."""

    def __init__(self) -> None:
        self._by_address = Attempts(MOST_BY_ADDRESS)
        self._by_account = Attempts(MOST_BY_ACCOUNT)

    def check(self, address: str, account: str, now: datetime) -> None:
        """Raise Problem 429 where too many failed; whether the account exists makes no difference."""
        if self._by_address.are_too_many(network(address), now) or self._by_account.are_too_many(account, now):
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS, "too many logins failed", "wait five minutes, or use a one-time code"
            )

    def fail(self, address: str, account: str, now: datetime) -> None:
        """Count a login that failed."""
        self._by_address.fail(network(address), now)
        self._by_account.fail(account, now)


def network(address: str) -> str:
    """What of an address one holder cannot change: all of IPv4, the network of IPv6; what is none stays as it is."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, _NETWORK_BITS), strict=False))
    return str(found)
