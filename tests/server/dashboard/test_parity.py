"""Tests of how the Overview arranges environments, and their parity by day."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from envparity_server.dashboard.parity import Share, arranged, ends_of_days, parity
from envparity_server.storage.drift_figures import Lasting
from envparity_server.storage.hosts import Host

NOW = datetime(2026, 11, 30, 15, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def a_host(id: str, environment: str = "prod", **changed: object) -> Host:
    """A host that was enrolled long ago and reports."""
    usual = {
        "id": id, "name": id, "environment": environment, "labels": {}, "enrolled_at": NOW - 90 * DAY,
        "ephemeral": False, "retired_at": None, "credential_expires_at": None, "epoch": None, "seq": None, "root": None,
        "seen_at": NOW, "taken_at": None, "skew": None, "interval": 900, "agent": None, "identity": {}, "observed": {},
    }  # fmt: skip
    return Host(**{**usual, **changed})  # type: ignore[arg-type]  # each of its own type


def test_hosts_are_counted_by_state_and_those_that_are_gone_on_purpose_nowhere() -> None:
    hosts = [
        ("prod", "in parity"),
        ("prod", "in parity"),
        ("prod", "retired"),
        ("dev", "not compared"),
        ("ci", "expired"),
    ]
    dev, prod = arranged(hosts, {})
    assert (dev.name, dev.hosts, dev.counts["not compared"], dev.counts["in parity"]) == ("dev", 1, 1, 0)
    assert (prod.name, prod.hosts, prod.counts["in parity"], prod.drifts) == ("prod", 2, 2, None)


def test_the_days_end_at_midnight_and_the_last_one_now() -> None:
    ends = ends_of_days(NOW)
    assert len(ends) == 30
    assert ends[-2:] == [datetime(2026, 11, 30, tzinfo=UTC), NOW]
    days = [day for day, _ in parity([], set(), [], ends)]
    assert (days[0], days[-1], max(Counter(days).values())) == (date(2026, 11, 1), date(2026, 11, 30), 1)


def test_a_host_is_out_of_parity_on_the_days_that_ended_while_a_drift_lasted_on_it() -> None:
    lasted = [
        Lasting("a", NOW - 3 * DAY, NOW - DAY),
        Lasting("a", NOW - 2 * DAY, NOW - DAY),  # at once: it is one host
        Lasting("b", NOW - DAY, None),
        Lasting("c", NOW - timedelta(hours=3), NOW - timedelta(hours=2)),  # within a day, and not at its end
        Lasting("unknown", NOW - DAY, None),
    ]
    hosts = [a_host("a"), a_host("b"), a_host("c"), a_host("d", "dev")]
    found = parity(hosts, {"a", "b", "c", "d"}, lasted, ends_of_days(NOW, 5))
    assert [shares["prod"].alike for _, shares in found] == [3, 2, 2, 2, 2]
    assert [shares["dev"] for _, shares in found] == [Share(1, 1)] * 5
    assert found[-1][1]["prod"].percent == pytest.approx(66.7, abs=0.1)


def test_a_host_counts_while_it_is_enrolled_and_only_if_it_stays_and_was_compared() -> None:
    hosts = [
        a_host("new", enrolled_at=NOW - DAY),
        a_host("retired", retired_at=NOW - 2 * DAY),
        a_host("runner", ephemeral=True),
        a_host("not compared"),
    ]
    found = parity(hosts, {"new", "retired", "runner"}, [], ends_of_days(NOW, 4))
    assert [shares.get("prod", Share(0, 0)).hosts for _, shares in found] == [1, 0, 1, 1]
