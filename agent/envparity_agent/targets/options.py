"""How targets are read, from the agent's settings."""

from collections.abc import Callable
from pathlib import Path

from envparity_agent.collectors.interface import Consent, Options
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.config import AgentSettings
from envparity_agent.errors import UsageError

_SHORTEST_KEY = 16  # bytes


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
    """The operator's key for hashing values; raises UsageError where it cannot be read or is too short to be one."""
    try:
        secret = Path(path).read_bytes().strip()
    except OSError as problem:
        raise UsageError(f"cannot read the key {path}: {problem.strerror}") from None
    if len(secret) < _SHORTEST_KEY:
        raise UsageError(f"the key in {path} is too short to be one", "make one: envparity agent key > FILE")
    return Key(secret)
