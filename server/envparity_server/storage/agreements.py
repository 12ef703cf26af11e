"""Remembers what hosts agree on: as long as all of them run what they ran, counting their votes again says the same."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from weakref import WeakKeyDictionary

from cachetools import LRUCache
from sqlalchemy import Connection, Engine

from envparity_agent.fingerprint import Fingerprint, FingerprintLike, Target
from envparity_server.drift.majority import majority
from envparity_server.storage.content import StoredFingerprint, open_differing

_MOST = 32  # of about a megabyte each
_Votes = tuple[Target, tuple[str, ...]]
_recent: WeakKeyDictionary[Engine, LRUCache[_Votes, Fingerprint]] = WeakKeyDictionary()  # of each database
_lock = Lock()


def agreement(
    connection: Connection, target: Target, taken_at: str, votes: Sequence[StoredFingerprint], roots: Sequence[str]
) -> FingerprintLike:
    """The majority of some hosts, each with the root of what it ran; without roots it is counted every time."""
    if len(votes) == 1 or not roots:
        return _counted(target, taken_at, votes)
    key = target, tuple(roots)
    with _lock:
        recent = _recent.setdefault(connection.engine, LRUCache(_MOST))
        known = recent.get(key)
    if known is not None:
        return replace(known, taken_at=taken_at)
    found = _counted(target, taken_at, votes)
    if isinstance(found, Fingerprint):  # what is still in the database lasts as long as its transaction
        with _lock:
            recent[key] = found
    return found


def _counted(target: Target, taken_at: str, votes: Sequence[StoredFingerprint]) -> FingerprintLike:
    open_differing([one.sections for one in votes])
    return majority(target, taken_at, votes)
