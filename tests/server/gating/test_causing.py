"""Tests of the likely causes that a gate tells with what fails."""

from envparity_agent.fingerprint import Fingerprint
from envparity_server.compare.model import Severity
from envparity_server.drift.rules import rule_of
from tests.server.explain.situations import dist, environment
from tests.server.gating.asking import gated
from tests.server.making import host, section


def side(path: str = "python/srv/shop", **versions: str) -> Fingerprint:
    """A host with a Python environment."""
    items = {name: dist(version) for name, version in versions.items()}
    return host(section("python"), environment(items, path=path))


def test_what_fails_is_ranked_with_the_steps_that_bring_back_the_reference() -> None:
    report = gated(side(flask="4.0", idna="3.8"), side(flask="3.0", idna="3.7"))
    first = report.causes[0]
    assert (first.rank, first.section, first.item) == (1, "python/srv/shop", "flask")
    assert any("flask==3.0" in step for step in first.steps)
    assert {one.item for one in report.causes} == {"flask", "idna"}


def test_what_is_expected_or_below_the_threshold_is_no_cause() -> None:
    mine, other = side(flask="4.0", idna="3.8"), side(flask="3.0", idna="3.7")
    covered = gated(mine, other, rules=[rule_of({"match": "python/*/flask", "reason": "it may"})])
    assert [one.item for one in covered.causes] == ["idna"]
    assert [one.item for one in gated(mine, other, threshold=Severity.HIGH).causes] == ["flask"]
    assert gated(mine, mine).causes == ()


def test_there_are_three_causes_at_most() -> None:
    old = {f"package{number}": "1.0" for number in range(6)}
    report = gated(side(**dict.fromkeys(old, "2.0")), side(**old))
    assert [one.rank for one in report.causes] == [1, 2, 3]


def test_a_cause_is_in_the_section_of_the_subject_where_two_were_paired() -> None:
    names = {"idna": "3.7", "six": "1.17"}
    report = gated(side("python/ci", flask="4.0", **names), side("python/srv/shop", flask="3.0", **names))
    (cause,) = report.causes
    assert (cause.section, cause.item, report.findings[0].section) == ("python/ci", "flask", "python/ci")
    assert any("flask==3.0" in step for step in cause.steps)
