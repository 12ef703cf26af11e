"""The repository that most tests of code begin with."""

from pathlib import Path

import pytest

from tests.agent.collectors.code.repositories import Work, committed


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A repository with a commit, with nothing changed in it."""
    return committed(tmp_path)
