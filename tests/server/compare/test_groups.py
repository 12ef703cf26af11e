"""Tests of folding: the same lines for the terminal and the page."""

import pytest
from hypothesis import given

from envparity_agent.fingerprint import Fingerprint
from envparity_server.compare.differences import compare
from envparity_server.compare.groups import FOLD_OVER, group, severities, wording
from envparity_server.compare.model import Difference, Distance, Severity, State
from envparity_server.drift.severity import rate
from tests.server.making import SEARCHED, compared, host, packages, section, twins, versions


def many(count: int, version: str) -> dict[str, str]:
    """That many distributions of one version."""
    return {f"package-{number:02}": version for number in range(count)}


def test_a_section_with_few_differences_is_open() -> None:
    found = compare(host(packages(many(FOLD_OVER, "1.0"))), host(packages(many(FOLD_OVER, "2.0"))))
    assert [one.is_folded for one in group(found)] == [False]


def test_a_section_with_many_differences_is_one_line_that_counts_them() -> None:
    left = packages({**many(9, "1.0"), "minor": "1.0", "gone": "1.0"})
    right = packages({**many(9, "2.0"), "minor": "1.1"})
    (one,) = group(rate(compare(host(left), host(right))))
    assert one.is_folded
    assert one.digest == "10 changed (9 major, 1 minor), 1 only left"
    assert one.title == "Python environment"


def test_the_examples_of_a_folded_section_are_its_most_severe_items() -> None:
    left, right = packages({**many(9, "1.0.0"), "zope": "1.0"}), packages({**many(9, "1.0.1"), "zope": "2.0"})
    (one,) = group(rate(compare(host(left), host(right))))
    assert one.examples == ("zope", "package-00", "package-01", "package-02")
    assert one.severity == Severity.HIGH


def test_sections_with_the_most_severe_differences_come_first() -> None:
    left = host(packages({"a": "1.0"}), section("os-packages", versions({"openssl": "1.0"})))
    right = host(packages({"a": "2.0"}), section("os-packages", versions({"openssl": "1.1"})))
    assert [one.section for one in group(rate(compare(left, right)))] == ["python/srv/shop", "os-packages"]


def test_a_paired_section_names_its_counterpart_and_why() -> None:
    left = host(SEARCHED, packages({"a": "1.0", "b": "1.0"}, "python/.venv"))
    right = host(SEARCHED, packages({"a": "2.0", "b": "1.0"}, "python/srv/app"))
    (one,) = group(compare(left, right))
    assert (one.counterpart, one.why_paired) == ("python/srv/app", "100 % of the package names in common")


@given(twins())
def test_grouping_loses_no_difference(sides: tuple[Fingerprint, Fingerprint]) -> None:
    found = rate(compared(sides))
    grouped = [difference for one in group(found) for difference in one.differences]
    assert sorted(one.id for one in grouped) == sorted(one.id for one in found.differences)


@given(twins())
def test_every_difference_has_words(sides: tuple[Fingerprint, Fingerprint]) -> None:
    assert all(wording(one) for one in compared(sides).differences)


def difference(state: State, attribute: str, **more: object) -> Difference:
    """A difference of a distribution."""
    values = {"section": "python/a", "kind": "python", "item": "x", **more}
    return Difference(state=state, attribute=attribute, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (difference(State.CHANGED, "version", left="3.4", right="3.7"), "3.4 → 3.7"),
        (difference(State.CHANGED, "editable", left=True, right=False), "editable true → false"),
        (
            difference(State.CHANGED, "tree", left="sha256:" + "a" * 64, right="sha256:" + "b" * 64),
            f"tree {'a' * 12} → {'b' * 12}",
        ),
        (difference(State.CHANGED, "content", left="sha256:a", right="sha256:b"), "other content: a → b"),
        (difference(State.CHANGED, "tags", left=("a", "b"), right=("c",)), "tags only left a, b; only right c"),
        (
            difference(State.CHANGED, "content", left="sha256:" + "a" * 64, right="sha256:" + "b" * 64, version="2.1"),
            f"same version 2.1, other content: {'a' * 12} → {'b' * 12}",
        ),
        (
            difference(
                State.CHANGED, "config", left=f"sha256:{'a' * 64}", right=f"sha256:{'b' * 64}", kind="container"
            ),
            f"another image: config {'a' * 12} → {'b' * 12}",
        ),
        (difference(State.ONLY_LEFT, "version", left="0.9"), "only left: 0.9"),
        (difference(State.ONLY_RIGHT, "version", right="0.9"), "only right: 0.9"),
        (difference(State.ONLY_LEFT, "", left=True), "only left"),
        (difference(State.INCOMPARABLE, "content", left="a", right="b"), "not comparable (a | b)"),
        (
            difference(State.INCOMPARABLE, "content", left="sha256:a"),
            "not comparable: nothing says what the right side contains (no RECORD)",
        ),
        (
            difference(State.CHANGED, "metadata", left="sha256:a", right="sha256:b", version="2.1"),
            "same version 2.1, other metadata, the same code: a → b",
        ),
        (difference(State.UNKNOWN, "", left="failed(permission)", right="ok"), "unknown (failed(permission) | ok)"),
    ],
)  # fmt: skip
def test_a_difference_is_told_in_words(one: Difference, words: str) -> None:
    assert wording(one) == words


def test_severities_are_counted_from_the_highest_and_leave_out_what_is_unknown() -> None:
    rated = [
        difference(State.CHANGED, "version", severity=Severity.LOW, distance=Distance.PATCH),
        difference(State.CHANGED, "version", severity=Severity.HIGH),
        difference(State.ONLY_LEFT, "version", severity=Severity.HIGH),
        difference(State.UNKNOWN, "version"),
    ]
    assert severities(rated) == "2 high, 1 low"
    assert severities([]) == ""


def test_of_two_lists_only_what_differs_is_told() -> None:
    def environment(*hooks: str) -> Fingerprint:
        return host(section("python/app", {"@python": {"hooks": hooks}}, kind="python", schema=2))

    [found] = compare(environment("a.pth=1", "same.pth=2"), environment("same.pth=2", "sitecustomize.py=3")).differences
    assert wording(found) == "hooks only left a.pth=1; only right sitecustomize.py=3"
