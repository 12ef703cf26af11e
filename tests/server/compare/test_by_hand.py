"""Tests of packages that were changed in a running container: told once, as the package, with how it came to be."""

from dataclasses import replace

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint, Section
from envparity_server.compare.differences import compare
from envparity_server.compare.groups import wording
from envparity_server.compare.model import Comparison, Severity, State
from envparity_server.drift.severity import severity
from tests.server.making import ENGINE, SEARCHED, host, section, versions

SITE = "/srv/shop/lib/python3.11/site-packages"
IMAGE: Attributes = {"config": "sha256:a"}
IN_VENV: Attributes = {"version": "1.17.0", "location": "lib/python3.11/site-packages"}


def layer(name: str, change: str = "added", owner: str = "python:six 1.17.0") -> dict[str, Attributes]:
    """One change in the writable layer."""
    return {f"layer:{name}": {"change": change, "owner": owner}}


def web(own: dict[str, Attributes], *inside: Section) -> Fingerprint:
    """A host that runs one container with these sections inside."""
    within = (replace(one, path=f"container/web/{one.path}") for one in (SEARCHED, *inside))
    return host(ENGINE, section("container/web", {"image": IMAGE, **own}), *within)


def shop(*names: str, path: str = "python/srv/shop", six: Attributes = IN_VENV) -> Section:
    """A Python environment with some distributions."""
    return section(path, {**versions(dict.fromkeys(names, "1.0")), "six": six})


def places(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Where each difference is, and how it came to be."""
    return [(one.section, one.item, one.origin) for one in comparison.differences]


CLEAN = section("python/srv/shop", versions({"idna": "1.0"}))
PATCHED = shop("idna")


def test_a_distribution_that_was_put_into_a_container_is_one_difference() -> None:
    left, right = web(layer(f"{SITE}#six"), PATCHED), web({}, CLEAN)
    expected = [("container/web/python/srv/shop", "six", "added in the left container")]
    assert places(compare(left, right)) == expected
    [mirrored] = compare(right, left).differences
    assert (mirrored.state, mirrored.origin) == (State.ONLY_RIGHT, "added in the right container")
    assert wording(mirrored) == "only right: 1.17.0, added in the right container"
    assert mirrored.document()["origin"] == "added in the right container"


def test_one_that_was_removed_is_missing_where_it_was_removed() -> None:
    left, right = web(layer(f"{SITE}#six", "deleted"), CLEAN), web({}, PATCHED)
    [found] = compare(left, right).differences
    assert (found.item, found.state, found.origin) == ("six", State.ONLY_RIGHT, "deleted in the left container")


def test_one_that_was_replaced_is_never_less_severe_than_the_layer_was() -> None:
    newer = shop("idna", six={**IN_VENV, "version": "1.17.1"})
    [found] = compare(web(layer(f"{SITE}#six", "modified"), newer), web({}, PATCHED)).differences
    assert (found.left, found.right, severity(found)) == ("1.17.1", "1.17.0", Severity.HIGH)
    assert severity(replace(found, origin="")) == Severity.LOW


def test_two_that_were_patched_unlike_are_one_difference() -> None:
    newer = shop("idna", six={**IN_VENV, "version": "1.18.0"})
    left = web(layer(f"{SITE}#six", "modified", "python:six 1.18.0"), newer)
    [found] = compare(left, web(layer(f"{SITE}#six"), PATCHED)).differences
    assert (found.item, found.attribute, found.origin) == ("six", "version", "changed in both containers")


@pytest.mark.parametrize(
    ("path", "location", "site"),
    [
        ("python/usr/lib/python3.11", "lib/python3/dist-packages", "/usr/lib/python3/dist-packages"),
        ("python/opt/py/lib/python3.13t", "lib/python3.13t/site-packages", "/opt/py/lib/python3.13t/site-packages"),
        ("python/usr/lib/python3.11", "/opt/more", "/opt/more"),
    ],
)
def test_the_directory_of_an_interpreters_distribution_is_below_its_prefix(path: str, location: str, site: str) -> None:
    there = shop("idna", path=path, six={"version": "1.17.0", "location": location})
    clean = section(path, versions({"idna": "1.0"}))
    assert places(compare(web(layer(f"{site}#six"), there), web({}, clean))) == [
        (f"container/web/{path}", "six", "added in the left container")
    ]


def test_another_environment_that_lacks_the_same_name_is_a_cause_of_its_own() -> None:
    other = "/srv/tools/lib/python3.11/site-packages"
    found = compare(web(layer(f"{other}#six"), PATCHED), web({}, CLEAN))
    assert places(found) == [
        ("container/web", f"layer:{other}#six", ""),
        ("container/web/python/srv/shop", "six", ""),
    ]


def test_a_layer_that_nothing_else_tells_of_stays() -> None:
    left = web({**layer(f"{SITE}#six"), **layer("/srv/app.py", "modified")}, PATCHED)
    assert [one.item for one in compare(left, web({}, PATCHED)).differences] == [
        "layer:/srv/app.py", f"layer:{SITE}#six",
    ]  # fmt: skip


def test_an_os_package_that_was_put_into_a_container_is_one_difference() -> None:
    curl: Attributes = {"version": "7.88.1-10", "architecture": "amd64", "manager": "deb"}
    libc: Attributes = {"version": "2.36-9", "architecture": "amd64", "manager": "deb"}
    left = web(
        layer("deb:curl", owner="deb:curl 7.88.1-10"),
        section("os-packages", {"curl:amd64": curl, "libc6": libc}, schema=2),
    )
    right = web({}, section("os-packages", {"libc6": libc}, schema=2))
    assert places(compare(left, right)) == [("container/web/os-packages", "curl:amd64", "added in the left container")]


def test_two_containers_that_were_named_are_told_alike() -> None:
    patched = host(section("container/web", {"image": IMAGE, **layer(f"{SITE}#six")}), PATCHED, kind="container")
    clean = host(section("container/web-2", {"image": IMAGE}), CLEAN, kind="container")
    assert places(compare(patched, clean)) == [("python/srv/shop", "six", "added in the left container")]
