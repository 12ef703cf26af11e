"""Runs the evaluation: `python -m tests.evaluation [--culprits DIR] [--only NAME] [--verify] [--record DIR]`."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.evaluation.cases import BadCase, Case, read_cases
from tests.evaluation.judging import Judged, judge
from tests.evaluation.making import CannotMake
from tests.evaluation.running import control, record
from tests.evaluation.tables import print_case, print_heading, print_summary
from tests.system.cache import cache_directory

_HERE = Path(__file__).parent
_RESULTS = Path("evaluation.json")
_BESIDE = _HERE.parents[2] / "shared/culprits"  # where the samples lie beside a checkout


def main(arguments: Sequence[str]) -> int:
    """Print one line for each case as soon as it is known, then the aims; 1 where the control or a recording failed."""
    chosen = _parser().parse_args(arguments)
    cache = cache_directory()
    if chosen.record:
        return _record(chosen.record, chosen.only, cache)
    cases = [(half, one) for half, one in _all(chosen.culprits) if chosen.only in ("", one.name, half)]
    if chosen.verify:
        return _verify([one for _, one in cases], cache)
    judged: list[Judged] = []
    print_heading()
    for half, case in cases:
        judged.append(judge(half, case, cache))
        print_case(judged[-1])
    print_summary(judged)
    _RESULTS.write_text(json.dumps([one.document() for one in judged], indent=1) + "\n")
    print(f"\nwritten to {_RESULTS}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description=__doc__)
    parser.add_argument("--culprits", type=Path, default=_BESIDE, help="folder of further cases, as culprits/ has them")
    parser.add_argument("--only", default="", help="one case by its name, or one of culprits, tuned, heldout")
    parser.add_argument("--verify", action="store_true", help="run the control of each case, and rank nothing")
    parser.add_argument("--record", type=Path, help="folder of cases: run their bad sides, write their traceback.txt")
    return parser


def _all(culprits: Path) -> Iterator[tuple[str, Case]]:
    for half, directory in (("culprits", culprits), ("tuned", _HERE / "tuned"), ("heldout", _HERE / "heldout")):
        if not directory.is_dir():
            print(f"{half}: no such folder, left out")
            continue
        for case in read_cases(directory):
            yield half, case


def _record(directory: Path, only: str, cache: Path) -> int:
    for case in read_cases(directory):
        if only in ("", case.name):
            print(f"{case.name}: {record(case, cache).strip().splitlines()[-1:]}", flush=True)
    return 0


def _verify(cases: Sequence[Case], cache: Path) -> int:
    wrong = 0
    for case in cases:
        if not case.swap:
            print(f"{case.name:<28} not run again: {case.control or 'says not how it was established'}")
            wrong += not case.control
            continue
        try:
            outcomes = list(control(case, cache))
        except CannotMake as problem:
            print(f"{case.name:<28} not run: {problem}")
            continue
        failed = [f"{name} {'fails' if expected else 'works'}" for name, expected, did in outcomes if expected != did]
        wrong += bool(failed)
        print(f"{case.name:<28} {'; '.join(failed) or 'holds'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BadCase as problem:
        sys.exit(str(problem))
