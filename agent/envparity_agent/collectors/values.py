"""How values that may be secret are told: a few in clear, the others by a keyed hash, or not at all.

Variables of the environment and keys of configuration files hold passwords. Their values leave the host only as
HMAC-SHA-256 under a key that the operator makes and only agents hold, so that a server can tell equal from unequal.
"""

import hmac
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256

from envparity_agent.fingerprint import MAX_STRING, Attributes, Items, Reason

# what an interpreter and the C library look at, and no secret is put into
CLEAR = ("LANG", "LANGUAGE", "LC_*", "PYTHON*", "TZ")
# what looks like one of theirs and is an application's own: PYTHON_API_TOKEN, LC_PASSWORD that ssh lets through
_SENSITIVE = re.compile(r"PASS|PWD|SECRET|TOKEN|KEY|AUTH|CRED|DSN|PRIVATE")


@dataclass(frozen=True)
class Key:
    """The operator's key, and the id by which two sides know that they use the same one."""

    secret: bytes

    @property
    def id(self) -> str:
        """A short fingerprint of the key."""
        return sha256(b"envparity key id\0" + self.secret).hexdigest()[:12]

    def of(self, name: str, value: str) -> str:
        """The keyed hash of a value; the name is in it, so that one password under two names cannot be seen."""
        return hmac.new(self.secret, _bytes(name) + b"\0" + _bytes(value), sha256).hexdigest()


@dataclass(frozen=True)
class Disclosure:
    """What the operator lets out of the host, and under which key the rest is hashed."""

    key: Key | None = None
    clear: tuple[str, ...] = ()  # globs of names that are told in clear beside CLEAR

    def of(self, name: str, value: str) -> Attributes:
        """A value as it is told: `value` in clear, `hmac` with the `key` that made it, or `hidden` without a key."""
        is_clear = _matches(name, self.clear) or (_matches(name, CLEAR) and not _may_be_secret(name, value))
        # a longer text would be cut, and two that begin alike would count as equal
        return {"value": value} if is_clear and len(value) <= MAX_STRING else self.keyed(name, value)

    def keyed(self, name: str, value: str) -> Attributes:
        """A value that is never told in clear, whatever the operator allows."""
        if self.key is None:
            return {"hidden": True}
        return {"hmac": self.key.of(name, value), "key": self.key.id}


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _may_be_secret(name: str, value: str) -> bool:
    """Whether a name speaks of a secret, or the value is a URL that has room for one."""
    return _SENSITIVE.search(name) is not None or ("://" in value and "@" in value)


def untold(items: Items) -> tuple[Reason, ...]:
    """Why a section of these items is only `partial`: two hidden values look equal, and may not be."""
    return (Reason.NO_KEY,) if any("hidden" in body for body in items.values()) else ()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # what no text of Unicode is has bytes of its own
