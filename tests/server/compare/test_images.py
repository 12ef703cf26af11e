"""Tests of image identity: only digests of like kind are held against each other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.fingerprint import Attributes
from envparity_server.compare.differences import compare
from envparity_server.compare.images import compare_images
from envparity_server.compare.model import Distance, State
from tests.server.making import ENGINE, host, section, told

WEB: dict[str, Any] = {
    "reference": "docker.io/library/web:1.4",
    "manifest": "sha256:manifest-a",
    "config": "sha256:config-a",
    "content": "sha256:content-a",
    "index": "sha256:index-a",
    "repo_digests": ("docker.io/library/web@sha256:index-a",),
    "platform": "linux/amd64",
}


def other(**changed: Any) -> Attributes:
    """The image with some attributes changed, those that are None left out."""
    return {name: value for name, value in {**WEB, **changed}.items() if value is not None}


SAME = {
    "itself": (WEB, WEB),
    "re-pushed with layers compressed anew": (WEB, other(manifest="sha256:manifest-b")),
    "built again with another attestation": (WEB, other(index="sha256:index-b", repo_digests=())),
    "in another image store": (other(manifest=None), other(config=None)),
    "in an engine that tells the content only": (WEB, other(manifest=None, config=None)),
    "pulled from a mirror": (WEB, other(reference="mirror.example:5000/proxy/web:1.4")),
    "a config that another tool wrote anew": (WEB, other(manifest=None, config="sha256:config-b")),
}

ALL_NEW = {"manifest": "sha256:manifest-b", "config": "sha256:config-b", "content": "sha256:content-b"}

DIFFERENT = {
    "rebuilt under the same tag": (WEB, other(**ALL_NEW), ("manifest", State.CHANGED, Distance.REBUILD)),
    "another tag with another image": (
        WEB,
        other(reference="docker.io/library/web:1.5", **ALL_NEW),
        ("manifest", State.CHANGED, Distance.UNORDERED),
    ),
    "without manifests, by config": (
        other(manifest=None),
        other(**{**ALL_NEW, "manifest": None}),
        ("config", State.CHANGED, Distance.REBUILD),
    ),
    "of unlike kinds, by content": (
        other(manifest=None),
        other(**{**ALL_NEW, "config": None}),
        ("content", State.CHANGED, Distance.REBUILD),
    ),
    "of unlike kinds and no more": (
        other(manifest=None, content=None),
        other(config=None, content=None),
        ("content", State.INCOMPARABLE, None),
    ),
    "an index against a config": (
        other(manifest=None, config=None, content=None),
        other(manifest=None, index=None, content=None),
        ("content", State.INCOMPARABLE, None),
    ),
    "another platform of the same release": (
        WEB,
        other(platform="linux/arm64", **ALL_NEW),
        ("platform", State.CHANGED, None),
    ),
    "the same image under another tag": (
        WEB,
        other(reference="docker.io/library/web:latest"),
        ("reference", State.CHANGED, None),
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_image_stays_the_same(case: str) -> None:
    left, right = SAME[case]
    assert compare_images(left, right) == []
    assert compare_images(right, left) == []


@pytest.mark.parametrize("case", DIFFERENT)
def test_another_image_is_told_as_what_it_is(case: str) -> None:
    left, right, finding = DIFFERENT[case]
    assert compare_images(left, right) == [finding]
    assert compare_images(right, left) == [finding]


@given(st.sets(st.sampled_from(["manifest", "config", "content"])), st.sets(st.sampled_from(["manifest", "config"])))
def test_unlike_kinds_of_digest_are_never_drift(ours: set[str], theirs: set[str]) -> None:
    left = {"platform": "linux/amd64", **dict.fromkeys(sorted(ours), "sha256:a")}
    right = {"platform": "linux/amd64", **dict.fromkeys(sorted(theirs), "sha256:b")}
    (finding,) = compare_images(left, right)
    assert (finding[1] == State.INCOMPARABLE) == (not ours & theirs)


def test_a_container_whose_image_cannot_be_compared_says_so_once() -> None:
    left = section("container/web", {"image": other(manifest=None, content=None)})
    right = section("container/web", {"image": other(config=None, content=None)})
    found = compare(host(ENGINE, left), host(ENGINE, right))
    assert told(found) == [("container/web", "image", "content", State.INCOMPARABLE, None)]


def test_a_mirrored_image_counts_as_the_same_item() -> None:
    left = section("container/web", {"image": WEB})
    right = section("container/web", {"image": other(reference="mirror.example/web:1.4")})
    found = compare(host(left), host(right))
    assert (told(found), found.same) == ([], 1)


def test_a_tag_that_moved_away_from_its_container_is_a_finding_of_its_own() -> None:
    still = section("container/web", {"image": WEB, "tag": {"moved": False, "points_at": "sha256:config-a"}})
    moved = section("container/web", {"image": WEB, "tag": {"moved": True, "points_at": "sha256:config-b"}})
    assert told(compare(host(still), host(moved))) == [("container/web", "tag", "moved", State.CHANGED, None)]


def test_where_the_tag_points_is_no_difference_of_what_runs() -> None:
    left = section("container/web", {"image": WEB, "tag": {"moved": True, "points_at": "sha256:b"}})
    right = section("container/web", {"image": WEB, "tag": {"moved": True, "points_at": "sha256:c"}})
    assert told(compare(host(left), host(right))) == []


def test_a_file_that_was_patched_in_one_container_is_on_that_side_only() -> None:
    clean = section("container/web", {"image": WEB})
    patched = section("container/web", {"image": WEB, "layer:/srv/app.py": {"change": "modified"}})
    assert told(compare(host(clean), host(patched))) == [
        ("container/web", "layer:/srv/app.py", "change", State.ONLY_RIGHT, None)
    ]
