"""Tests of stored rules: their order, who sees them, and that hits are counted, on either database."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from envparity_agent.errors import UsageError
from envparity_server.compare.model import Severity
from envparity_server.drift.rules import Rule, Subject, rule_of
from envparity_server.storage import baselines, rules
from envparity_server.storage import hosts as hosts_table
from envparity_server.storage.actors import Environments
from envparity_server.storage.database import reading, writing
from envparity_server.storage.rules import RuleState
from tests.server.fleet import enrolled
from tests.server.making import NOON

DEV: Environments = frozenset({"dev"})


def rule(match: str, hosts: str = "", **more: Any) -> Rule:
    """A rule as a request has it."""
    return rule_of({"match": match, "hosts": hosts, "reason": "why", **more})


def added(connection: Connection, one: Rule, environment: str | None = None, at: datetime = NOON) -> Rule:
    """A rule that is stored."""
    rules.add(connection, one, environment, "person:ada", at)
    return one


def test_a_rule_is_kept_as_it_is_and_tried_in_the_order_in_which_they_were_made(database: Engine) -> None:
    with writing(database) as connection:
        later = added(connection, rule("os", severity="info"), at=NOON + timedelta(seconds=1))
        ended = added(connection, rule("a", expires="2026-11-01T12:00:00Z"))
        first = added(connection, rule("python/*", "env:dev,role=web", owner="ada", expires="2027-01-01"), "dev")
    with reading(database) as connection:
        assert rules.active(connection, NOON) == [first, later]
        assert set(rules.all_rules(connection)) == {ended, first, later}
        assert later.severity == Severity.INFO
        stored = rules.by_id(connection, first.id)
        assert stored is not None
        assert (stored.rule, stored.environment, stored.created_by, stored.created_at, stored.hits, stored.version) == (
            first, "dev", "person:ada", NOON, 0, 1,
        )  # fmt: skip


def test_lists_are_narrowed_by_state_and_by_what_somebody_sees(database: Engine) -> None:
    with writing(database) as connection:
        ended = added(connection, rule("a", "env:dev", expires="2026-01-01"), "dev")
        hit = added(connection, rule("b"))
        added(connection, rule("c", "env:prod"), "prod")
        rules.count_hits(connection, {hit.id: 3, ended.id: 1}, NOON)

    def matches(state: RuleState | None = None, seen: Environments = None, **more: int) -> tuple[list[str], int]:
        with reading(database) as connection:
            found, total = rules.listed(connection, NOON, seen, state, **more)
            return sorted(one.rule.match for one in found), total

    assert matches() == (["a", "b", "c"], 3)
    assert matches(RuleState.ACTIVE) == (["b", "c"], 2)
    assert matches(RuleState.EXPIRED) == (["a"], 1)
    assert matches(RuleState.NEVER_HIT) == (["c"], 1)
    assert matches(None, DEV) == (["a", "b"], 2)
    assert matches(RuleState.NEVER_HIT, DEV) == ([], 0)
    assert matches(limit=1)[1] == 3
    assert len(matches(limit=2, offset=2)[0]) == 1
    with reading(database) as connection:
        assert rules.by_id(connection, rule("c", "env:prod").id, DEV) is None


def test_hits_add_up_and_one_of_a_rule_that_is_gone_counts_nothing(database: Engine) -> None:
    with writing(database) as connection:
        one = added(connection, rule("os"))
        rules.count_hits(connection, {one.id: 2, "f" * 16: 5}, NOON)
        rules.count_hits(connection, {one.id: 3}, NOON + timedelta(hours=1))
        (stored,), total = rules.listed(connection, NOON)
    assert (stored.hits, stored.last_hit_at, total) == (5, NOON + timedelta(hours=1), 1)


def test_of_two_changes_of_one_version_the_second_changes_nothing(database: Engine) -> None:
    with writing(database) as connection:
        one = added(connection, rule("os"))
        assert rules.change(connection, replace(one, reason="first"), 1)
        assert not rules.change(connection, replace(one, reason="second"), 1)
        stored = rules.by_ids(connection, [one.id, "f" * 16])[one.id]
        assert (stored.rule.reason, stored.version) == ("first", 2)
        assert rules.remove(connection, one.id)
        assert not rules.remove(connection, one.id)


def test_a_rule_belongs_to_the_environment_of_its_hosts(database: Engine) -> None:
    with writing(database) as connection:
        web = enrolled(connection, "web-1", "prod", {"role": "web"})
        enrolled(connection, "laptop", "dev")
        assert rules.placed(connection, rule("os")) == (rule("os"), None, ())
        assert rules.placed(connection, rule("os", "env:dev,role=web"), DEV)[1:] == ("dev", ())
        placed, environment, _ = rules.placed(connection, rule("os", "host:web-1"))
        assert (placed, environment) == (rule("os", f"host:{web.id}"), "prod")
        assert placed.covers(rules.subject_of_host(web))
        assert not placed.covers(Subject("web-1", "dev"))
        assert rules.placed(connection, rule("os", "role=web"))[1:] == (None, ())
        _, environment, (warning,) = rules.placed(connection, rule("os", "env:new"))
        assert (environment, "env:new" in warning) == ("new", True)


@pytest.mark.parametrize("hosts", ["env:prod", "env:nowhere", "host:web-1", "host:nobody", "host:twin"])
def test_hosts_that_somebody_does_not_see_or_that_are_not_one_are_refused(database: Engine, hosts: str) -> None:
    with writing(database) as connection:
        enrolled(connection, "web-1", "prod")
        enrolled(connection, "laptop", "dev")
        for id in ("aaaa", "bbbb"):
            hosts_table.add(connection, id * 4, "twin", "dev", {}, id * 16, NOON)
        with pytest.raises(UsageError, match=r"^hosts: (no environment|no host|several hosts)"):
            rules.placed(connection, rule("os", hosts), DEV)


def test_the_sides_of_a_comparison_are_known_by_their_environment_and_labels(database: Engine) -> None:
    with writing(database) as connection:
        web = enrolled(connection, "web-1", "prod", {"role": "web"})
        pinned = baselines.Pinned("uv.lock", "declared", NOON.isoformat(), "why")
        baselines.propose(connection, "shop", "env:dev,role=db", "dev", pinned, {}, "person:ada", NOON)
        texts = ("env:dev,role=db", "host:web-1@2026-11-01", f"host:{web.id}", "baseline:shop")
        found = rules.subjects(connection, texts, NOON)
    assert found == [
        Subject("env:dev,role=db", "dev", {"role": "db"}),
        *[Subject("web-1", "prod", {"role": "web"}, web.id)] * 2,
        Subject("baseline:shop", "dev", {"role": "db"}),
    ]
