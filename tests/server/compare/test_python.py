"""Tests of comparing distributions: version first, then content, one difference for one cause."""

from typing import Any

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint, Section
from envparity_server.compare.differences import compare
from envparity_server.compare.model import Distance, State
from tests.server.making import SEARCHED, compared, host, section

SHOP = "python/srv/shop"
MANYLINUX = ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64")

WHEEL: dict[str, Any] = {
    "version": "2.1.5",
    "content": "sha256:content-a",
    "code": "sha256:code-a",
    "pure": "sha256:pure-a",
    "tags": MANYLINUX,
    "installer": "pip",
    "form": "dist-info",
    "location": "lib/python3.11/site-packages",
}

Found = list[tuple[str, State, Distance | None]]


def other(**changed: Any) -> Attributes:
    """The distribution with some attributes changed, those that are None left out."""
    return {name: value for name, value in {**WHEEL, **changed}.items() if value is not None}


def found(left: Attributes, right: Attributes) -> Found:
    """What two environments that hold this one distribution differ in."""
    sides = (host(SEARCHED, Section(SHOP, "python", 2, {"markupsafe": one})) for one in (left, right))
    return [(one.attribute, one.state, one.distance) for one in compared(sides).differences]


NEW_CONTENT = {"content": "sha256:content-b", "code": "sha256:code-b"}

SAME: dict[str, tuple[Attributes, Attributes]] = {
    "itself": (WHEEL, WHEEL),
    "installed by uv instead of pip": (WHEEL, other(installer="uv")),
    "in another place": (WHEEL, other(location="/usr/lib/python3/dist-packages")),
    "from another address": (WHEEL, other(source="https://example.org/markupsafe.whl")),
    "with the version written otherwise": (other(version="1.0"), other(version="1.0.0")),
    "of unknown content on both sides": (other(content=None, code=None), other(content=None, code=None)),
    "not changed, as one side says and the other does not": (other(dirty=False), WHEEL),
    "needed by something else": (WHEEL, other(requested=True, unmet=("idna (not installed)",), owner="deb:x 1")),
    "built by conda, or not": (other(build="py311_0", channel="main"), WHEEL),
    "with an older platform tag but the same files": (WHEEL, other(tags=MANYLINUX[:1])),
}

DIFFERENT: dict[str, tuple[Attributes, Attributes, Found]] = {
    "of another version": (WHEEL, other(version="2.1.6"), [("version", State.CHANGED, Distance.PATCH)]),
    "of another version and content, as one": (
        WHEEL,
        other(version="3.0", tags=("py3-none-any",), pure="sha256:pure-b", **NEW_CONTENT),
        [("version", State.CHANGED, Distance.MAJOR)],
    ),
    "of another local version": (
        other(version="2.1.0+cu121"),
        other(version="2.1.0+cpu"),
        [("version", State.CHANGED, Distance.LOCAL)],
    ),
    "built here instead of taken from a wheel": (
        WHEEL,
        other(tags=("cp311-cp311-linux_x86_64",), **NEW_CONTENT),
        [("content", State.CHANGED, Distance.REBUILD)],
    ),
    "patched": (WHEEL, other(pure="sha256:pure-b", **NEW_CONTENT), [("content", State.CHANGED, Distance.REBUILD)]),
    "of other metadata only": (
        WHEEL,
        other(content="sha256:content-b"),
        [("metadata", State.CHANGED, Distance.REBUILD)],
    ),
    "for another Python, from the same source": (
        WHEEL,
        other(tags=("cp313-cp313-manylinux_2_17_x86_64",), **NEW_CONTENT),
        [("tags", State.CHANGED, None)],
    ),
    "for another machine, from the same source": (
        WHEEL,
        other(tags=("cp311-cp311-manylinux_2_17_aarch64",), **NEW_CONTENT),
        [("tags", State.CHANGED, None)],
    ),
    "for another Python, from another source": (
        WHEEL,
        other(tags=("cp313-cp313-manylinux_2_17_x86_64",), pure="sha256:pure-b", **NEW_CONTENT),
        [("pure", State.CHANGED, Distance.REBUILD), ("tags", State.CHANGED, None)],
    ),
    "without RECORD on one side": (
        WHEEL,
        other(content=None, code=None, pure=None),
        [("content", State.INCOMPARABLE, None)],
    ),
    "whose metadata could not be read": (
        other(problem="unread: permission"),
        WHEEL,
        [("problem", State.UNKNOWN, None)],
    ),
    "broken by an interrupted upgrade": (
        {"problem": "no METADATA"},
        WHEEL,
        [("problem", State.CHANGED, None)],
    ),
    "at another commit": (other(commit="a" * 40), other(commit="b" * 40), [("commit", State.CHANGED, None)]),
    "editable on one side": (WHEEL, other(editable=True), [("editable", State.CHANGED, None)]),
    "from another checkout": (
        other(editable=True, head="a" * 40, dirty=True, changes="sha256:1"),
        other(editable=True, head="b" * 40, **NEW_CONTENT),
        [("head", State.CHANGED, None)],
    ),
    "from a checkout that was changed": (
        other(editable=True, head="a" * 40, dirty=True, changes="sha256:1"),
        other(editable=True, head="a" * 40, dirty=False),
        [("dirty", State.CHANGED, None)],
    ),
    "from a checkout that was changed twice": (
        other(editable=True, head="a" * 40, dirty=True, changes="sha256:1"),
        other(editable=True, head="a" * 40, dirty=True, changes="sha256:2"),
        [("changes", State.CHANGED, None)],
    ),
    "from a checkout, and from a directory that is none": (
        other(editable=True, head="a" * 40),
        other(editable=True),
        [("head", State.INCOMPARABLE, None)],
    ),
    "from a checkout, and from a wheel": (
        WHEEL,
        other(editable=True, head="a" * 40, dirty=True, **NEW_CONTENT),
        [("editable", State.CHANGED, None)],
    ),
    "of another version from another checkout": (
        other(editable=True, head="a" * 40, dirty=True),
        other(version="2.2.0", editable=True, head="b" * 40, **NEW_CONTENT),
        [("version", State.CHANGED, Distance.MINOR)],
    ),
    "in another build of conda's": (
        other(build="py311_mkl_0", channel="main"),
        other(build="py311_openblas_0", channel="conda-forge", **NEW_CONTENT),
        [("build", State.CHANGED, Distance.REBUILD)],
    ),
    "from another channel of conda's": (
        other(build="0", channel="main"),
        other(build="0", channel="conda-forge", **NEW_CONTENT),
        [("channel", State.CHANGED, Distance.REBUILD)],
    ),
    "from another archive of conda's": (
        {"version": "1", "content": "sha256:1"},
        {"version": "1", "content": "sha256:2"},
        [("content", State.CHANGED, Distance.REBUILD)],
    ),
    "from archives of conda's with unlike hashes": (
        {"version": "1", "content": "sha256:1"},
        {"version": "1", "content": "md5:2"},
        [("content", State.INCOMPARABLE, None)],
    ),
    "that is an interpreter with another path": (
        {"role": "venv", "version": "3.11.2", "path": ("00 a (stdlib)", "01 b (site)")},
        {"role": "venv", "version": "3.11.2", "path": ("00 a (stdlib)", "01 c (pth c.pth)", "02 b (site)")},
        [("path", State.CHANGED, None)],
    ),
    "that is an interpreter of another version, and so with another path": (
        {"role": "venv", "version": "3.11.2", "abi": "3.11", "path": ("00 lib/python3.11 (stdlib)",)},
        {"role": "venv", "version": "3.12.1", "abi": "3.12", "path": ("00 lib/python3.12 (stdlib)",)},
        [("version", State.CHANGED, Distance.MINOR)],
    ),
    "that is an interpreter with another start": (
        {"role": "venv", "version": "3.11.2", "hooks": ("a.pth=0123",)},
        {"role": "venv", "version": "3.11.2", "hooks": ("a.pth=4567",)},
        [("hooks", State.CHANGED, None)],
    ),
    "that is an interpreter with a process older than the disk": (
        {"role": "venv", "version": "3.11.2", "restart_needed": True},
        {"role": "venv", "version": "3.11.2", "restart_needed": False},
        [("restart_needed", State.CHANGED, None)],
    ),
    "of a version that is none": (
        other(version="2004d"),
        other(version="2004e-final"),
        [("version", State.CHANGED, Distance.UNORDERED)],
    ),
    "of a version that has a zero more": (
        other(version="2.0rc1"),
        other(version="2.0.0"),
        [("version", State.CHANGED, Distance.PRE)],
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_distribution_stays_the_same(case: str) -> None:
    left, right = SAME[case]
    assert found(left, right) == []
    assert found(right, left) == []


@pytest.mark.parametrize("case", DIFFERENT)
def test_another_distribution_is_told_as_what_it_is(case: str) -> None:
    left, right, expected = DIFFERENT[case]
    assert found(left, right) == expected
    assert found(right, left) == expected


def test_a_distribution_with_the_same_version_carries_it() -> None:
    sides = (host(section(SHOP, {"markupsafe": one})) for one in (WHEEL, other(**NEW_CONTENT)))
    (difference,) = compared(sides).differences
    assert (difference.version, difference.left, difference.right) == (
        "2.1.5",
        "sha256:content-a",
        "sha256:content-b",
    )


def test_wheels_for_another_python_have_that_one_cause() -> None:
    def side(abi: str) -> Fingerprint:
        wheel = other(tags=(f"cp{abi}-cp{abi}-manylinux_2_17_x86_64",), content=f"sha256:{abi}")
        return host(
            section(SHOP, {"@python": {"version": f"3.{abi[1:]}.1", "abi": f"3.{abi[1:]}"}, "markupsafe": wheel})
        )

    found = [(one.item, one.attribute) for one in compare(side("311"), side("313")).differences]
    assert found == [("@python", "version")]


@pytest.mark.parametrize("version", ["2.1.5", "2.1.4"])
def test_what_is_declared_for_some_pythons_only_is_never_drift(version: str) -> None:
    left = host(declared({"markupsafe": {"version": version, "marker": "python_version < '3.9'"}}), kind="declared")
    installed = host(section(SHOP, {"markupsafe": WHEEL}))
    for right in (installed, host(section(SHOP, {}))):
        found = compare(left, right).differences
        assert {one.state for one in found} <= {State.UNKNOWN}
        assert bool(found) == (version == "2.1.4" or right is not installed)


def declared(items: dict[str, Attributes]) -> Section:
    """What a requirements file declares."""
    return section("python/requirements.txt", items, kind="declared")


@pytest.mark.parametrize(
    ("written", "installed", "expected"),
    [
        ({"version": "2.1.5"}, "2.1.5", []),
        ({"version": "2.1"}, "2.1.0", []),
        ({"version": "2.1.4"}, "2.1.5", [("version", State.CHANGED, Distance.PATCH)]),
        ({"specifier": ">=2,<3"}, "2.1.5", []),
        ({"specifier": ">=3"}, "2.1.5", [("specifier", State.CHANGED, None)]),
        ({"specifier": ">=2"}, "3.0rc1", []),
        ({"specifier": ">=2"}, "no version", [("specifier", State.CHANGED, None)]),
        ({}, "2.1.5", []),
        ({"marker": 'python_version >= "3"'}, "2.1.5", []),
    ],
    ids=["pinned", "pinned otherwise written", "other pin", "in range", "out of range", "pre-release in range",
         "no version", "any version", "any version with a marker"],
)  # fmt: skip
def test_what_is_declared_is_held_against_what_is_installed(
    written: Attributes, installed: str, expected: Found
) -> None:
    left = host(declared({"markupsafe": written}), kind="declared")
    right = host(SEARCHED, section(SHOP, {"markupsafe": other(version=installed)}))
    for pair in ((left, right), (right, left)):
        differences = compared(pair).differences
        assert [(one.attribute, one.state, one.distance) for one in differences] == expected


def test_a_range_stands_against_the_installed_version() -> None:
    left = host(declared({"markupsafe": {"specifier": ">=3"}}), kind="declared")
    right = host(section(SHOP, {"markupsafe": WHEEL}))
    (difference,) = compare(left, right).differences
    assert (difference.left, difference.right) == (">=3", "2.1.5")


def test_a_declared_name_without_a_version_that_is_not_installed_is_missing() -> None:
    left = host(declared({"markupsafe": {}, "idna": {"version": "3.7"}}), kind="declared")
    right = host(section(SHOP, {"idna": {"version": "3.7"}}))
    assert [(one.item, one.state) for one in compare(left, right).differences] == [("markupsafe", State.ONLY_LEFT)]
    assert [(one.item, one.state) for one in compare(right, left).differences] == [("markupsafe", State.ONLY_RIGHT)]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(">=2", ">=2", []), (">=2", ">=3", [("specifier", State.CHANGED, None)])],
)
def test_two_declared_ranges_are_compared_as_they_are_written(ours: str, theirs: str, expected: Found) -> None:
    sides = (host(declared({"markupsafe": {"specifier": one}}), kind="declared") for one in (ours, theirs))
    assert [(one.attribute, one.state, one.distance) for one in compared(sides).differences] == expected


def test_a_declared_file_says_nothing_about_the_interpreter() -> None:
    installed = section(SHOP, {"@python": {"version": "3.11.2", "role": "venv"}, "idna": {"version": "3.7"}})
    written = declared({"idna": {"version": "3.7"}})
    found = compare(host(written, kind="declared"), host(installed))
    mirrored = compare(host(installed), host(written, kind="declared"))
    assert (found.differences, mirrored.differences) == ((), ())
    assert (found.same, mirrored.same) == (1, 1)
