"""Tests of the order of environments, and of the pairs that it gives."""

from itertools import permutations

import pytest

from envparity_server.dashboard.stages import in_order, pairs


def test_environments_are_in_the_order_in_which_changes_go_through_them() -> None:
    expected = ["development", "test", "staging", "production", "lab"]
    assert all(in_order(names) == expected for names in permutations(expected))
    assert in_order(["prod", "demo-prod", "dev", "demo-dev"]) == ["dev", "prod", "demo-dev", "demo-prod"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["prod"], []),
        (["dev", "test", "prod"], [("dev", "test"), ("test", "prod")]),
        (["dev", "prod", "demo-dev", "demo-prod"], [("dev", "prod"), ("demo-dev", "demo-prod")]),
        (["eu-prod", "us-prod"], [("eu-prod", "us-prod")]),
    ],
)
def test_each_environment_is_held_against_the_next_one(names: list[str], expected: list[tuple[str, str]]) -> None:
    assert pairs(names) == expected
