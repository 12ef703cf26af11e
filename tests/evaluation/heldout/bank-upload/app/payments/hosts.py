"""Whom we trust: the keys of hosts, as OpenSSH keeps them."""

import base64
from hashlib import sha256
from pathlib import Path

from paramiko import HostKeys, PKey


def known_keys(file: Path, host: str, port: int) -> list[PKey]:
    """The keys under which a host may show itself."""
    hosts = HostKeys()
    if file.is_file():
        hosts.load(str(file))
    found = hosts.lookup(f"[{host}]:{port}") or {}
    return [found[kind] for kind in found]


def fingerprint(key: PKey) -> str:
    return "SHA256:" + base64.b64encode(sha256(key.asbytes()).digest()).decode().rstrip("=")
