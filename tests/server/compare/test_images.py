"""Tests of image identity: only digests of like kind are held against each other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.containers.images import CONTAINERD, GRAPHDRIVER, identity
from envparity_agent.fingerprint import Attributes, Fingerprint
from envparity_server.compare.differences import compare
from envparity_server.compare.groups import wording
from envparity_server.compare.images import compare_images, relation, shared
from envparity_server.compare.model import Distance, State
from tests.agent.collectors.answers import (
    INDEX_DIGEST,
    MANIFEST_DIGEST,
    NEWER_DIGEST,
    OCI_INDEX,
    containerd_image,
    image,
    layer,
)
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

UNLIKE_PLATFORMS = {
    "of one index": (WEB, other(platform="linux/arm64", repo_digests=(), **ALL_NEW), True),
    "of one digest of a registry": (
        other(index=None),
        other(index=None, platform="linux/arm64", repo_digests=("mirror.example/web@sha256:index-a", "x"), **ALL_NEW),
        True,
    ),
    "of unlike indexes": (WEB, other(platform="linux/arm64", index="sha256:b", repo_digests=(), **ALL_NEW), False),
    "of which nothing is known": (
        other(index=None, repo_digests=()),
        other(index=None, repo_digests=(), platform="linux/arm64", **ALL_NEW),
        False,
    ),
}

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


@pytest.mark.parametrize("case", UNLIKE_PLATFORMS)
def test_another_platform_of_one_release_is_no_drift_in_content(case: str) -> None:
    """Whether it is one release is known or not known: digests for two platforms never tell that it is not."""
    left, right, one_release = UNLIKE_PLATFORMS[case]
    unsure = [] if one_release else [("content", State.INCOMPARABLE, None)]
    for sides in ((left, right), (right, left)):
        assert compare_images(*sides) == [("platform", State.CHANGED, None), *unsure]
        assert relation(*sides) == ("another platform of the same release" if one_release else "")


DEBIAN, PYTHON, SHOP, SHOP_2 = (f"sha256:{name}" for name in ("debian", "python", "shop", "shop-2"))


def layers(*diff_ids: str) -> tuple[str, ...]:
    """DiffIDs as an agent tells them, sorted as text."""
    return tuple(sorted(f"{number:02} {diff_id}" for number, diff_id in enumerate(diff_ids)))


@pytest.mark.parametrize(
    ("left", "right", "common"),
    [
        ((), (), 0),
        ((DEBIAN,), (), 0),
        ((DEBIAN, PYTHON, SHOP), (DEBIAN, PYTHON, SHOP_2), 2),
        ((DEBIAN, PYTHON), (DEBIAN, PYTHON, SHOP), 2),
        ((PYTHON, DEBIAN), (DEBIAN, PYTHON), 0),
        ((DEBIAN, SHOP, PYTHON), (DEBIAN, SHOP_2, PYTHON), 1),
        (tuple(map(str, range(120))), tuple(map(str, range(110))), 110),
    ],
)
def test_layers_are_shared_from_the_lowest_on(left: tuple[str, ...], right: tuple[str, ...], common: int) -> None:
    assert shared(layers(*left), layers(*right)) == shared(layers(*right), layers(*left)) == common


@given(st.lists(st.text(max_size=6), max_size=4), st.lists(st.text(max_size=6), max_size=4))
def test_layers_of_whatever_text_are_counted(left: list[str], right: list[str]) -> None:
    assert 0 <= shared(left, right) == shared(right, left) <= min(len(left), len(right))


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (WEB, WEB, ""),
        (WEB, other(index="sha256:index-b"), ""),
        (WEB, other(manifest="sha256:manifest-b"), "the same content, repackaged"),
        (other(manifest=None), other(manifest=None, config="sha256:config-b"), "the same content, repackaged"),
        (WEB, other(**ALL_NEW), ""),
        (
            other(layers=layers(DEBIAN, PYTHON, SHOP)),
            other(layers=layers(DEBIAN, PYTHON, SHOP_2, "sha256:more"), **ALL_NEW),
            "2 layers shared, then 1 against 2 of their own",
        ),
        (
            other(layers=layers(DEBIAN, SHOP)),
            other(layers=layers(DEBIAN, SHOP_2), **ALL_NEW),
            "1 layer shared, then 1 against 1 of their own",
        ),
        (
            other(layers=layers(DEBIAN)),
            other(layers=layers(PYTHON, SHOP), **ALL_NEW),
            "no layer shared: 1 against 2 of their own",
        ),
        (
            other(layers=layers(DEBIAN, PYTHON)),
            other(layers=layers(DEBIAN, PYTHON), **ALL_NEW),
            "the same 2 layers, other configuration",
        ),
    ],
)
def test_how_two_images_are_related_is_told_in_words(left: Attributes, right: Attributes, words: str) -> None:
    assert relation(left, right) == words


def test_another_store_of_one_engine_is_no_drift() -> None:
    """What an engine with containerd's store says of an image that another one runs from a graphdriver store."""
    graph = identity(image(), GRAPHDRIVER, None)
    containerd = identity(containerd_image(), CONTAINERD, MANIFEST_DIGEST)
    assert compare_images(graph, containerd) == compare_images(containerd, graph) == []


def test_a_rebuild_for_its_provenance_alone_is_no_drift() -> None:
    """By default a build attests itself: the index has another digest, the platform's manifest the same one."""
    rebuilt = containerd_image(RepoDigests=[f"registry.example:5000/shop/web@sha256:{'3' * 64}"])
    rebuilt |= {"Id": f"sha256:{'3' * 64}", "Descriptor": {"mediaType": OCI_INDEX, "digest": f"sha256:{'3' * 64}"}}
    first = identity(containerd_image(), CONTAINERD, MANIFEST_DIGEST)
    second = identity(rebuilt, CONTAINERD, MANIFEST_DIGEST)
    assert first["index"] != second["index"]
    assert compare_images(first, second) == []


def test_another_platform_that_containerds_store_runs_is_told_as_that() -> None:
    arm = containerd_image(Architecture="arm64", Variant="v8", RootFS={"Layers": [layer(7), layer(8)]})
    left = identity(containerd_image(), CONTAINERD, MANIFEST_DIGEST)
    right = identity(arm, CONTAINERD, f"sha256:{'4' * 64}")
    assert compare_images(left, right) == [("platform", State.CHANGED, None)]


def test_an_engine_before_it_told_kinds_is_compared_by_content() -> None:
    """API 1.47 and containerd's store: the id may be an index's or a manifest's, and is neither here."""
    untold = identity(image(INDEX_DIGEST), CONTAINERD, None)
    assert compare_images(identity(image(), GRAPHDRIVER, None), untold) == []
    changed = identity(image(NEWER_DIGEST, RootFS={"Layers": [layer(9)]}), GRAPHDRIVER, None)
    assert [finding[:2] for finding in compare_images(changed, untold)] == [("content", State.CHANGED)]


def test_a_difference_of_images_says_from_where_on_they_are_unlike() -> None:
    def web(config: str, top: str) -> Fingerprint:
        layers = ("00 sha256:base", "01 sha256:deps", f"02 {top}")
        image: Attributes = {"config": config, "platform": "linux/amd64", "layers": layers}
        return host(section("container/web", {"image": image}, schema=2))

    [found] = compare(web("sha256:a", "sha256:x"), web("sha256:b", "sha256:y")).differences
    assert found.origin == "2 layers shared, then 1 against 1 of their own"
    assert wording(found).endswith(found.origin)
