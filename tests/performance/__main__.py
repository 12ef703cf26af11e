"""Runs the benchmarks that are named, all by default, prints a table, and writes it as JSON beside it."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from tests.performance.agent import idle, reading, whole_host
from tests.performance.comparing import comparing
from tests.performance.containers import containers
from tests.performance.dashboard import dashboard
from tests.performance.explaining import explaining
from tests.performance.fleet import fleet
from tests.performance.gate import gate
from tests.performance.measuring import Figure
from tests.performance.peers import Peers, installed
from tests.system.workspaces import workspace

BESIDE_PEERS: Mapping[str, Callable[[Path, Peers], Iterator[Figure]]] = {
    "reading": reading,
    "host": whole_host,
    "idle": idle,
    "containers": containers,
    "comparing": comparing,
}
ALONE: Mapping[str, Callable[[Path], Iterator[Figure]]] = {
    "explaining": explaining,
    "fleet": fleet,
    "dashboard": dashboard,
    "gate": gate,
}
RESULTS = Path("performance.json")


def main(names: list[str]) -> None:
    """Print one line for each figure as soon as it is there."""
    figures = []
    print(f"{'work':<60} {'ours':>9}  {'peer':<28} {'theirs':>9}  {'ratio':>6}  aim")
    with workspace("performance") as home:
        for figure in _figures(names or [*BESIDE_PEERS, *ALONE], home):
            figures.append(figure)
            print(_line(figure), flush=True)
    RESULTS.write_text(json.dumps([asdict(one) | {"reached": one.reached} for one in figures], indent=1))


def _figures(names: list[str], home: Path) -> Iterator[Figure]:
    peers = installed(home) if BESIDE_PEERS.keys() & set(names) else None
    for name in names:
        if peers and name in BESIDE_PEERS:
            yield from BESIDE_PEERS[name](home / name, peers)
        else:
            yield from ALONE[name](home / name)


def _line(figure: Figure) -> str:
    theirs = f"{figure.theirs:>9.1f}" if figure.theirs else " " * 9
    ratio = f"{figure.ours / figure.theirs:>6.2f}" if figure.theirs else " " * 6
    aim = f"<= {figure.aim:g} {'' if figure.theirs else figure.unit}" if figure.aim else figure.unit
    missed = " missed" if figure.reached is False else ""
    return f"{figure.work:<60} {figure.ours:>9.1f}  {figure.peer:<28} {theirs}  {ratio}  {aim}{missed}"


if __name__ == "__main__":
    main(sys.argv[1:])
