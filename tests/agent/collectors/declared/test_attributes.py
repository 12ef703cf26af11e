"""Checks that what is declared of packages has all the attributes that its schema promises, and no others."""

from pathlib import Path

from envparity_agent.kinds import KINDS
from tests.agent.collectors.declared.files import packages
from tests.agent.collectors.declared.test_locks import PIPFILE, POETRY, PYLOCK, UV
from tests.agent.collectors.declared.test_projects import CONDA, PYPROJECT


def test_every_attribute_of_the_schema_is_told_by_some_file(tmp_path: Path) -> None:
    files = {
        "pylock.toml": PYLOCK, "uv.lock": UV, "poetry.lock": POETRY, "Pipfile.lock": PIPFILE,
        "pyproject.toml": PYPROJECT, "environment.yml": CONDA,
    }  # fmt: skip
    found = [packages(tmp_path, name, content) for name, content in files.items()]
    told = {attribute for one in found for body in one.items.values() for attribute in body}
    assert told == set(KINDS["declared", 2].attributes)
