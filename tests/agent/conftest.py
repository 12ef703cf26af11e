"""The fixtures that several modules of the agent's tests use."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller's environment or the machine's own settings say must not reach a test."""
    monkeypatch.setenv("ENVPARITY_CONFIG", "/dev/null")
    for name in ("DOCKER_HOST", "ENVPARITY_DOCKER", "ENVPARITY_SERVER", "ENVPARITY_STATE", "ENVPARITY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("ENVPARITY_TOKEN_FILE", raising=False)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose path is short: that of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)
