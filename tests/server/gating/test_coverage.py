"""Tests of how much is said to have been compared."""

from envparity_agent.fingerprint import Fingerprint, Reason, Section, Status
from envparity_server.drift.rules import rule_of
from envparity_server.gating.model import Coverage
from tests.server.gating.asking import gated
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages, section, versions

MANY = {f"package-{number}": "1" for number in range(10)}


def side(*more: Section, pins: dict[str, str] | None = None) -> Fingerprint:
    """A host with a system, an engine and ten distributions."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages(MANY if pins is None else pins), *more)


def unread(path: str, status: Status = Status.FAILED) -> Section:
    """A section that could not be read."""
    return section(path, {}, status, Reason.PERMISSION)


def test_what_is_the_same_differs_or_is_expected_was_compared() -> None:
    changed = side(pins={**MANY, "package-1": "2", "package-2": "2"})
    report = gated(changed, side(), rules=[rule_of({"match": "python/*/package-1", "reason": "it may"})])
    assert report.coverage == Coverage(12, 12)
    assert report.coverage.percent == 100


def test_a_section_that_could_not_be_read_counts_with_what_the_other_side_has() -> None:
    assert gated(side(), side(unread("python/srv/shop"))).coverage == Coverage(2, 12)
    assert gated(side(unread("python/srv/shop")), side()).coverage == Coverage(2, 12)


def test_a_section_that_neither_side_could_read_counts_as_one() -> None:
    both = side(unread("os-packages"))
    assert gated(both, both).coverage == Coverage(12, 13)


def test_a_section_that_was_read_in_part_counts_as_one_and_what_is_missing_from_it() -> None:
    part = section("python/srv/shop", versions({"package-1": "1"}), Status.PARTIAL, Reason.PERMISSION)
    assert gated(side(part), side()).coverage == Coverage(3, 13)


def test_an_item_of_which_anything_is_unknown_was_not_compared() -> None:
    def with_flask(version: str, **content: str) -> Fingerprint:
        return side(section("python/srv/shop", {"flask": {"version": version, **content}}))

    assert gated(with_flask("1"), with_flask("1", content="sha256:a")).coverage == Coverage(2, 3)


def test_what_the_subject_cannot_have_is_no_part_of_the_whole() -> None:
    mine = host(packages(MANY), kind="python")
    assert gated(mine, side()).coverage == Coverage(10, 10)


def test_a_part_that_is_missing_keeps_the_percentage_below_a_hundred() -> None:
    pins = {f"package-{number}": "1" for number in range(5000)}
    report = gated(side(unread("os-packages"), pins=pins), side(unread("os-packages"), pins=pins))
    assert report.coverage == Coverage(5002, 5003)
    assert report.coverage.percent == 99.9
    assert report.is_uncovered
