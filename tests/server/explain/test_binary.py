"""Checks that what was compiled for another major version of what it is linked with is found."""

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint, Section, Target
from envparity_server.compare.differences import compare
from envparity_server.explain.binary import binary
from envparity_server.explain.model import Situation

NATIVE, PURE = ("cp311-cp311-manylinux_2_17_x86_64",), ("py3-none-any",)


def side(items: dict[str, Attributes]) -> Fingerprint:
    section = Section("python/app", "python", 2, items)
    return Fingerprint(Target("python", "/srv/app"), "2026-01-01T00:00:00+00:00", {"python/app": section})


def found(versions: tuple[str, str], tags: tuple[str, ...], user: Attributes) -> list[str]:
    good, bad = (side({"lib": {"version": one, "tags": tags}, "user": user}) for one in versions)
    return [one.text for one in binary(Situation(good, bad, compare(good, bad)))]


def test_compiled_modules_over_another_major_version_are_evidence() -> None:
    user: Attributes = {"version": "1.5", "tags": NATIVE, "requires": ("lib>=1", "six")}
    assert found(("1.26.4", "2.0.2"), NATIVE, user) == [
        "user 1.5 has compiled modules and requires lib, whose compiled modules moved from 1.26.4 to 2.0.2: "
        "what was built against one major version may not load with another"
    ]


@pytest.mark.parametrize(
    ("versions", "tags", "user"),
    [
        (("1.25", "1.26"), NATIVE, {"version": "1", "tags": NATIVE, "requires": ("lib",)}),
        (("1.0", "2.0"), PURE, {"version": "1", "tags": NATIVE, "requires": ("lib",)}),
        (("1.0", "2.0"), NATIVE, {"version": "1", "tags": PURE, "requires": ("lib",)}),
        (("1.0", "2.0"), NATIVE, {"version": "1", "tags": NATIVE, "requires": ("library",)}),
        (("1.0", "2.0"), NATIVE, {"version": "1", "tags": NATIVE, "requires": ('lib; extra == "x"',)}),
        (("1.0", "2.0"), NATIVE, {"version": "1", "tags": NATIVE}),
    ],
)
def test_whatever_else_changed_is_none(versions: tuple[str, str], tags: tuple[str, ...], user: Attributes) -> None:
    assert found(versions, tags, user) == []
