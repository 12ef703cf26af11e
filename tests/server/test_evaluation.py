"""Tests of an evaluation on real databases: what becomes a drift, who is held to it, and what is told when."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from envparity_agent.fingerprint import Fingerprint, Reason, Status
from envparity_server.compare.model import Severity
from envparity_server.drift.findings import Moved
from envparity_server.drift.life import State
from envparity_server.drift.rules import Rule, rule_id
from envparity_server.evaluation import compare_ahead, evaluate
from envparity_server.storage import deploys, drifts, hosts, rules
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import writing
from envparity_server.storage.drifts import Drift, Wanted
from tests.server.fleet import enrolled, known, report
from tests.server.making import ENGINE, NOON, OPERATING_SYSTEM, SEARCHED, host, packages, section, versions

ADA = Actor("person:ada", Role.OPERATOR)
QUARTER = timedelta(minutes=15)
SHOP = "python/srv/shop"
PLAIN = {"flask": "3.0", "idna": "3.4"}


def running(pinned: Mapping[str, str]) -> Fingerprint:
    """A host with these distributions."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages(pinned))


@dataclass
class Fleet:
    """Hosts that report every quarter of an hour, and the clock."""

    engine: Engine
    now: datetime = NOON
    runs: dict[str, Fingerprint] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def has(self, *names: str, environment: str = "prod", **pinned: str) -> None:
        """Hosts run these distributions beside the plain ones, from their next report on."""
        with writing(self.engine) as connection:
            for name in names:
                if name not in self.runs:
                    enrolled(connection, name, environment)
                self.runs[name] = running({**PLAIN, **pinned})

    def passes(self, quarters: int = 1, silent: str = "") -> list[str]:
        """Time passes: each quarter all but some report, and the fleet is evaluated; returns the events told."""
        before = len(self.told)
        for _ in range(quarters):
            self.now += QUARTER
            with writing(self.engine) as connection:
                for one in hosts.all_hosts(connection):
                    if one.name not in silent:
                        report(connection, known(connection, one.id), self.runs[one.name], self.now)
                self.told += [str(each.event) for each in evaluate(connection, self.now)]
                assert evaluate(connection, self.now) == []
        return self.told[before:]

    def drifts(self, state: str = "open", environment: str | None = None) -> list[Drift]:
        """The drifts with their items, as people are shown them."""
        states = frozenset({State(state)}) if state != "open" else Wanted().states
        with writing(self.engine) as connection:
            found, _ = drifts.listed(connection, Wanted(states, environment=environment))
            whole = [drifts.by_id(connection, one.id) for one in found]
        return [one for one in whole if one]

    @property
    def drift(self) -> Drift:
        """The only open one."""
        (found,) = self.drifts()
        return found


@pytest.fixture
def fleet(database: Engine) -> Fleet:
    """Five hosts of prod that are alike, and were looked at."""
    return _settled(database)


@pytest.fixture
def small(sqlite: Engine) -> Fleet:
    """The same on SQLite, for what no database decides."""
    return _settled(sqlite)


def _settled(engine: Engine) -> Fleet:
    fleet = Fleet(engine)
    fleet.has("a", "b", "c", "d", "e")
    assert fleet.passes(2) == []
    return fleet


def test_a_host_that_changes_is_a_drift_with_what_is_known_of_it(fleet: Fleet) -> None:
    fleet.has("a", idna="3.7", six="1.16")
    assert fleet.passes() == []
    one = fleet.drift
    assert (one.hosts, one.state, one.severity) == (("a",), State.SETTLING, Severity.HIGH)
    assert {(item.key.item, item.left, item.right) for item in one.live} == {
        ("idna", "3.7", "3.4"), ("six", "1.16", None)
    }  # fmt: skip
    assert {(item.since_after, item.since_before) for item in one.live} == {(fleet.now - QUARTER, fleet.now)}
    assert (one.moved, one.actor, one.reference, one.section) == (Moved.HOST, None, "env:prod", SHOP)
    assert fleet.passes(4) == ["new"]
    assert fleet.drift.words.startswith(f"{SHOP}: idna 3.4 -> 3.7; six 1.16 was added on a, since between")


def test_it_is_resolved_by_itself_and_told(fleet: Fleet) -> None:
    fleet.has("a", idna="3.7")
    fleet.passes(5)
    fleet.has("a")
    assert fleet.passes(4) == []
    assert fleet.passes() == ["resolved"]
    (gone,) = fleet.drifts("resolved")
    assert (gone.hosts, fleet.drifts()) == ((), [])


def test_it_regresses_where_the_same_comes_again(fleet: Fleet) -> None:
    fleet.has("a", idna="3.7")
    fleet.passes(5)
    fleet.has("a")
    fleet.passes(5)
    fleet.has("b", idna="3.7")
    assert fleet.passes(5) == ["regressed"]
    assert (fleet.drift.regressions, fleet.drift.hosts, fleet.drift.state) == (1, ("b",), State.REGRESSED)


def test_when_the_majority_flips_the_same_drift_is_told_of_those_behind_and_once(fleet: Fleet) -> None:
    fleet.has("a", idna="3.7")
    assert fleet.passes(5) == ["new"]
    first = fleet.drift.id
    fleet.has("b", "c", "d", idna="3.7")
    assert fleet.passes(8) == []
    assert (fleet.drift.id, fleet.drift.hosts, fleet.drift.moved) == (first, ("e",), Moved.REFERENCE)
    assert "idna 3.4, not 3.7, compared with env:prod, on e" in fleet.drift.words
    fleet.has("e", idna="3.7")
    assert fleet.passes(5) == ["resolved"]


def test_a_rollout_that_converges_is_never_told(fleet: Fleet) -> None:
    for name in "abcde":
        fleet.has(name, idna="3.7")
        assert fleet.passes(3) == []
    assert fleet.passes(6) == []


def test_what_is_unknown_or_stale_resolves_nothing(small: Fleet) -> None:
    small.has("a", idna="3.7")
    small.passes(5)
    failed = section(SHOP, None, Status.FAILED, Reason.PERMISSION)
    small.runs["a"] = host(OPERATING_SYSTEM, SEARCHED, ENGINE, failed)
    assert small.passes(6) == []
    unlisted = section("python", None, Status.PARTIAL, Reason.TIMEOUT)
    small.runs["a"] = host(OPERATING_SYSTEM, unlisted, ENGINE)
    assert small.passes(6) == []
    assert small.passes(12, silent="a") == ["stale"]
    assert sorted((one.kind, one.hosts) for one in small.drifts()) == [("python", ("a",)), ("stale", ("a",))]


def test_a_retired_host_takes_its_part_of_a_drift_with_it(small: Fleet) -> None:
    small.has("a", idna="3.7")
    small.passes(5)
    with writing(small.engine) as connection:
        connection.exec_driver_sql("UPDATE host SET retired_at = '2026-11-01' WHERE name = 'a'")
    assert small.passes(5) == ["resolved"]


def test_a_host_that_joins_with_differences_is_shown_and_not_told(small: Fleet) -> None:
    small.has("new", idna="3.7")
    assert small.passes(10) == []
    assert (small.drift.state, small.drift.hosts, small.drift.first) == (State.NEW, ("new",), True)
    assert small.drift.words.endswith("on new, since the first report, actor unknown")


def test_what_a_host_that_joined_changes_later_is_told(small: Fleet) -> None:
    small.has("new", idna="3.7")
    small.passes(2)
    small.has("new", idna="9.9")
    assert small.passes(5) == ["new"]
    assert [(one.first, one.hosts) for one in small.drifts()] == [(False, ("new",))]


def test_what_a_rule_expects_is_no_drift_and_is_counted(small: Fleet) -> None:
    rule = Rule(rule_id(f"{SHOP}/idna", "", None), f"{SHOP}/idna", "", "by design")
    with writing(small.engine) as connection:
        rules.add(connection, rule, None, "person:ada", NOON)
    small.has("a", idna="3.7")
    assert small.passes(5) == []
    assert small.drifts() == []
    with writing(small.engine) as connection:
        stored = rules.by_id(connection, rule.id)
        assert stored is not None
        assert stored.hits == 1


def test_a_rule_that_is_made_later_resolves_what_it_expects(small: Fleet) -> None:
    small.has("a", idna="3.7")
    small.passes(5)
    with writing(small.engine) as connection:
        match = f"{SHOP}/idna"
        rules.add(connection, Rule(rule_id(match, "", None), match, "", "by design"), None, "person:ada", small.now)
    assert small.passes(5) == ["resolved"]


def test_what_is_critical_is_told_with_the_next_report(small: Fleet) -> None:
    match = f"{SHOP}/idna"
    critical = Rule(rule_id(match, "", Severity.CRITICAL), match, "", "it signs tokens", severity=Severity.CRITICAL)
    with writing(small.engine) as connection:
        rules.add(connection, critical, None, "person:ada", NOON)
    small.has("a", idna="3.7")
    assert small.passes() == []
    assert small.passes() == ["new"]


def test_fewer_than_three_hosts_have_no_reference_and_no_drift(small: Fleet) -> None:
    small.has("x", "y", environment="dev")
    small.passes(2)
    small.has("x", idna="3.7", environment="dev")
    assert small.passes(8) == []
    assert small.drifts() == []


def test_a_deploy_is_not_told_and_its_stragglers_are_afterwards(small: Fleet) -> None:
    with writing(small.engine) as connection:
        marked = deploys.begin(connection, "env:prod", "prod", "shop 1.5", "", "token:ci", small.now)
    small.has("a", idna="3.7")
    assert small.passes(8) == []
    assert small.drift.words.endswith("in deploy shop 1.5")
    small.has("b", "c", "d", idna="3.7")
    small.passes()
    with writing(small.engine) as connection:
        deploys.end(connection, [marked.id], small.now)
    assert small.passes(3) == []
    assert small.passes(2) == ["new"]
    assert (small.drift.hosts, small.drift.words.endswith("left by deploy shop 1.5")) == (("e",), True)


def test_a_deploy_whose_end_nobody_marked_is_over_after_a_day(small: Fleet) -> None:
    with writing(small.engine) as connection:
        deploys.begin(connection, "env:prod", "prod", "", "", "token:ci", small.now)
    small.has("a", idna="3.7")
    assert small.passes(4 * 24) == []
    assert small.passes(6) == ["new"]


def test_hosts_that_fall_silent_together_are_one_entry_that_resolves_itself(fleet: Fleet) -> None:
    assert fleet.passes(5, silent="ab") == ["stale"]
    assert fleet.drift.words.startswith("2 of 5 hosts of prod stopped reporting at")
    assert fleet.passes(3) == ["resolved"]


def test_an_environment_is_held_as_a_whole_against_what_it_is_meant_to_be_like(fleet: Fleet) -> None:
    fleet.has("x", "y", environment="test")
    with writing(fleet.engine) as connection:
        connection.exec_driver_sql("UPDATE environment SET against = 'env:prod' WHERE name = 'test'")
    fleet.passes(2)
    fleet.has("x", "y", idna="3.7", environment="test")
    assert fleet.passes(5) == ["new"]
    one = fleet.drift
    assert (one.environment, one.reference, one.hosts, one.moved) == ("test", "env:prod", ("env:test",), Moved.HOST)
    fleet.has("a", "b", "c", "d", "e", idna="3.7")
    assert fleet.passes(6) == ["resolved"]


def test_another_host_joins_what_was_acknowledged_and_another_value_is_told(small: Fleet) -> None:
    small.has("a", idna="3.7")
    small.passes(5)
    one = small.drift
    with writing(small.engine) as connection:
        assert drifts.decide(connection, one.id, one.version, State.ACKNOWLEDGED, small.now, "fine", ADA.name)
        assert not drifts.decide(connection, one.id, one.version, State.SNOOZED, small.now, "late", ADA.name)
    small.has("b", idna="3.7")
    assert small.passes(5) == []
    assert (small.drift.id, small.drift.hosts) == (one.id, ("a", "b"))
    small.has("b", idna="9.9")
    assert small.passes(5) == ["new"]
    assert {one.hosts for one in small.drifts()} == {("a",), ("b",)}


def test_the_same_items_moving_in_another_environment_are_waited_for(small: Fleet) -> None:
    names = [f"x{number}" for number in range(9)]
    small.has(*names, environment="test")
    small.passes(2)
    small.has("a", idna="3.7")
    for name in names:
        small.has(name, idna="3.7", environment="test")
        assert small.passes(2) == []


def test_only_the_environments_that_are_asked_for_are_evaluated(small: Fleet) -> None:
    small.has("a", idna="3.7")
    with writing(small.engine) as connection:
        report(connection, hosts.named(connection, "a")[0], small.runs["a"], small.now + QUARTER)
        evaluate(connection, small.now + QUARTER, environments=["dev"])
    assert small.drifts() == []


def test_what_was_compared_ahead_is_not_compared_again(small: Fleet) -> None:
    small.has("a", idna="3.7")
    with writing(small.engine) as connection:
        small.now += QUARTER
        report(connection, hosts.named(connection, "a")[0], small.runs["a"], small.now)
        ahead = compare_ahead(connection, small.now, "prod")
        nothing = {basis: replace(held, look=replace(held.look, found={})) for basis, held in ahead.items()}
        evaluate(connection, small.now, ahead=nothing)
    assert small.drifts() == []


def test_a_host_that_reported_after_it_was_compared_ahead_is_compared_again(small: Fleet) -> None:
    small.has("a", idna="3.7")
    with writing(small.engine) as connection:
        report(connection, hosts.named(connection, "a")[0], small.runs["a"], small.now + QUARTER)
        ahead = compare_ahead(connection, small.now + QUARTER, "prod")
    small.has("a", idna="3.8")
    with writing(small.engine) as connection:
        report(connection, hosts.named(connection, "a")[0], small.runs["a"], small.now + 2 * QUARTER)
        evaluate(connection, small.now + 2 * QUARTER, ahead=ahead)
    assert [item.left for item in small.drift.live] == ["3.8"]


def test_an_upgrade_of_many_packages_on_many_hosts_is_one_drift(small: Fleet) -> None:
    before, after = ({f"p{number}": version for number in range(40)} for version in ("1", "2"))
    many = [f"m{number}" for number in range(12)]
    for name in many:
        small.has(name, environment="fleet")
        small.runs[name] = host(OPERATING_SYSTEM, section("os-packages", versions(before)))
    small.passes(2)
    for name in many[:5]:
        small.runs[name] = host(OPERATING_SYSTEM, section("os-packages", versions(after)))
        small.passes()
    (one,) = small.drifts(environment="fleet")
    assert "40 items (p0, p1, p10, p11 and 36 more) on 5 of 12 hosts, converging" in one.words
