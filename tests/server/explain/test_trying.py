"""Tests of what to try next."""

from hypothesis import given

from envparity_server.explain.outcomes import Run, separate
from envparity_server.explain.trying import trials
from tests.server.explain.fleets import ran, runs
from tests.server.explain.test_outcomes import labelled

NEW, OLD = {"idna": "3.7", "urllib3": "2.2.1"}, {"idna": "3.4", "urllib3": "2.0.7"}
TOLD = runs([NEW] * 6, [OLD] * 6)


def test_the_run_is_chosen_of_which_the_suspects_say_different_things() -> None:
    same, apart = ran("same", None, NEW), ran("apart", None, {**NEW, "idna": "3.4"})
    best = trials(separate([*TOLD, same, apart]))[0]
    assert (best.run, list(best.changed)) == ("apart", [])
    assert best.words == (
        "label apart, which has no label yet: if it fails, urllib3 2.2.1 is likelier; if it passes, idna 3.7"
    )
    assert 0.4 < best.gain < 1


def test_where_no_run_tells_suspects_apart_a_change_does() -> None:
    best = trials(separate(TOLD))[0]
    assert best.words == (
        "on pass-0, which passes, change this and nothing else, and run it again: idna 3.7; "
        "if it fails, it is that; if it passes, urllib3 2.2.1 is likelier"
    )


def test_of_many_that_go_together_half_are_changed() -> None:
    many = [f"package-{number}" for number in range(8)]
    best = trials(separate(runs([dict.fromkeys(many, "2")] * 6, [dict.fromkeys(many, "1")] * 6)))[0]
    assert [claim.item for claim in best.changed] == many[:4]


def test_a_run_that_all_suspects_agree_on_is_not_worth_it() -> None:
    assert "same" not in {one.run for one in trials(separate([*TOLD, ran("same", None, NEW)]))}


def test_nothing_is_to_be_tried_where_one_suspect_is_left() -> None:
    assert trials(separate(runs([{"idna": "2"}] * 9, [{"idna": "1"}] * 9))) == []


def test_without_suspects_there_is_nothing_to_try() -> None:
    assert trials(separate([])) == []


@given(labelled)
def test_trials_tell_something_the_most_telling_first(told: list[Run]) -> None:
    found = trials(separate(told), 9)
    assert all(0 < one.gain <= 1 for one in found)
    assert [round(one.gain, 9) for one in found] == sorted((round(one.gain, 9) for one in found), reverse=True)
