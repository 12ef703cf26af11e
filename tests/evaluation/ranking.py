"""Asks `explain` for the causes of a case in each mode, and tells the rank of the culprit among them."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.values import Disclosure, Key
from envparity_server.cli.explaining import explain_targets
from envparity_server.explain.failures import parse_failure
from envparity_server.explain.model import Cause, Explanation
from tests.evaluation.cases import PACKAGE, Case, Side
from tests.evaluation.making import PLACE, made
from tests.evaluation.modes import Mode

_KEY = Key(b"of the evaluation: no secret of anybody")


@dataclass(frozen=True)
class Rank:
    """The place of the first culprit; None where no culprit is among the causes."""

    place: int | None
    of: int
    ties: int = 0  # other causes with the same score
    leader: str = ""  # what is first, where that is another


def ranks(case: Case, cache: Path) -> Iterator[tuple[Mode, Rank]]:
    """Yield the rank in each mode that the case has; raises CannotMake."""
    for mode in Mode:
        if applies(mode, case):
            yield mode, rank(case, explained(case, mode, cache))


def applies(mode: Mode, case: Case) -> bool:
    """Whether a case has what the mode tells, and whether that holds what is to blame."""
    return bool(case.traceback or not mode.traceback) and (case.kind == PACKAGE or not mode.lists)


def rank(case: Case, explanation: Explanation) -> Rank:
    """Where the first culprit is."""
    causes = explanation.causes
    for cause in causes:
        if any(culprit.matches(cause.suspect.section, cause.suspect.item) for culprit in case.culprits):
            ties = sum(other.score == cause.score for other in causes) - 1
            return Rank(cause.rank, len(causes), ties, "" if cause.rank == 1 else _name(causes[0]))
    return Rank(None, len(causes), 0, _name(causes[0]) if causes else "")


def _name(cause: Cause) -> str:
    """A cause for a reader, without the directory that the side lies in."""
    return f"{cause.kind} {cause.suspect.item or cause.suspect.section}"


def explained(case: Case, mode: Mode, cache: Path) -> Explanation:
    """What `explain` says of a case in a mode; raises CannotMake."""
    failure = parse_failure(case.traceback) if mode.traceback else None
    with tempfile.TemporaryDirectory() as scratch:
        good, bad = (_target(case, side, mode, Path(scratch) / name, cache) for name, side in _sides(case))
        source = _source(case, Path(scratch)) if mode.source else None
        return explain_targets(good, bad, failure, source, _options(case))


def _options(case: Case) -> Options:
    return Options(
        files=tuple(case.files),
        applications={"app": f"/{PLACE}"},
        disclosure=Disclosure(_KEY),
        verify=case.verify,
    )


def _sides(case: Case) -> tuple[tuple[str, Side], tuple[str, Side]]:
    return ("good", case.good), ("bad", case.bad)


def _target(case: Case, side: Side, mode: Mode, scratch: Path, cache: Path) -> str:
    """What is named to `explain` as the side."""
    if mode.lists:
        scratch.mkdir()
        file = scratch / "requirements.txt"
        file.write_text("".join(f"{name}=={version}\n" for name, version in side.packages.items()))
        return str(file)
    if side.recorded:
        return str(side.recorded)
    root = made(case, side, cache)
    if case.target:
        return str(root / case.target)
    return str(root / PLACE / ".venv") if case.venv_only else f"root:{root}"


def _source(case: Case, scratch: Path) -> str:
    """A directory with the application's source: as the side that fails has it."""
    directory = scratch / "source"
    prefix = f"{PLACE}/"
    laid = {path.removeprefix(prefix): file for path, file in case.bad.files.items() if path.startswith(prefix)}
    for path, file in {**case.application, **laid}.items():
        if not path.startswith(".venv/") and prefix + path not in case.bad.without:
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(file.read_bytes())
    return str(directory)
