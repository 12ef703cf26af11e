"""Asks envfixer 0.2.0, the nearest public tool, for the causes of a case."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.evaluation.cases import Case, Culprit, Side
from tests.evaluation.making import PLACE, CannotMake, interpreter, made, uv
from tests.evaluation.modes import Mode
from tests.evaluation.ranking import Rank, applies
from tests.system.cache import made_once

VERSION = "0.2.0"
_MODES = (Mode.LISTS, Mode.LISTS_TRACEBACK, Mode.BUILT, Mode.BUILT_TRACEBACK)  # it reads no source
# what it calls the effect of a variable whose value it does not look at
_EFFECTS = {"env:TZ": "timezone", "env:LANG": "locale_encoding", "env:LC_ALL": "locale_encoding"}


def installed(cache: Path) -> Path:
    """The directory that it is installed in; raises CannotMake."""
    return made_once(cache / "evaluation" / f"envfixer-{VERSION}", _install)


def ranks(case: Case, cache: Path, place: Path) -> Iterator[tuple[Mode, Rank]]:
    """Yield its rank of the culprit in each mode that the case has and that it knows; raises CannotMake."""
    if case.good.recorded or case.bad.recorded:
        return  # it reads no fingerprint but its own
    with tempfile.TemporaryDirectory() as scratch:
        for mode in _MODES:
            if applies(mode, case):
                yield mode, _rank(case, _causes(case, mode, cache, place, Path(scratch)))


def _install(place: Path) -> None:
    command = (uv(), "pip", "install", "--quiet", "--no-deps", "--target", place, f"envfixer=={VERSION}")
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise CannotMake(f"envfixer {VERSION} cannot be installed: {ended.stderr.strip()}")


def _causes(case: Case, mode: Mode, cache: Path, place: Path, scratch: Path) -> list[str]:
    """What it names, the likeliest first."""
    printed = scratch / "traceback.txt"
    printed.write_text(case.traceback)
    files = []
    for name, side in (("good", case.good), ("bad", case.bad)):
        files.append(scratch / f"{name}.json")
        (_freeze if mode.lists else _capture)(case, side, cache, place, files[-1])
    command = ["diff", *map(str, files), "--format", "json", "--fail-on", "none"]
    told = _run(interpreter("3.11"), place, {}, *command, *(["--traceback", str(printed)] if mode.traceback else []))
    return [str(one["key"]) for one in json.loads(told)["causes"]]


def _freeze(case: Case, side: Side, cache: Path, place: Path, target: Path) -> None:
    del case, cache
    frozen = target.with_suffix(".txt")
    frozen.write_text("".join(f"{name}=={version}\n" for name, version in side.packages.items()))
    _run(interpreter("3.11"), place, {}, "capture", "--from-freeze", str(frozen), "-o", str(target))


def _capture(case: Case, side: Side, cache: Path, place: Path, target: Path) -> None:
    python = made(case, side, cache) / PLACE / ".venv/bin/python"
    _run(python, place, dict(side.environment), "capture", "-o", str(target))


def _run(python: Path, place: Path, environment: dict[str, str], *arguments: str) -> str:
    own = {"PATH": os.defpath, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        [python, "-m", "envfixer", *arguments], env={**environment, **own}, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise CannotMake(f"envfixer {arguments[0]} failed: {ended.stderr.strip()}")
    return ended.stdout


def _rank(case: Case, causes: list[str]) -> Rank:
    for place, key in enumerate(causes, start=1):
        if any(_names(culprit, key) for culprit in case.culprits):
            return Rank(place, len(causes), 0, "" if place == 1 else causes[0])
    return Rank(None, len(causes), 0, causes[0] if causes else "")


def _names(culprit: Culprit, key: str) -> bool:
    plain = culprit.item.removeprefix("@").removeprefix("env:")
    return key in (plain, _EFFECTS.get(culprit.item))
