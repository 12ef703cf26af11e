"""Holds what is read of a real environment against `pip inspect`, pip's own reading of the same directory."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from envparity_agent.collectors.interface import Options
from envparity_agent.fingerprint import Attributes
from envparity_agent.targets import fingerprint
from tests.agent.trees import distribution, put
from tests.agent.wheels import pip_environment, pip_install, wheel


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with what pip installed from a wheel, and with the other forms beside it."""
    place = pip_environment(tmp_path_factory.mktemp("oracle") / "venv")
    pip_install(place, place, wheel(tmp_path_factory.mktemp("built") / "wheels"))
    [site] = place.glob("lib/python*/site-packages")
    put(site, "old-1.0.egg-info", "Metadata-Version: 1.1\nName: old\nVersion: 1.0\n")
    put(site, "older-2.0.egg-info/PKG-INFO", "Metadata-Version: 1.1\nName: Older.One\nVersion: 2.0\n")
    rich = distribution(site, "rich_one", "3.0")
    put(
        rich,
        "METADATA",
        "Metadata-Version: 2.1\nName: Rich_One\nVersion: 3.0\nRequires-Python: >=3.7\n"
        "Requires-Dist: idna<4,>=2.5\nRequires-Dist: six; extra == 'x'\nProvides-Extra: x\n\nWords.\n",
    )
    vcs = {"vcs": "git", "commit_id": "0123abcd"}
    put(rich, "direct_url.json", json.dumps({"url": "https://git.example/rich", "vcs_info": vcs}))
    put(rich, "REQUESTED")
    put(site, "setuptools/_vendor/hidden-1.0.dist-info/METADATA", "Name: hidden\nVersion: 1.0\n")
    return place


@pytest.fixture(scope="module")
def inspected(environment: Path) -> dict[str, Mapping[str, Any]]:
    """What pip tells of each distribution, by its normalised name."""
    [site] = environment.glob("lib/python*/site-packages")
    ended = subprocess.run(
        [environment / "bin/python", "-m", "pip", "inspect", "--path", site], capture_output=True, check=True, text=True
    )
    found = json.loads(ended.stdout)["installed"]
    return {one["metadata"]["name"].lower().replace("_", "-").replace(".", "-"): one for one in found}


@pytest.fixture(scope="module")
def read(environment: Path) -> dict[str, Attributes]:
    """What is read of each distribution."""
    [section] = fingerprint(str(environment), Options()).sections.values()
    return {name: body for name, body in section.items.items() if name != "@python"}


def test_the_same_distributions_are_found(read: dict[str, Attributes], inspected: dict[str, Mapping[str, Any]]) -> None:
    assert read.keys() == inspected.keys()
    assert {"old", "older-one", "rich-one", "shop", "pip"} <= read.keys()


def test_each_is_told_alike(read: dict[str, Attributes], inspected: dict[str, Mapping[str, Any]]) -> None:
    for name, theirs in inspected.items():
        ours, metadata = read[name], theirs["metadata"]
        assert ours["version"] == metadata["version"]
        assert ours.get("display", name) == metadata["name"]
        assert ours.get("requires_python") == metadata.get("requires_python")
        assert ours.get("requires", ()) == tuple(sorted(metadata.get("requires_dist", ())))
        assert ours.get("installer", "") == theirs.get("installer", "")
        assert ours.get("requested", False) == theirs.get("requested", False)
        direct = theirs.get("direct_url", {})
        assert ours.get("source") == direct.get("url")
        assert ours.get("commit") == direct.get("vcs_info", {}).get("commit_id")
