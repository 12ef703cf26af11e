"""The agent's settings: flags over environment over /etc/envparity/agent.toml over defaults."""

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from envparity_agent.errors import UsageError

CONFIG_FILE = "/etc/envparity/agent.toml"
CONSENT = ("host", "images", "config", "inside")
_TYPES = {
    "server": str, "state": str, "docker": str, "interval": int, "python": dict, "applications": dict, "files": list,
    "search": list, "consent": str, "labels": list, "clear": list, "key_file": str, "verify": bool, "symbols": bool,
}  # fmt: skip


@dataclass(frozen=True)
class AgentSettings:
    """What the file may hold; each key is a field of this name."""

    server: str | None = None
    state: str | None = None
    docker: str | None = None
    interval: int = 900  # seconds between two reports
    python: Mapping[str, str] = field(default_factory=dict)  # name of a Python environment -> its directory
    applications: Mapping[str, str] = field(default_factory=dict)  # name of an application -> its directory
    files: tuple[str, ...] = ()  # configuration files to compare by their keys
    search: tuple[str, ...] = ()  # directories that the search for Python environments looks into first
    consent: str = "inside"  # how far containers may be looked into: host, images, config, inside
    labels: tuple[str, ...] = ()  # container labels that are told
    clear: tuple[str, ...] = ()  # variables and keys that are told in clear
    key_file: str | None = None  # the key under which the values of all others are hashed
    verify: bool = False  # hash the files of distributions against their RECORD
    symbols: bool = False  # tell the public names of distributions


def agent_settings() -> AgentSettings:
    """Read the file that ENVPARITY_CONFIG names, else the default one where it exists.

    Raises UsageError for a file that is not TOML, an unknown key, or a value of the wrong type.
    """
    named = os.environ.get("ENVPARITY_CONFIG")
    path = Path(named or CONFIG_FILE)
    if not named and not path.exists():
        return AgentSettings()
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror}") from None
    except ValueError as problem:  # TOMLDecodeError says the line; UnicodeDecodeError is one as well
        raise UsageError(f"{path}: {problem}") from None
    return _checked(values, path)


def _checked(values: dict[str, Any], path: Path) -> AgentSettings:
    for key, value in values.items():
        if key not in _TYPES:
            known = ", ".join(one.name for one in fields(AgentSettings))
            raise UsageError(f"{path}, line {_line(path, key)}: unknown key {key!r}", f"known keys: {known}")
        if type(value) is not _TYPES[key]:
            raise UsageError(f"{path}, line {_line(path, key)}: {key} is not of type {_TYPES[key].__name__}")
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if not all(isinstance(one, str) for one in inner):
            raise UsageError(f"{path}, line {_line(path, key)}: each value of {key} is a text")
    if values.get("interval", 60) < 60:
        raise UsageError(f"{path}, line {_line(path, 'interval')}: interval is less than 60 seconds")
    if values.get("consent", "inside") not in CONSENT:
        raise UsageError(f"{path}, line {_line(path, 'consent')}: consent is one of {', '.join(CONSENT)}")
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return AgentSettings(**given)


def _line(path: Path, key: str) -> int:
    lines = path.read_text("utf-8").splitlines()
    wanted = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    return next((number for number, line in enumerate(lines, 1) if wanted.match(line)), 1)


def state_directory(flag: str | None) -> Path:
    """Where an agent keeps what must survive a restart."""
    named = flag or agent_settings().state
    if named:
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/envparity")
    return Path(platformdirs.user_state_dir("envparity"))


def read_token(path: str | None) -> str:
    """A token from a file, standard input (`-`) or the environment, never from an argument that `ps` shows."""
    try:
        if path == "-":
            token = sys.stdin.readline().strip()
        elif path:
            token = Path(path).read_text("utf-8").strip()
        else:
            token = os.environ.get("ENVPARITY_TOKEN", "").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"cannot read the token from {path}: {problem}") from None
    if not token:
        raise UsageError("no token", "give --token-file FILE, or set ENVPARITY_TOKEN")
    if not (token.isascii() and token.isprintable()):  # no header can carry it
        raise UsageError("the token is not one line of ASCII text", "give the file that holds the token alone")
    return token


def server_address(flag: str | None) -> str:
    """The server's address; raises UsageError where none is set, or it is no http address."""
    address = flag or agent_settings().server
    if not address:
        raise UsageError("no server", "give --server URL, or set ENVPARITY_SERVER; to try without one: envparity up")
    if not address.startswith(("http://", "https://")):
        raise UsageError(f"{address} is not an http:// or https:// address")
    return address.rstrip("/")
