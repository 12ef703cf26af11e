"""Tests of stored runs of gates: what is kept, who sees it, what counts as accepted, and what age takes away."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from envparity_agent.errors import UsageError
from envparity_server.gating.model import Place, Report, Standing, Suspected, Verdict
from envparity_server.storage import audit, gate_runs
from envparity_server.storage.actors import Actor, Environments, Role
from envparity_server.storage.database import reading, writing
from envparity_server.storage.gate_runs import Key, Origin, Wanted, is_web
from envparity_server.storage.pruning import prune
from envparity_server.storage.tables import gate_run_environment
from tests.server.gating.running import MAIN, SHOP, finding, kept, report
from tests.server.making import NOON

DAY = timedelta(days=1)
KEEP = 30 * DAY
ADA = Actor("person:ada", Role.OPERATOR)
WHOLE = report(
    Verdict.DRIFT,
    [
        finding(origin="via base image", place=Place("Dockerfile", 3)),
        finding("zlib1g", Standing.BELOW, left=("a", "b")),
    ],
    causes=(Suspected(1, "os-packages", "libssl3", ("it is loaded",), ("docker pull",), "at most"),),
    reasons=("web-3 is stale",),
    rules=(("0123", "by design", 2),),
    paired=(("python/a", "python/b", "alike"),),
    notes=("a note",),
    remarks=("a remark",),
)


def ids(engine: Engine, wanted: Wanted = Wanted(), seen: Environments = None, **page: int) -> list[int]:  # noqa: B008  # it is frozen
    with reading(engine) as connection:
        return [one.id for one in gate_runs.listed(connection, wanted, seen, **page)[0]]


def accepted(engine: Engine, key: Key = SHOP) -> str | None:
    """How the last accepted run is called."""
    with reading(engine) as connection:
        found = gate_runs.accepted(connection, key)
    return found[0] if found else None


def accept(engine: Engine, id: int) -> bool:
    with writing(engine) as connection:
        return gate_runs.accept(connection, id, ADA, "meant", NOON)


def test_a_run_is_kept_with_its_whole_report(database: Engine) -> None:
    with writing(database) as connection:
        id = kept(connection, WHOLE)
    with reading(database) as connection:
        found = gate_runs.by_id(connection, id, None)
    assert found is not None
    run, whole = found
    assert whole == WHOLE
    assert (run.repository, run.ref, run.commit, run.link) == ("acme/shop", "main", MAIN.commit, MAIN.link)
    assert (run.subject, run.against, run.verdict, run.summary) == ("image shop", "env:prod", "drift", WHOLE.summary)
    assert (run.count(Standing.FAILS), run.count(Standing.BELOW), run.count(Standing.EXPECTED)) == (1, 1, 0)
    assert (run.told_by, run.at, run.accepted_at) == ("token:ci", NOON, None)


def test_names_that_no_database_takes_are_kept_with_a_mark(database: Engine) -> None:
    with writing(database) as connection:
        id = kept(connection, report(summary="a\0b"), replace(SHOP, subject="image a\0b"))
    with reading(database) as connection:
        found = gate_runs.by_id(connection, id, None)
    assert found is not None
    assert (found[0].summary, found[0].subject) == ("a�b", "image a�b")


def test_runs_are_listed_the_newest_first_by_repository_ref_and_verdict_and_by_pages(database: Engine) -> None:
    with writing(database) as connection:
        old = kept(connection, report(Verdict.PARITY), at=NOON - DAY)
        new = kept(connection)
        other = kept(connection, key=replace(SHOP, repository="acme/other"), origin=Origin("acme/other", "v1"))
    assert ids(database) == [other, new, old]
    assert ids(database, Wanted("acme/shop")) == [new, old]
    assert ids(database, Wanted(ref="v1")) == [other]
    assert ids(database, Wanted(verdict=Verdict.PARITY)) == [old]
    assert ids(database, limit=1, offset=1) == [new]
    with reading(database) as connection:
        assert gate_runs.listed(connection, Wanted("acme/shop"), None, limit=1)[1] == 2
        counts = gate_runs.counted(connection, Wanted("acme/shop", verdict=Verdict.DRIFT), None)
        assert counts == {Verdict.PARITY: 1, Verdict.DRIFT: 1, Verdict.UNKNOWN: 0}
        assert gate_runs.repositories(connection, None) == ["acme/other", "acme/shop"]


def test_who_does_not_see_all_environments_of_a_run_does_not_see_it(database: Engine) -> None:
    with writing(database) as connection:
        prod = kept(connection)
        both = kept(connection, environments=("dev", "prod"))
        none = kept(connection, environments=())
    for seen, visible in (
        (None, [none, both, prod]), (frozenset({"prod"}), [prod]), (frozenset({"dev"}), []),
        (frozenset({"dev", "prod"}), [both, prod]), (frozenset[str](), []),
    ):  # fmt: skip
        assert ids(database, seen=seen) == visible
        with reading(database) as connection:
            assert [one for one in (none, both, prod) if gate_runs.by_id(connection, one, seen)] == visible
            newest = gate_runs.newest(connection, "acme/shop", "main", "env:prod", seen)
            assert (newest.id if newest else None) == (visible[0] if visible else None)
            assert gate_runs.repositories(connection, seen) == (["acme/shop"] if visible else [])
            assert sum(gate_runs.counted(connection, Wanted(), seen).values()) == len(visible)


def test_the_last_accepted_run_is_the_newest_in_parity_or_accepted_of_the_same_key(database: Engine) -> None:
    assert accepted(database) is None
    passed = [finding(f"of {one}", one) for one in Standing if one not in (Standing.FAILS, Standing.KNOWN)]
    found = [finding(), finding("zlib1g", Standing.KNOWN), *passed]
    with writing(database) as connection:
        parity = kept(connection, report(Verdict.PARITY, [finding("zlib1g", Standing.EXPECTED)]))
        drift = kept(connection, report(findings=found), at=NOON + DAY)
        for changed in ({"scope": "app=shop"}, {"against": "env:dev"}, {"subject": "lock shop"}, {"repository": "x"}):
            kept(connection, report(Verdict.PARITY), replace(SHOP, **changed), at=NOON + 2 * DAY)
        kept(connection, report(Verdict.UNKNOWN), at=NOON + 3 * DAY)
    assert accepted(database) == f"run {parity}"
    assert accept(database, drift)
    with reading(database) as connection:
        assert gate_runs.accepted(connection, SHOP) == (
            f"run {drift}",
            {f"id of {name}": f"content of {name}" for name in ("libssl3", "zlib1g")},
        )


def test_a_run_is_accepted_once_and_the_audit_log_tells_by_whom(database: Engine) -> None:
    with writing(database) as connection:
        drift, parity = kept(connection), kept(connection, report(Verdict.PARITY))
        unknown = kept(connection, report(Verdict.UNKNOWN))
    assert [accept(database, one) for one in (drift, drift, parity, unknown, 2**62)] == [True, *4 * [False]]
    with reading(database) as connection:
        (entry,) = audit.entries(connection)
        found = gate_runs.by_id(connection, drift, None)
    assert (entry.actor, entry.action, entry.object, entry.environment) == (
        "person:ada",
        "gate.accept",
        str(drift),
        "prod",
    )
    assert entry.detail == {"reason": "meant"}
    assert found is not None
    assert (found[0].accepted_by, found[0].accepted_at, found[0].reason) == ("person:ada", NOON, "meant")


def test_age_takes_runs_away_but_never_the_last_accepted_one_of_a_key(database: Engine) -> None:
    with writing(database) as connection:
        replaced = kept(connection, report(Verdict.PARITY), at=NOON)
        last = kept(connection, at=NOON + DAY)
        red = kept(connection, at=NOON + 2 * DAY)
        other = kept(connection, report(Verdict.PARITY), replace(SHOP, scope="app=shop"), at=NOON)
        young = kept(connection, at=NOON + 90 * DAY)
    accept(database, last)
    counts = prune(database, NOON + 100 * DAY, KEEP).counts
    assert (counts["gate_run"], ids(database)) == (2, [young, last, other])
    assert accepted(database) == f"run {last}"
    assert not {replaced, red} & set(ids(database))
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(gate_run_environment)) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"link": "javascript:alert(1)"},
        {"link": "ftp://ci.example/1"},
        {"link": "https://"},
        {"link": "https://ada:secret@ci.example/1"},
        {"link": "http://[::1"},
        {"link": "https://ci.example/" + "x" * 2000},
        {"repository": "x" * 501},
        {"ref": "a\nb"},
        {"commit": "a\0b"},
    ],
)
def test_what_a_pipeline_cannot_mean_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="origin"):
        Origin(**wrong)


@given(st.text() | st.from_regex(r"(https?|javascript|data)://?[a-z@:/\[\]]{0,9}", fullmatch=True))
def test_only_addresses_of_the_web_are_links(link: str) -> None:
    assert not is_web(link) or link.lower().lstrip().startswith(("http://", "https://"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.text(), st.sampled_from(Verdict), st.lists(st.tuples(st.text(), st.sampled_from(Standing)), max_size=4))
def test_whatever_names_a_report_has_it_comes_back_as_it_was(
    sqlite: Engine, name: str, verdict: Verdict, findings: list[tuple[str, Standing]]
) -> None:
    made = [finding(text, standing) for text, standing in findings]
    one: Report = report(verdict, sorted(made, key=lambda each: each.standing != Standing.FAILS), summary=name)
    with writing(sqlite) as connection:
        id = kept(connection, one)
        found = gate_runs.by_id(connection, id, None)
    assert found is not None
    assert found[1] == one
