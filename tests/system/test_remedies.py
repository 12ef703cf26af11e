"""Applies remedies: the environment that fails is made, the steps for what is to blame are run, and it works.

The cases are folders with good.txt and bad.txt, app.py, and case.json, which names what is to blame. More of them are
run where ENVPARITY_CULPRITS names a directory of such folders.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Options
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.targets import fingerprint
from envparity_server.compare.differences import compare
from envparity_server.explain.causes import explain
from envparity_server.explain.model import Cause, Remedy, Situation
from envparity_server.explain.remedies import remedy

UV = Path(sys.executable).with_name("uv")
OWN = Path(__file__).parents[1] / "evaluation/remedies"
FOLDERS = [OWN, *([Path(os.environ["ENVPARITY_CULPRITS"])] if "ENVPARITY_CULPRITS" in os.environ else [])]
CASES = sorted(case.parent for folder in FOLDERS for case in folder.glob("*/case.json"))

run = partial(subprocess.run, check=True, capture_output=True, text=True, timeout=300)


@pytest.fixture(autouse=True)
def _uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedies' `uv` is that of the environment that the tests run in."""
    if not UV.exists():
        pytest.skip("uv is missing: pip install -e '.[dev]'")
    monkeypatch.setenv("PATH", f"{UV.parent}{os.pathsep}{os.environ['PATH']}")


def made(place: Path, requirements: Path) -> Path:
    """A virtual environment of exactly these packages."""
    run([UV, "venv", "-q", "--python", sys.executable, place])
    run([UV, "pip", "install", "-q", "--no-deps", "--python", place, "-r", requirements])
    return place


def works(environment: Path, app: Path) -> bool:
    """Whether the application ends well."""
    return run([environment / "bin/python", app], check=False, cwd=environment.parent).returncode == 0


def apply(found: Remedy | None) -> None:
    """Run the steps as a person would."""
    assert found is not None
    assert found.steps, found.note
    for step in found.steps:
        run(step, shell=True)  # noqa: S604  # a step is a line for a shell


def undone(good: Fingerprint, bad: Fingerprint, item: str) -> Remedy | None:
    """The remedy for one item, wherever it is ranked."""
    situation = Situation(good, bad, compare(good, bad))
    suspect = next(one for one in situation.suspects if one.item == item)
    differences = situation.suspects[suspect]
    return remedy(situation, Cause(1, suspect, differences[0].kind, 0, (), differences))


@pytest.mark.parametrize("case", CASES, ids=[one.name for one in CASES])
def test_the_remedy_for_what_is_to_blame_makes_the_application_work(case: Path, tmp_path: Path) -> None:
    good, bad = (made(tmp_path / side, case / f"{side}.txt") for side in ("good", "bad"))
    assert works(good, case / "app.py")
    assert not works(bad, case / "app.py")
    sides = [fingerprint(str(place), Options()) for place in (good, bad)]
    for culprit in json.loads((case / "case.json").read_text())["culprits"]:
        apply(undone(sides[0], sides[1], culprit))
    assert works(bad, case / "app.py")


def test_a_remedy_breaks_no_requirement_and_moves_nothing_else(tmp_path: Path) -> None:
    case = OWN / "pinned-by-another"
    good, bad = (made(tmp_path / side, case / f"{side}.txt") for side in ("good", "bad"))
    before = fingerprint(str(bad), Options())
    apply(undone(fingerprint(str(good), Options()), before, "werkzeug"))
    run([UV, "pip", "check", "--python", bad])
    moved = {one.item for one in compare(before, fingerprint(str(bad), Options())).differences}
    assert moved == {"flask", "werkzeug"}


def test_a_file_that_was_changed_in_place_is_put_back(tmp_path: Path) -> None:
    (tmp_path / "all.txt").write_text("six==1.16.0\n")
    (tmp_path / "app.py").write_text("import six\nprint(six.PY3)\n")
    good, bad = (made(tmp_path / side, tmp_path / "all.txt") for side in ("good", "bad"))
    (patched,) = bad.glob("lib/python*/site-packages/six.py")
    text = patched.read_text()
    patched.unlink()  # it may be a link into uv's cache
    # of another length: by time and length Python tells whether what it compiled is still right
    patched.write_text(text.replace("PY3 = ", "PY3_ = "))
    assert not works(bad, tmp_path / "app.py")
    sides = [fingerprint(str(place), replace(Options(), verify=True)) for place in (good, bad)]
    apply(undone(sides[0], sides[1], "six"))
    assert works(bad, tmp_path / "app.py")


def test_a_file_of_pins_is_changed_where_it_has_the_pin() -> None:
    case = OWN / "not-installed"
    good, bad = (fingerprint(str(case / f"{side}.txt"), Options()) for side in ("good", "bad"))
    found = explain(Situation(good, bad, compare(good, bad))).causes
    told = {one.suspect.item: one.remedy.steps if one.remedy else () for one in found}
    assert told["idna"] == (f"{case}/bad.txt:1: idna==3.4",)
    assert told["markupsafe"] == (f"{case}/bad.txt: markupsafe==2.1.3",)
