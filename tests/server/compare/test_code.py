"""Tests of comparing the code of applications: one difference for one cause, and never a guess."""

from typing import Any

import pytest

from envparity_agent.fingerprint import Attributes, Reason, Status
from envparity_server.compare.differences import compare
from envparity_server.compare.model import State
from tests.server.making import host, section, told

CLEAN: dict[str, Any] = {"commit": "a" * 40, "dirty": False, "branch": "main", "location": "/srv/shop"}
DIRTY = {**CLEAN, "dirty": True, "changes": "sha256:one"}
TREE: dict[str, Any] = {"tree": "sha256:one", "location": "/srv/shop"}


def without(attributes: dict[str, Any], *names: str) -> dict[str, Any]:
    """The attributes but for some."""
    return {name: value for name, value in attributes.items() if name not in names}


SAME: dict[str, tuple[Attributes, Attributes]] = {
    "one commit": (CLEAN, CLEAN),
    "one commit on two branches in two places": (CLEAN, {**CLEAN, "branch": "live", "location": "/opt/shop"}),
    "one commit with the same changes": (DIRTY, DIRTY),
    "one tree": (TREE, {**TREE, "location": "/opt/shop"}),
}

DIFFERENT: dict[str, tuple[Attributes, Attributes, list[tuple[str, State]]]] = {
    "another commit": (CLEAN, {**CLEAN, "commit": "b" * 40}, [("commit", State.CHANGED)]),
    "another commit with changes": (CLEAN, {**DIRTY, "commit": "b" * 40}, [("commit", State.CHANGED)]),
    "a dirty checkout": (CLEAN, DIRTY, [("dirty", State.CHANGED)]),
    "other changes": (DIRTY, {**DIRTY, "changes": "sha256:other"}, [("changes", State.CHANGED)]),
    "changes of which one could not be read": (DIRTY, without(DIRTY, "changes"), [("changes", State.UNKNOWN)]),
    "a checkout of which it is not known": (CLEAN, without(CLEAN, "dirty"), [("dirty", State.UNKNOWN)]),
    "changes and a checkout of which it is not known": (DIRTY, without(CLEAN, "dirty"), [("dirty", State.UNKNOWN)]),
    "another tree": (TREE, {**TREE, "tree": "sha256:other"}, [("tree", State.CHANGED)]),
    "a checkout and a tree": (CLEAN, TREE, [("commit", State.INCOMPARABLE)]),
    "an image's revision and a tree": ({"revision": "v1"}, TREE, [("revision", State.INCOMPARABLE)]),
    "a tree that could not be read": (TREE, without(TREE, "tree"), [("tree", State.UNKNOWN)]),
    "code that a mount hides": (CLEAN, {**CLEAN, "shadowed": True}, [("shadowed", State.CHANGED)]),
    "a checkout before its first commit": (
        without(CLEAN, "commit"), without(DIRTY, "commit"), [("dirty", State.CHANGED)]
    ),
}  # fmt: skip


def found(left: Attributes, right: Attributes) -> list[tuple[str, State]]:
    """Attribute and state of each difference between two items of code."""
    ours, theirs = (host(section("app/shop", {"code": one}, kind="application")) for one in (left, right))
    return [(attribute, state) for _, _, attribute, state, _ in told(compare(ours, theirs))]


@pytest.mark.parametrize("case", SAME)
def test_code_is_the_same_that_is(case: str) -> None:
    assert found(*SAME[case]) == []


@pytest.mark.parametrize("case", DIFFERENT)
def test_code_differs_by_one_cause_with(case: str) -> None:
    left, right, expected = DIFFERENT[case]
    assert found(left, right) == expected
    assert found(right, left) == expected


def listed(**files: str) -> dict[str, Attributes]:
    """The items of a tree that tells its files."""
    items: dict[str, Attributes] = {f"file:{name}.py": {"content": content} for name, content in files.items()}
    return {"code": {"tree": f"sha256:{files}"}, **items}


def test_files_are_compared_one_by_one() -> None:
    left = host(section("app/shop", listed(shop="one", prices="one", old="one"), kind="application"))
    right = host(section("app/shop", listed(shop="one", prices="two", new="one"), kind="application"))
    assert [(item, attribute, state) for _, item, attribute, state, _ in told(compare(left, right))] == [
        ("code", "tree", State.CHANGED),
        ("file:new.py", "", State.ONLY_RIGHT),
        ("file:old.py", "", State.ONLY_LEFT),
        ("file:prices.py", "content", State.CHANGED),
    ]


@pytest.mark.parametrize("other", [CLEAN, {"tree": "sha256:of very many files"}])
def test_a_side_that_lists_no_files_does_not_lack_them(other: Attributes) -> None:
    left = host(section("app/shop", listed(shop="one"), kind="application"))
    right = host(section("app/shop", {"code": other}, kind="application"))
    assert [item for _, item, _, _, _ in told(compare(left, right))] == ["code"]
    assert [item for _, item, _, _, _ in told(compare(right, left))] == ["code"]


def test_a_file_that_is_missing_where_not_all_were_read_is_unknown() -> None:
    left = host(section("app/shop", listed(shop="one", prices="one"), kind="application"))
    right = host(section("app/shop", listed(shop="one"), Status.PARTIAL, Reason.PERMISSION, kind="application"))
    assert ("app/shop", "file:prices.py", "", State.UNKNOWN, None) in told(compare(left, right))
