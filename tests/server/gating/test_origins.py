"""Tests of how a difference is said to have come: with a base image that moved, by hand, or nobody knows."""

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint
from envparity_server.gating.origins import has_moved
from tests.server.gating.asking import gated
from tests.server.gating.images import DEBS, NEW_BASE, OLD_BASE, image, inside, running
from tests.server.making import host, section

NAMED = f"docker.io/library/debian:bookworm@sha256:{'a' * 64}"
OTHER = f"docker.io/library/debian:bookworm@sha256:{'b' * 64}"


@pytest.mark.parametrize(
    ("ours", "theirs", "moved"),
    [
        ({"layers": NEW_BASE}, {"layers": OLD_BASE}, True),
        ({"layers": (*OLD_BASE, "01 x")}, {"layers": (*OLD_BASE, "01 y")}, False),
        ({"layers": NEW_BASE}, {}, False),
        ({}, {}, False),
        ({"base": NAMED, "layers": OLD_BASE}, {"base": OTHER, "layers": OLD_BASE}, True),
        ({"base": NAMED, "layers": NEW_BASE}, {"base": NAMED, "layers": OLD_BASE}, False),
        ({"base": "debian:bookworm", "layers": OLD_BASE}, {"base": OTHER, "layers": OLD_BASE}, False),
    ],
)
def test_a_base_has_moved_where_digests_differ_or_no_layer_is_shared(
    ours: Attributes, theirs: Attributes, moved: bool
) -> None:
    assert has_moved(ours, theirs) is moved


def origins(subject: Fingerprint, reference: Fingerprint) -> dict[str, str]:
    """How each item came to differ."""
    return {one.item: one.origin for one in gated(subject, reference).findings}


CHANGED = inside({"flask": "3.1", "idna": "3.7"}, {**DEBS, "libssl3": "3.0.11-1"})


def test_a_base_that_nothing_names_is_the_base_image() -> None:
    found = origins(image(*CHANGED, layers=NEW_BASE), running())
    assert (found["libssl3"], found["flask"]) == ("via the base image (digest moved)", "")


def test_the_label_of_an_image_names_its_base() -> None:
    found = origins(image(*CHANGED, layers=NEW_BASE, base=NAMED), running(base=OTHER))
    assert found["libssl3"] == "via base image debian:bookworm (digest moved)"


def test_a_package_that_differs_on_one_base_did_not_come_with_it() -> None:
    assert origins(image(*CHANGED), running())["libssl3"] == ""


def test_containers_of_hosts_have_their_own_bases() -> None:
    def runs(layers: tuple[str, ...], openssl: str) -> Fingerprint:
        image_item: Attributes = {"config": f"sha256:{layers}", "platform": "linux/amd64", "layers": layers}
        return host(
            section("os-packages", {"openssl": {"version": openssl}}),
            section("containers"),
            section("container/db", {"image": image_item}, schema=2),
            section("container/db/os-packages", {"openssl": {"version": openssl}}, kind="os-packages"),
        )

    report = gated(runs(NEW_BASE, "3.1"), runs(OLD_BASE, "3.0"))
    told = {one.section: one.origin for one in report.findings if one.item == "openssl"}
    assert told == {"os-packages": "", "container/db/os-packages": "via the base image (digest moved)"}


def test_what_was_installed_by_hand_is_said_with_the_sides_of_a_gate() -> None:
    patched = running()
    layer = section(
        "container/shop.web",
        {**patched.sections["container/shop.web"].items, "layer:deb:curl": {"change": "modified"}},
        schema=2,
    )
    sections = {one.path: one for one in inside(debs={**DEBS, "curl": "8"})}
    reference = host(*{**patched.sections, **sections, layer.path: layer}.values(), kind="container")
    found = {one.item: one for one in gated(image(), reference).findings}
    assert (found["curl"].origin, found["curl"].words) == ("modified in the container of env:prod", "8 → 7.88.1-10")
    assert found["curl"].headline == "curl 8 → 7.88.1-10, modified in the container of env:prod"
