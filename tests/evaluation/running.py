"""Runs the application of a side as its service would, and the control that says what is to blame."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.evaluation.cases import Case, Side
from tests.evaluation.making import PLACE, made, swapped

_LONGEST = 120.0


def run(side: Side, root: Path) -> tuple[bool, str]:
    """Whether the application worked, and what it printed as if the root directory were `/`."""
    place = root / PLACE
    python = place / ".venv/bin/python"
    own = {"PATH": os.defpath, "HOME": "/nonexistent", "ROOT": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        [python, place / "app.py"],
        cwd=place,
        env={**own, **side.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_LONGEST,
        check=False,
    )
    base = str(python.resolve().parent.parent)
    printed = ended.stdout.decode("utf-8", "replace").replace(str(root), "").replace(base, "/usr/local")
    if ended.returncode < 0:
        printed += f"terminated by signal {-ended.returncode}\n"
    return ended.returncode == 0, printed


def record(case: Case, cache: Path) -> str:
    """Run the side that fails, and keep what it printed in the case's folder; returns it."""
    worked, printed = run(case.bad, made(case, case.bad, cache))
    if worked:
        raise AssertionError(f"{case.name}: the bad side works")
    (case.folder / "traceback.txt").write_text(printed)
    return printed


def control(case: Case, cache: Path) -> Iterator[tuple[str, bool, bool]]:
    """Yield what was run, whether it should work, and whether it did: both sides, then each with the cause swapped."""
    with tempfile.TemporaryDirectory() as scratch:
        sides = (
            ("good", case.good, True),
            ("bad", case.bad, False),
            ("bad with the cause undone", swapped(case, case.bad, case.good, Path(scratch)), True),
            ("good with the cause alone", swapped(case, case.good, case.bad, Path(scratch)), False),
        )
        for name, side, expected in sides:
            yield name, expected, run(side, made(case, side, cache))[0]
