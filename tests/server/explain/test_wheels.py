"""Tests of wheels that an interpreter or a system cannot load, and of who is to blame for it."""

import pytest

from envparity_agent.fingerprint import Attributes, Section
from tests.server.explain.situations import GLIBC, Found, causes, dist, environment
from tests.server.making import host, section


def sides(
    good: Attributes, bad: Attributes, python: str = "3.11.7", system: dict[str, Attributes] | None = None
) -> dict[str, Found]:
    """The causes between two environments with one distribution."""

    def side(body: Attributes, version: str, items: dict[str, Attributes]) -> tuple[Section, ...]:
        return section("python"), environment({"numpy": body}, version), section("os", items)

    return causes(host(*side(good, "3.11.7", dict(GLIBC))), host(*side(bad, python, {**GLIBC, **(system or {})})))


FOR_311 = dist("1.26", tags=("cp311-cp311-manylinux_2_17_x86_64",))


def test_an_interpreter_that_cannot_load_what_was_built_for_another_is_to_blame() -> None:
    assert sides(FOR_311, FOR_311, python="3.12.1")["@python"].says("numpy 1.26", "not for Python 3.12")


def test_a_distribution_that_came_for_another_interpreter_is_to_blame() -> None:
    found = sides(FOR_311, dist("1.26.1", tags=("cp310-cp310-manylinux_2_17_x86_64",)))
    assert found["numpy"].says("cp310", "not for Python 3.11")


@pytest.mark.parametrize(
    ("tags", "python", "loads"),
    [
        (("cp311-cp311-linux_x86_64",), "3.11.7", True),
        (("cp38-abi3-manylinux_2_17_x86_64",), "3.11.7", True),
        (("cp312-abi3-manylinux_2_17_x86_64",), "3.11.7", False),
        (("py3-none-any",), "3.12.1", True),
        (("py2-none-any", "py3-none-any"), "3.12.1", True),
        (("cp310-cp310-linux_x86_64", "cp311-cp311-linux_x86_64"), "3.11.7", True),
        (("pp39-pypy39_pp73-linux_x86_64",), "3.11.7", False),
        (("nonsense",), "3.11.7", True),
    ],
)
def test_what_an_interpreter_loads_is_read_from_the_tags(tags: tuple[str, ...], python: str, loads: bool) -> None:
    found = sides(dist("1.0", tags=("py3-none-any",)), dist("2.0", tags=tags), python=python)
    assert found["numpy"].says("not for Python") != loads


def test_another_c_library_is_to_blame_for_wheels_that_it_does_not_run() -> None:
    musl: dict[str, Attributes] = {"libc": {"family": "musl", "version": "1.2.4"}}
    found = sides(FOR_311, FOR_311, system=musl)
    assert found["libc"].says("manylinux_2_17", "the bad side has musl 1.2.4")


@pytest.mark.parametrize(
    ("platform", "runs"),
    [
        ("manylinux_2_28_x86_64", True),
        ("manylinux_2_39_x86_64", False),
        ("manylinux2014_x86_64", True),
        ("manylinux2014_aarch64", False),
        ("musllinux_1_2_x86_64", False),
        ("linux_x86_64", True),
        ("any", True),
    ],
)
def test_a_wheel_for_another_system_is_to_blame(platform: str, runs: bool) -> None:
    found = sides(FOR_311, dist("2.0", tags=(f"cp311-cp311-{platform}",)))
    assert found["numpy"].says("the bad side has glibc 2.36 on x86_64") != runs
