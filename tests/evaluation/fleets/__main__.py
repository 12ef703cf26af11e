"""Prints how often the cause of failures is found in simulated fleets, beside an oracle: of 20, or `--count N`."""

import statistics
import sys
from collections.abc import Iterable, Sequence

from tests.evaluation.fleets.judging import Judged, judge
from tests.evaluation.fleets.simulating import simulate

FLEETS = 20  # their seeds are 0 to 19


def main(arguments: Sequence[str]) -> None:
    """Print one line a fleet and a summary."""
    count = int(arguments[1]) if arguments[:1] == ["--count"] else FLEETS
    print(f"{'seed':>4} {'stack':<7} {'hosts':>5} {'wrong':>5} {'ours':<6} {'oracle':<6}  {'labels':>6} {'oracle':>6} "
          f"{'advice':>6}  cause")  # fmt: skip
    found = []
    for seed in range(count):
        found.append(judge(simulate(seed)))
        print(_line(seed, found[-1]), flush=True)
    ours, oracle = sum(one.ours for one in found), sum(one.oracle for one in found)
    three = sum(one.among_three for one in found)
    print(f"first: {ours} of {len(found)}, the oracle {oracle}; ours in the first three: {three}")
    sure = [one for one in found if one.significant]
    print(f"significant: {len(sure)}, of which the cause is first: {sum(one.ours for one in sure)}")
    print(f"labels, median and mean where it was found: {_median(one.labels for one in found)}, "
          f"the oracle {_median(one.labels_of_oracle for one in found)}, "
          f"by advice {_median(one.labels_by_advice for one in found)}")  # fmt: skip


def _line(seed: int, one: Judged) -> str:
    fleet = one.fleet
    wrong = sum((host in fleet.cause.hosts) != failed for host, failed in enumerate(fleet.failed))
    first, oracle = ("first" if is_first else "-" for is_first in (one.ours, one.oracle))
    counts = (str(count or "-") for count in (one.labels, one.labels_of_oracle, one.labels_by_advice))
    ours, theirs, advised = counts
    return (
        f"{seed:>4} {fleet.stack:<7} {len(fleet.hosts):>5} {wrong:>5} {first:<6} {oracle:<6}  {ours:>6} {theirs:>6} "
        f"{advised:>6}  {fleet.cause.words}"
    )


def _median(counts: Iterable[int | None]) -> str:
    known = [count for count in counts if count]
    return f"{statistics.median(known):g} and {statistics.mean(known):.1f}" if known else "none"


if __name__ == "__main__":
    main(sys.argv[1:])
