"""30 days of the fleet: upgrades that roll over the hosts, deploys, and patches by hand that are undone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from random import Random

from tests.performance.fleet.hosts import ENVIRONMENTS, ROLES, Machine, State

DAYS, INTERVAL = 30, timedelta(seconds=900)
MOST_HOSTS = 1000  # a machine has a number below that
UPGRADES, DEPLOYS, PATCHES = 15, 12, 1  # of each host: with the patch undone 29 of 2,880 reports, 1 %
_LATER = {environment: number for number, environment in enumerate(ENVIRONMENTS)}


@dataclass(frozen=True)
class Report:
    """A report that says something new, and how many of the host came before it."""

    moment: datetime
    machine: Machine
    state: State
    seq: int


@dataclass(frozen=True)
class _Move:
    """One thing that happens to a host, at a report of it."""

    seq: int
    number: int
    what: str  # upgrade, deploy, patch, undo


def first_reports(machines: list[Machine], start: datetime) -> Iterator[Report]:
    """Each host's first report, spread over the first interval."""
    for machine in machines:
        yield Report(_moment(machine, start, 1), machine, State(), 1)


def later_reports(machines: list[Machine], start: datetime, random: Random) -> Iterator[Report]:
    """The reports that say something new, in the order in which they come."""
    by_number = {one.number: one for one in machines}
    states = dict.fromkeys(machines, State())
    moves = sorted(_moves(machines, random), key=lambda move: (move.seq, move.number))
    for (seq, number), together in groupby(moves, key=lambda move: (move.seq, move.number)):
        machine = by_number[number]
        for move in together:
            states[machine] = _after(states[machine], move.what)
        yield Report(_moment(machine, start, seq), machine, states[machine], seq)


def _moves(machines: list[Machine], random: Random) -> Iterator[_Move]:
    a_day = timedelta(days=1) // INTERVAL
    every_upgrade, every_deploy = DAYS * a_day // UPGRADES, DAYS * a_day // DEPLOYS
    starts = {role: random.randrange(a_day) for role in ROLES}
    for machine in machines:
        later = _LATER[machine.environment]
        seqs = [
            # by night within six hours; test and prod a day and two later
            *(
                (turn * every_upgrade + later * a_day + random.randrange(a_day // 4), "upgrade")
                for turn in range(UPGRADES)
            ),
            # within two hours of their beginning; test and prod half a day and a day later
            *(
                (turn * every_deploy + starts[machine.role] + later * a_day // 2 + random.randrange(8), "deploy")
                for turn in range(DEPLOYS)
            ),
        ]
        for _ in range(PATCHES):
            patched = random.randrange((DAYS - 1) * a_day)
            seqs += [(patched, "patch"), (patched + random.randrange(1, a_day), "undo")]
        yield from (_Move(2 + seq, machine.number, what) for seq, what in seqs if 2 + seq <= DAYS * a_day)


def _after(state: State, what: str) -> State:
    match what:
        case "upgrade":
            return replace(state, upgrades=state.upgrades + 1)
        case "deploy":
            return replace(state, deploys=state.deploys + 1)
        case _:
            return replace(state, patched=what == "patch")


def _moment(machine: Machine, start: datetime, seq: int) -> datetime:
    """When a host sends a report: each has a phase of its own."""
    return start + seq * INTERVAL + INTERVAL * machine.number / MOST_HOSTS
