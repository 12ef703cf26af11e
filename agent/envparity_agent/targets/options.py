"""How targets are read, from the agent's settings."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from envparity_agent.collectors.interface import Consent, Options
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.config import AgentSettings
from envparity_agent.errors import UsageError

_SHORTEST_KEY = 16  # bytes
_LONGEST_FILE = 4096


def options(settings: AgentSettings, root: str, engine: str | None, progress: Callable[[str], None]) -> Options:
    """The options of a root; a flag's engine wins over the file's. Raises UsageError for a key that cannot be used."""
    return Options(
        root=root,
        engine=engine or settings.docker,
        names=settings.python,
        applications=settings.applications,
        files=settings.files,
        search=settings.search,
        consent=Consent[settings.consent.upper()],
        labels=settings.labels,
        disclosure=Disclosure(read_key(settings.key_file) if settings.key_file else None, settings.clear),
        verify=settings.verify,
        symbols=settings.symbols,
        progress=progress,
    )


def read_key(path: str) -> Key:
    """The operator's key for hashing values; raises UsageError where it cannot be read, is too short, or no secret.

    Whoever has the key and the hashes can try out passwords until one fits, so others must not be able to read it.
    """
    try:
        with Path(path).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read(_LONGEST_FILE).strip()
    except OSError as problem:
        raise UsageError(f"cannot read the key {path}: {problem.strerror}") from None
    if stat.S_ISREG(mode) and mode & stat.S_IROTH:  # a warning of every run is read by nobody
        raise UsageError(
            f"everybody on this host can read the key {path}", f"chmod 600 {path}, and better make a new one"
        )
    if len(secret) < _SHORTEST_KEY:
        raise UsageError(f"the key in {path} is too short to be one", "make one: envparity agent key > FILE")
    return Key(secret)
