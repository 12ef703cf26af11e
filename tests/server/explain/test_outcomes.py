"""Tests of what separates failing from passing runs: significance, ranking, and what is said of too few labels."""

import math
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envparity_agent.fingerprint import Reason, Status
from envparity_server.explain.outcomes import Findings, Run, Support, fisher, holm, log_mean, separate
from tests.evaluation.fleets.judging import is_first, is_first_for_oracle
from tests.evaluation.fleets.simulating import simulate
from tests.server.explain.fleets import APP, ran, runs
from tests.server.making import SEARCHED, host, section

BAD, GOOD = {"idna": "3.4", "urllib3": "2.2.1"}, {"idna": "3.4", "urllib3": "2.0.7"}

environments = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(("1.0", "1.1", "2.0")) for name in ("idna", "six", "pytz", "flask")}
)
labelled = st.lists(st.tuples(st.sampled_from((True, False, None)), environments), min_size=1, max_size=12).map(
    lambda drawn: [ran(f"web-{number:02}", failed, has) for number, (failed, has) in enumerate(drawn)]
)


def first(found: Findings) -> str:
    return found.suspects[0].words


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_fisher_is_what_counting_every_way_to_label_gives(a: int, b: int, c: int, d: int) -> None:
    everyone = range(a + b + c + d)
    having = set(everyone[: a + c])
    ways = [len(having.intersection(failing)) for failing in combinations(everyone, a + b)]
    brute = sum(count >= a for count in ways) / len(ways)
    assert fisher(a, a + b, c, c + d) == pytest.approx(brute)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_makes_anything_likelier_and_keeps_the_order(chances: list[float]) -> None:
    corrected = holm(chances)
    assert all(before <= after <= 1 for before, after in zip(chances, corrected, strict=True))
    pairs = sorted(zip(chances, corrected, strict=True))
    assert [after for _, after in pairs] == sorted(corrected)


def test_holm_on_an_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_a_mean_of_tiny_numbers_is_no_nought() -> None:
    assert log_mean([-2000.0, -2000.0]) == pytest.approx(-2000)
    assert log_mean([math.log(1), math.log(3)]) == pytest.approx(math.log(2))


@given(labelled, st.randoms(use_true_random=False))
def test_the_order_of_the_runs_changes_nothing(told: list[Run], chance: Random) -> None:
    before = separate(told)
    chance.shuffle(told)
    after = separate(told)
    assert (before.suspects, before.doubt) == (after.suspects, after.doubt)


@settings(deadline=None)
@given(st.lists(environments, min_size=2, max_size=8), st.lists(environments, min_size=2, max_size=8))
def test_a_perfect_separator_is_first(failing: list[dict[str, str]], passing: list[dict[str, str]]) -> None:
    told = runs([{**one, "culprit": "2"} for one in failing], [{**one, "culprit": "1"} for one in passing])
    best = separate(told).suspects[0]
    assert "culprit" in {claim.item for claim in best.claims}
    assert best.support == Support(len(failing), len(failing), 0, len(passing))


@given(labelled)
def test_beliefs_are_probabilities_and_leave_room_for_none_of_them(told: list[Run]) -> None:
    found = separate(told).suspects
    beliefs = [one.belief for leader in found for one in (leader, *leader.nearby)]
    assert all(0 < one < 1 for one in beliefs)
    assert math.fsum(beliefs) < 1


def test_it_is_told_so_that_a_person_can_check_it() -> None:
    found = separate(runs([BAD] * 9 + [GOOD], [GOOD] * 14))
    assert first(found) == "on 9 of 10 failing and 0 of 14 passing: urllib3 2.2.1"
    assert found.suspects[0].is_significant
    assert found.doubt == ""
    assert found.suspects[0].belief > 0.9


def test_items_that_split_the_runs_alike_are_one_suspect() -> None:
    found = separate(runs([{**BAD, "six": "2"}] * 5, [{**GOOD, "six": "1"}] * 5))
    assert first(found) == "on 5 of 5 failing and 0 of 5 passing: six 2 and urllib3 2.2.1, always together"


def test_what_goes_with_a_suspect_nearly_everywhere_is_told_below_it() -> None:
    failing, passing = [{**BAD, "six": "2"}] * 15, [{**GOOD, "six": "1"}] * 14 + [{**GOOD, "six": "2"}]
    best = separate(runs(failing, passing)).suspects[0]
    assert [claim.words for claim in best.claims] == ["urllib3 2.2.1"]
    assert [one.words for one in best.nearby] == ["on 15 of 15 failing and 1 of 15 passing: six 2"]


def test_a_range_of_versions_can_be_what_separates() -> None:
    failing, passing = (
        [{"idna": version} for version in versions] for versions in (("2.0", "2.1", "3"), ("1", "1.1", "1.2"))
    )
    found = separate(runs(failing * 2, passing * 2))
    assert first(found) == "on 6 of 6 failing and 0 of 6 passing: idna 2.0 or newer"


def test_a_wrong_label_does_not_acquit() -> None:
    noise = [{"six": f"1.{number % 4}"} for number in range(20)]
    failing = [{**BAD, **one} for one in noise[:9]] + [{**GOOD, **noise[9]}]
    passing = [{**GOOD, **one} for one in noise[10:19]] + [{**BAD, **noise[19]}]
    found = separate(runs(failing, passing))
    assert first(found) == "on 9 of 10 failing and 1 of 10 passing: urllib3 2.2.1"
    assert found.suspects[0].is_significant


def test_a_run_that_could_not_be_read_says_nothing_about_it() -> None:
    unread = host(SEARCHED, section(APP, {}, Status.FAILED, Reason.PERMISSION), name="web-9")
    found = separate([*runs([BAD] * 6, [GOOD] * 6), Run("web-9", True, unread)])
    assert found.suspects[0].support == Support(6, 6, 0, 6)
    assert found.failing == 7


@pytest.mark.parametrize(
    ("told", "doubt"),
    [
        ([], "cannot tell: 0 failing runs, 0 passing; label failing runs as well"),
        (runs([BAD] * 3, []), "cannot tell: 3 failing runs, 0 passing; label passing runs as well"),
        (runs([], [GOOD]), "cannot tell: 0 failing runs, 1 passing; label failing runs as well"),
        (runs([BAD], [BAD]), "cannot tell: 1 failing run, 1 passing; all that could be read is the same in every run"),
        (runs([BAD], [GOOD] * 3), "cannot tell: 1 failing run, 3 passing; among 2 suspects even one that is on every"),
        (
            runs([BAD, GOOD] * 5, [GOOD, BAD] * 5),
            "cannot tell: 10 failing runs, 10 passing; no suspect is there more than chance would have it among 2",
        ),
    ],
)
def test_too_little_is_told_as_such(told: list[Run], doubt: str) -> None:
    assert separate(told).doubt.startswith(doubt)


def test_suspects_that_are_as_likely_as_each_other_are_no_answer() -> None:
    failing, passing = [{**BAD, "six": "2"}] * 11, [{**GOOD, "six": "1"}] * 10
    apart = runs([*failing, {**BAD, "six": "1"}], [*passing, {**BAD, "six": "1"}, {**GOOD, "six": "2"}])
    found = separate([*apart, ran("fail-99", True, {**GOOD, "six": "2"})])
    assert found.suspects[0].is_significant
    assert found.doubt.startswith("cannot tell: 13 failing runs, 12 passing; the likeliest suspect is so with a proba")


def test_there_are_hints_where_there_is_no_answer() -> None:
    assert first(separate(runs([BAD], [GOOD] * 3))) == "on 1 of 1 failing and 0 of 3 passing: urllib3 2.2.1"


def test_in_simulated_fleets_the_cause_is_first_nearly_as_often_as_for_an_oracle() -> None:
    fleets = [simulate(seed) for seed in range(20)]
    ours, oracle = (
        sum(judge(fleet, range(len(fleet.hosts))) for fleet in fleets) for judge in (is_first, is_first_for_oracle)
    )
    assert oracle >= 10
    assert ours >= 0.95 * oracle
