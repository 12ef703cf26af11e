"""Tests the store against a model of it: any sequence of reports, duplicates, conflicts, losses and retirements."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, Engine, delete, select, update

from envparity_agent.fingerprint import Fingerprint, Reason, Status
from envparity_server.intake import Conflict, accept, store_objects
from envparity_server.storage import access, content, history, hosts
from envparity_server.storage.database import reading, writing
from envparity_server.storage.history import Interval, Tree
from envparity_server.storage.tables import host as host_table
from envparity_server.storage.tables import metadata, section_history
from tests.server.making import NOON, OPERATING_SYSTEM, host, packages, section, tree, versions

EPOCHS = ("00112233", "44556677")
NAMES = ("web-1", "web-2", "db-1")
OTHER_SYSTEM = section("os", {"distribution": {"id": "debian", "version": "13"}})
POOL = {
    "without Python": host(OPERATING_SYSTEM),
    "idna 3.4": host(OPERATING_SYSTEM, packages({"idna": "3.4"})),
    "idna 3.7": host(OPERATING_SYSTEM, packages({"idna": "3.7"})),
    "another system": host(OTHER_SYSTEM, packages({"idna": "3.7"})),
    "unreadable": host(OPERATING_SYSTEM, section("python/srv/shop", {}, Status.FAILED, Reason.PERMISSION)),
    "64 pages": host(section("os-packages", versions({f"package-{number}": "1.0" for number in range(70)}))),
    "many sections": host(*(section(f"python/srv/{number}", versions({"idna": "3.7"})) for number in range(65))),
}

picked = st.sampled_from(sorted(POOL))
epochs = st.sampled_from(EPOCHS)


@dataclass
class Model:
    """What the store must know of a host."""

    credential: str
    epoch: str | None = None
    seq: int | None = None
    seen_at: datetime | None = None
    retired: bool = False
    intervals: list[Interval] = field(default_factory=list)  # the oldest first
    trees: list[dict[str, str]] = field(default_factory=list)  # of each interval

    @property
    def root(self) -> str | None:
        """The present root."""
        return self.intervals[-1].root if self.intervals else None

    def report(self, epoch: str, seq: int, fingerprint: Fingerprint, now: datetime) -> None:
        """Take a report."""
        moment = max(now, self.seen_at + timedelta(microseconds=1)) if self.seen_at else now
        if fingerprint.root != self.root:
            if self.intervals:
                last = self.intervals[-1]
                self.intervals[-1] = Interval(last.root, last.first_seen, self.seen_at)
            self.intervals.append(Interval(fingerprint.root, moment, None))
            self.trees.append(tree(fingerprint))
        self.epoch, self.seq, self.seen_at = epoch, seq, moment

    def at(self, moment: datetime) -> Tree | None:
        """What it ran at a moment."""
        begun = [
            Tree(interval, sections)
            for interval, sections in zip(self.intervals, self.trees, strict=True)
            if interval.first_seen <= moment
        ]
        return begun[-1] if begun else None


class Store(RuleBasedStateMachine):
    """Hosts that report, and what a model says of each."""

    enrolled = Bundle("enrolled")

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._models: dict[str, Model] = {}
        self._objects: set[str] = set()
        self._now = NOON
        with writing(engine) as connection:
            for table in reversed(metadata.sorted_tables):
                if table.name != "audit":  # from which nobody may delete; nothing here writes to it
                    connection.execute(delete(table))

    @initialize(target=enrolled)
    def begin(self) -> str:
        """There is one host at least."""
        return self._enrolled(NAMES[0])

    @rule(target=enrolled, name=st.sampled_from(NAMES))
    def enrol(self, name: str) -> str:
        """A host enrols; one that has is as it was."""
        return self._enrolled(name)

    def _enrolled(self, name: str) -> str:
        host_id, credential = access.hashed(name)[:16], f"credential of {name}"
        if host_id not in self._models:
            with writing(self._engine) as connection:
                hosts.add(connection, host_id, name, "prod", {}, access.hashed(credential), self._now)
            self._models[host_id] = Model(credential)
        return host_id

    @rule(fingerprint=picked)
    def upload(self, fingerprint: str) -> None:
        """An agent sends every object of a tree."""
        self._upload(list(POOL[fingerprint].objects()), POOL[fingerprint])

    @rule(fingerprint=picked, number=st.integers(0, 200))
    def upload_with_a_loss(self, fingerprint: str, number: int) -> None:
        """An agent sends all objects but one."""
        hashes = list(POOL[fingerprint].objects())
        hashes.pop(number % len(hashes))
        self._upload(hashes, POOL[fingerprint])

    def _upload(self, hashes: list[str], fingerprint: Fingerprint) -> None:
        objects = fingerprint.objects()
        with writing(self._engine) as connection:
            store_objects(connection, b"\n".join(objects[hash] for hash in hashes), self._now)
        self._objects |= set(hashes)

    @rule(host_id=enrolled, fingerprint=picked, epoch=epochs, step=st.integers(-2, 3))
    def report(self, host_id: str, fingerprint: str, epoch: str, step: int) -> None:
        """A report under any number, also one that was used."""
        model = self._models[host_id]
        self._report(host_id, POOL[fingerprint], epoch, max(1, (model.seq or 0) + step))

    @rule(host_id=enrolled, fingerprint=picked)
    def report_next(self, host_id: str, fingerprint: str) -> None:
        """A report as an agent makes it: the next number, every object sent."""
        model = self._models[host_id]
        self._upload(list(POOL[fingerprint].objects()), POOL[fingerprint])
        self._report(host_id, POOL[fingerprint], model.epoch or EPOCHS[0], (model.seq or 0) + 1)

    @rule(host_id=enrolled)
    def report_again(self, host_id: str) -> None:
        """The last report once more: its acknowledgement was lost."""
        model = self._models[host_id]
        if model.seq and model.epoch:
            same = next(one for one in POOL.values() if one.root == model.root)
            self._report(host_id, same, model.epoch, model.seq)

    def _report(self, host_id: str, fingerprint: Fingerprint, epoch: str, seq: int) -> None:
        model = self._models[host_id]
        lacking = set(fingerprint.objects()) - self._objects
        used = epoch == model.epoch and model.seq is not None and seq <= model.seq
        with writing(self._engine) as connection:
            known = hosts.by_credential(connection, access.hashed(model.credential), self._now)
            assert (known is None) == model.retired
            if known is None:
                return
            head = {
                "root": fingerprint.root, "taken_at": self._now.isoformat(), "identity": {}, "observed": {},
                "interval": 900, "agent": "1",
            }  # fmt: skip
            if used and (seq, fingerprint.root) != (model.seq, model.root):
                with pytest.raises(Conflict):
                    accept(connection, known, epoch, seq, head, self._now)
                return
            duplicate, missing = accept(connection, known, epoch, seq, head, self._now)
        assert duplicate == used
        if used:
            assert missing == []
        elif fingerprint.root != model.root and lacking:
            assert missing
            assert set(missing) <= lacking
        else:
            assert missing == []
            model.report(epoch, seq, fingerprint, self._now)

    @rule(minutes=st.integers(1, 600))
    def time_passes(self, minutes: int) -> None:
        """The server's clock goes on."""
        self._now += timedelta(minutes=minutes)

    @rule(minutes=st.integers(1, 600))
    def clock_is_set_back(self, minutes: int) -> None:
        """The server's clock is set back; the order of reports stays."""
        self._now -= timedelta(minutes=minutes)

    @rule(host_id=enrolled)
    def retire(self, host_id: str) -> None:
        """A host is retired: its credential ends, its history stays."""
        with writing(self._engine) as connection:
            connection.execute(update(host_table).where(host_table.c.id == host_id).values(retired_at=self._now))
        self._models[host_id].retired = True

    @invariant()
    def the_store_equals_the_model(self) -> None:
        """Objects, hosts, intervals, and every moment."""
        with reading(self._engine) as connection:
            assert content.missing(connection, sorted(self._objects)) == []
            for host_id, model in self._models.items():
                self._holds(connection, host_id, model)
            edges = {
                moment + step
                for model in self._models.values()
                for interval in model.intervals
                for moment in (interval.first_seen, interval.last_seen)
                if moment
                for step in (timedelta(microseconds=-1), timedelta(0))
            }
            for moment in sorted(edges)[-6:]:
                expected = {host_id: model.at(moment) for host_id, model in self._models.items()}
                assert history.at(connection, self._models, moment) == {
                    host_id: one for host_id, one in expected.items() if one
                }

    def _holds(self, connection: Connection, host_id: str, model: Model) -> None:
        known = hosts.by_id(connection, host_id)
        assert known is not None
        assert (known.epoch, known.seq, known.root, known.seen_at) == (
            model.epoch, model.seq, model.root, model.seen_at,
        )  # fmt: skip
        assert history.intervals(connection, host_id, 1000) == model.intervals[::-1]
        present = history.at(connection, [host_id])
        assert {one: dict(found.sections) for one, found in present.items()} == (
            {host_id: model.trees[-1]} if model.trees else {}
        )
        rows = connection.execute(
            select(section_history)
            .where(section_history.c.host_id == host_id)
            .order_by(section_history.c.path, section_history.c.first_seen)
        ).all()
        for before, after in pairwise(rows):
            if before.path == after.path:  # one after the other, never two at once, never the same twice without a gap
                assert before.last_seen is not None
                assert before.last_seen < after.first_seen


def held_against_a_model(engine: Engine, examples: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )

    class OnThisDatabase(Store):
        def __init__(self) -> None:
            super().__init__(engine)

    run_state_machine_as_test(OnThisDatabase, settings=chosen)


def test_the_store_equals_its_model(database: Engine) -> None:
    held_against_a_model(database, examples=10)


@pytest.mark.long
def test_the_store_equals_its_model_for_long(sqlite: Engine) -> None:
    held_against_a_model(sqlite, examples=2000)
