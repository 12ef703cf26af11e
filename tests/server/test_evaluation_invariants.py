"""Whatever hosts report and people decide, in whatever order: what is always so of drifts and of what is told."""

import shutil
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from envparity_agent.fingerprint import Reason, Status
from envparity_server.drift.life import DECIDED, OPEN, State
from envparity_server.evaluation import SETTLE, compare_ahead, evaluate
from envparity_server.storage import deploys, drifts
from envparity_server.storage.database import open_database, writing
from envparity_server.storage.drifts import Drift, Wanted
from tests.server.fleet import known, report, reported
from tests.server.making import ENGINE, NOON, OPERATING_SYSTEM, SEARCHED, host, packages, section

_HOSTS = "abcd"
_RUNS = {
    "3.4": host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": "3.4"})),
    "3.7": host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": "3.7", "six": "1.16"})),
    "failed": host(
        OPERATING_SYSTEM, SEARCHED, ENGINE, section("python/srv/shop", None, Status.FAILED, Reason.PERMISSION)
    ),
    "gone": host(OPERATING_SYSTEM, SEARCHED, ENGINE),
}

# minutes that pass, then who runs what, and what a person does
_steps = st.lists(
    st.tuples(
        st.sampled_from([5, 15, 60, 240]),
        st.dictionaries(st.sampled_from(_HOSTS), st.sampled_from([*_RUNS, "silent"]), max_size=2),
        st.sampled_from(["", "", "", "acknowledge", "snooze", "reopen", "begin", "end"]),
    ),
    min_size=1,
    max_size=12,
)


class _World:
    """Four hosts on a database, what they run, and what was told of each drift."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.now = connection, NOON
        self.runs = dict.fromkeys(_HOSTS, "3.4")
        self.hosts = {name: reported(connection, name, _RUNS["3.4"], NOON) for name in _HOSTS}
        self.told: dict[str, list[str]] = defaultdict(list)
        self.states: dict[str, State] = {}
        self.deploy = ""
        evaluate(connection, NOON)

    def lives(self, minutes: int, changes: dict[str, str], decision: str) -> None:
        """Time passes, who is not silent reports, somebody decides, and the fleet is evaluated."""
        self.runs |= changes
        self.now += timedelta(minutes=minutes)
        for name, runs in self.runs.items():
            if runs != "silent":
                report(self.connection, known(self.connection, self.hosts[name].id), _RUNS[runs], self.now)
        self._decides(decision)
        self._is_evaluated()

    def _decides(self, decision: str) -> None:
        if decision == "begin":
            self.deploy = deploys.begin(self.connection, "env:prod", "prod", "", "", "ci", self.now).id
        elif decision == "end":
            deploys.end(self.connection, [self.deploy], self.now)
        elif decision:
            for one in self.drifts()[:1]:
                self._decides_about(one, decision)

    def _decides_about(self, one: Drift, decision: str) -> None:
        if one.state == State.RESOLVED:
            return
        if decision == "reopen":
            assert drifts.reopened(self.connection, one.id, one.version, self.now) == (one.state in DECIDED)
            return
        state, until = (State.SNOOZED, self.now + SETTLE) if decision == "snooze" else (State.ACKNOWLEDGED, None)
        assert drifts.decide(self.connection, one.id, one.version, state, self.now, "known", "ada", until)

    def drifts(self) -> list[Drift]:
        """All of them, with their items."""
        found, _ = drifts.listed(self.connection, Wanted(frozenset(State)))
        return [each for one in found if (each := drifts.by_id(self.connection, one.id))]

    def _is_evaluated(self) -> None:
        before = {one.id: one.state for one in self.drifts()}
        ahead = compare_ahead(self.connection, self.now, "prod")
        for told in evaluate(self.connection, self.now, ahead=ahead):
            found = drifts.by_id(self.connection, told.drift_id)
            assert found is not None
            assert found.state != before.get(told.drift_id), "a transition without another state"
            self.told[told.drift_id].append(str(told.event))
        after = self.drifts()
        assert evaluate(self.connection, self.now) == []
        assert self.drifts() == after, "the same moment again changed something"
        for one in after:
            self._holds(one)
        places = [(item.subject, item.key) for one in after for item in one.live]
        assert len(places) == len(set(places)), "one difference is in two drifts"

    def _holds(self, one: Drift) -> None:
        assert not (one.state == State.RESOLVED and one.live)
        assert one.state not in OPEN or one.live or self.now - one.last_moved < SETTLE
        assert one.words
        events = self.told[one.id]
        for event, following in pairwise(events):
            assert (event == "resolved") != (following == "resolved")
        assert events.count("new") + events.count("stale") <= 1
        assert bool(one.notified_at) == bool(events)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_steps)
def test_any_sequence_of_reports_and_decisions_keeps_what_is_always_so(
    migrated_file: Path, steps: list[tuple[int, dict[str, str], str]]
) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "server.db"
        shutil.copyfile(migrated_file, path)
        engine = open_database(f"sqlite:///{path}")
        try:
            with writing(engine) as connection:
                world = _World(connection)
                for step in steps:
                    world.lives(*step)
        finally:
            engine.dispose()
