"""Tests of who may do what: the ladder of roles, what is seen, and that nobody grants more than he has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_server.storage.actors import Actor, Environments, Role, from_stored, narrowed, stored

actors = st.builds(
    Actor,
    st.just("person:x"),
    st.sampled_from(Role),
    st.none() | st.frozensets(st.sampled_from(["dev", "test", "prod"])),
)

MAY = {
    Role.CI: {Role.CI},
    Role.VIEWER: {Role.CI, Role.VIEWER},
    Role.OPERATOR: {Role.CI, Role.VIEWER, Role.OPERATOR},
    Role.ADMIN: set(Role),
}


@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_those_before_it_may(role: Role) -> None:
    assert {needed for needed in Role if role.may(needed)} == MAY[role]


@pytest.mark.parametrize(
    ("own", "other", "covered"),
    [
        (None, None, True),
        (None, {"dev"}, True),
        ({"dev"}, None, False),
        ({"dev"}, {"dev"}, True),
        ({"dev"}, {"dev", "prod"}, False),
        ({"dev", "prod"}, {"dev"}, True),
        ({"dev"}, set(), True),
    ],
)
def test_who_sees_more_covers_who_sees_less(own: set[str] | None, other: set[str] | None, covered: bool) -> None:
    actor = Actor("person:x", Role.ADMIN, from_stored(own))
    assert actor.covers(from_stored(other)) is covered


@given(actors, actors, actors)
def test_what_is_granted_further_is_never_more_than_what_was_had(first: Actor, second: Actor, third: Actor) -> None:
    if first.may_grant(second.role, second.environments) and second.may_grant(third.role, third.environments):
        assert first.may_grant(third.role, third.environments)
        assert all(first.sees(name) for name in ("dev", "test", "prod", None) if third.sees(name))


@given(st.none() | st.frozensets(st.text()))
def test_environments_come_back_as_they_were_stored(environments: Environments) -> None:
    assert from_stored(stored(environments)) == environments


@pytest.mark.parametrize(
    ("seen", "asked", "left"),
    [
        (None, "", None),
        (None, "dev", {"dev"}),
        ({"dev", "prod"}, "", {"dev", "prod"}),
        ({"dev", "prod"}, "dev", {"dev"}),
        ({"prod"}, "dev", set()),
        (set(), "dev", set()),
    ],
)
def test_who_asks_for_one_environment_sees_no_more_of_it_than_before(
    seen: set[str] | None, asked: str, left: set[str] | None
) -> None:
    assert narrowed(None if seen is None else frozenset(seen), asked) == left
