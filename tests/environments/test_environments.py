"""Holds the fingerprint of each environment against its golden file, and against pip inspect where that can speak.

ENVPARITY_WRITE_GOLDENS=1 writes the files anew, to be read before they are committed.
"""

import json
import os
import platform
import re
import sys
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from envparity_agent.collectors.interface import Options
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.targets import fingerprint
from tests.environments.catalogue import CASES, Case
from tests.environments.making import Workshop
from tests.system.commands import run

GOLDENS = Path(__file__).with_name("goldens")
_ENOUGH = 40
ASKED = tuple(case for case in CASES if case.told_otherwise is not None)

Document = Mapping[str, Any]


class Maker:
    """Makes each environment once."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._targets: dict[str, str] = {}

    def home(self, case: Case) -> Path:
        """The home directory of whoever makes it."""
        return self._place / case.name

    def target(self, case: Case) -> str:
        """The target to be read."""
        if case.name not in self._targets:
            self._targets[case.name] = case.make(Workshop(self.home(case)))
        return self._targets[case.name]


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(tmp_path_factory.mktemp("environments"))


def steady(found: Fingerprint, home: Path, moving: Set[str]) -> Document:
    """The sections without what is this machine's and this run's: places, the version of its Python."""
    sections = {
        path: {
            "kind": section.kind,
            "schema": section.schema,
            "status": str(section.status),
            "reasons": sorted(set(section.reasons)),
            "items": {
                item: {name: value for name, value in body.items() if name not in moving}
                for item, body in section.items.items()
            },
        }
        for path, section in sorted(found.sections.items())
    }
    text = json.dumps(sections, indent=1, sort_keys=True, ensure_ascii=True)
    abi = f"{sys.version_info.major}.{sys.version_info.minor}"
    for machines, ours in (
        (os.path.realpath(home).lstrip("/"), "HOME"),
        (sys.base_prefix.lstrip("/"), "PYTHON"),
        (platform.python_version(), "X.Y.Z"),
        (f"python{abi}", "pythonX.Y"),
        (f'"abi": "{abi}"', '"abi": "X.Y"'),
    ):
        text = text.replace(machines, ours)
    text = re.sub(r"shop-[0-9a-f]{40}", "shop-COMMIT", text)
    steadied: Document = json.loads(text)
    return steadied


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= _ENOUGH
    assert {path.stem for path in GOLDENS.iterdir()} == {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_an_environment_is_what_its_golden_file_says(case: Case, maker: Maker) -> None:
    found = steady(fingerprint(maker.target(case), Options(verify=True)), maker.home(case), case.moving)
    golden = GOLDENS / f"{case.name}.json"
    if os.environ.get("ENVPARITY_WRITE_GOLDENS"):
        golden.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    assert found == json.loads(golden.read_text()), case.rule


@pytest.mark.parametrize("case", ASKED, ids=[case.name for case in ASKED])
def test_names_and_versions_are_those_of_pip_inspect(case: Case, maker: Maker) -> None:
    target = maker.target(case)
    [section] = [one for path, one in fingerprint(target, Options()).sections.items() if path.startswith("python/")]
    ours = {
        name: str(item.get("version", ""))
        for name, item in section.items.items()
        if not name.startswith("@") and "#" not in name
    }
    [site] = Path(target).glob("lib/python*/site-packages")
    told = json.loads(run(sys.executable, "-m", "pip", "inspect", "--path", site))["installed"]
    theirs = {str(canonicalize_name(one["metadata"]["name"])): one["metadata"]["version"] for one in told}
    differing = {name for name, _ in ours.items() ^ theirs.items()}
    assert differing == set(case.told_otherwise or ()), case.rule
