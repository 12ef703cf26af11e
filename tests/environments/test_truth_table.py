"""The truth table: pairs that must compare as the same, and pairs that must not, made and read as the product does."""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from envparity_server.compare.differences import compare
from envparity_server.compare.model import DRIFT_STATES, UNKNOWN_STATES, Difference
from envparity_server.drift.severity import rate
from tests.environments.making import Workshop
from tests.environments.pairs import SAME
from tests.environments.sides import Found, Pair, Unlike
from tests.environments.unlike import UNLIKE

_ENOUGH = 20


def test_there_are_enough_pairs_and_each_has_a_name_of_its_own() -> None:
    assert min(len(SAME), len(UNLIKE)) >= _ENOUGH
    assert len({pair.name for pair in (*SAME, *UNLIKE)}) == len(SAME) + len(UNLIKE)
    assert all(pair.found for pair in UNLIKE)


@pytest.mark.parametrize("pair", SAME, ids=[pair.name for pair in SAME])
def test_what_is_the_same_compares_as_the_same(pair: Pair, tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    found = rate(compare(pair.left(shop), pair.right(shop)))
    differing = [one for one in found.differences if one.state in DRIFT_STATES | UNKNOWN_STATES]
    assert not differing, pair.rule
    assert min(found.examined, found.same) > 0, pair.rule


@pytest.mark.parametrize("pair", UNLIKE, ids=[pair.name for pair in UNLIKE])
def test_what_is_not_the_same_compares_as_what_it_is(pair: Unlike, tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    found = rate(compare(pair.left(shop), pair.right(shop))).differences
    assert not [one for one in found if not any(fits(one, asked) for asked in pair.found)], pair.rule
    assert not [asked for asked in pair.found if not any(fits(one, asked) for one in found)], pair.rule


def fits(difference: Difference, asked: Found) -> bool:
    """Whether a difference is the one that must be found."""
    told = (difference.attribute, difference.state, difference.severity)
    named = fnmatchcase(difference.section, asked.section) and fnmatchcase(difference.item, asked.item)
    return named and told == (asked.attribute, asked.state, asked.severity)
