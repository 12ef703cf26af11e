"""Checks what pyproject.toml and conda's environment.yml declare."""

from pathlib import Path

import pytest

from envparity_agent.fingerprint import Reason, Status
from tests.agent.collectors.declared.files import only, packages, refusal

PYPROJECT = """\
[project]
name = "shop"
requires-python = ">=3.11"
dependencies = [
    "idna>=3,<4",
    "rich==13.7.1",
    "tomli; python_version < '3.11'",
    "theme @ git+https://ann:hunter2@git.example/theme@0123456789abcdef0123456789abcdef01234567",
]

[project.optional-dependencies]
web = ["httpx[http2]>=0.28"]

[dependency-groups]
dev = ["pytest", {include-group = "lint"}]
lint = ["ruff==0.9.*"]
"""


def test_a_project_declares_ranges_extras_and_groups(tmp_path: Path) -> None:
    section = packages(tmp_path, "pyproject.toml", PYPROJECT)
    assert only(section.items, "version", "specifier", "optional", "line", "marker", "commit") == {
        "idna": {"specifier": "<4,>=3", "line": 5},
        "rich": {"version": "13.7.1", "line": 6},
        "tomli": {"specifier": "", "marker": 'python_version < "3.11"', "line": 7},
        "theme": {"commit": "0123456789abcdef0123456789abcdef01234567", "line": 8},
        "httpx": {"specifier": ">=0.28", "optional": ("extra web",), "line": 12},
        "pytest": {"specifier": "", "optional": ("group dev",), "line": 15},
        "ruff": {"specifier": "==0.9.*", "optional": ("group lint",), "line": 16},
    }
    assert section.items["theme"]["source"] == "git+https://git.example/theme"
    assert section.items["@python"] == {"specifier": ">=3.11"}
    assert ("@lock" in section.items, section.status) == (False, Status.OK)


@pytest.mark.parametrize(
    "text",
    ["[project]\ndynamic = ['dependencies']\n", "[tool.poetry.dependencies]\nidna = '^3'\n"],
    ids=["made at build time", "in poetry's own table"],
)
def test_dependencies_that_are_written_elsewhere_make_it_incomplete(tmp_path: Path, text: str) -> None:
    section = packages(tmp_path, "pyproject.toml", text)
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.UNSUPPORTED,))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[project]\ndependencies = [\n  'no requirement',\n]\n", "line 3: not a requirement"),
        ("[project]\ndependencies = 'idna'\n", "dependencies is not a list of texts"),
        ("[dependency-groups]\ndev = [{a = 1}]\n", "has an entry that is no requirement"),
        ("project = 1\n", "project: not a table"),
    ],
)
def test_what_is_no_project_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, "pyproject.toml", text)


CONDA = """\
name: shop
channels: [conda-forge]
dependencies:
  - python=3.11
  - numpy=1.26
  - conda-forge::openssl==3.3.1
  - mkl=2023.2.0=h84fe81f_50496
  - scipy>=1.11,<2
  - pandas 2.*
  - zlib
  - pip:
      - MarkupSafe==2.1.5
      - idna
"""


def test_a_conda_environment_declares_packages_of_conda_and_of_pip(tmp_path: Path) -> None:
    section = packages(tmp_path, "environment.yml", CONDA)
    assert only(section.items, "version", "specifier", "line") == {
        "conda:numpy": {"specifier": "==1.26.*", "line": 5},
        "conda:openssl": {"version": "3.3.1", "line": 6},
        "conda:mkl": {"version": "2023.2.0", "line": 7},
        "conda:scipy": {"specifier": "<2,>=1.11", "line": 8},
        "conda:pandas": {"specifier": "==2.*", "line": 9},
        "conda:zlib": {"specifier": "", "line": 10},
        "markupsafe": {"version": "2.1.5", "line": 12},
        "idna": {"specifier": "", "line": 13},
    }
    assert section.items["@python"] == {"specifier": "==3.11.*"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dependencies: none\n", "line 1: dependencies is not a list"),
        ("dependencies:\n  - a b c d e\n", "line 2"),
        ("dependencies:\n  - 1\n", "line 2: not a package"),
        ("dependencies:\n  - idna\n  - pip: x\n", "line 3: pip is not a list"),
        ("dependencies:\n  - pip:\n    - no requirement\n", "line 3: not a requirement"),
        ("- a\n", "line 1: not a mapping"),
    ],
)
def test_what_is_no_conda_environment_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, "environment.yml", text)
