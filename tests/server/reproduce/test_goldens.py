"""Holds what rebuilds a target of each kind against what a person has read and found right."""

import tomllib

import pytest
from packaging.pylock import Pylock

from envparity_agent.errors import CannotTell
from envparity_server.reproduce.os_packages import Packages
from envparity_server.reproduce.reproducing import Lock, reproduce
from tests.server.making import OPERATING_SYSTEM, host, section
from tests.server.reproduce.recording import GOLDENS, made
from tests.server.reproduce.samples import SAMPLES


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_made_is_what_was_found_right(name: str) -> None:
    expected = {path.name: path.read_text() for path in (GOLDENS / name).iterdir()}
    assert made(name) == expected, "if that is meant: python -m tests.server.reproduce.recording"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_pylock_is_valid(name: str) -> None:
    locks = [text for file, text in made(name).items() if file.startswith("pylock")]
    assert locks
    for text in locks:
        Pylock.from_dict(tomllib.loads(text))


def test_a_pylock_is_made_only_where_it_is_asked_for() -> None:
    assert set(reproduce(SAMPLES["container"]).files) == {"Dockerfile", "GAPS.md", "requirements.txt"}
    gaps = {one.item for one in reproduce(SAMPLES["container"]).gaps}
    assert "@pylock" not in gaps
    assert "@pylock" in {one.item for one in reproduce(SAMPLES["container"], Lock.PYLOCK).gaps}


def test_every_item_that_no_instruction_brings_is_a_gap() -> None:
    gaps = {(one.section, one.item) for one in reproduce(SAMPLES["host"]).gaps}
    assert {
        ("container/web", ""), ("containers", ""), ("os/machine", ""), ("services/shop", ""), ("python/opt/conda", ""),
        ("os/settings", "timezone"), ("os-packages", "curl"), ("os/libraries", "libown.so.1"),
        ("python/usr/lib/python3.11", "byhand"), ("python/tools", "@python"),
    } <= gaps  # fmt: skip
    assert not {("os-packages", "python3.11"), ("os-packages", "libpq5"), ("python/tools", "six")} & gaps


def test_all_packages_are_pinned_where_that_is_wanted() -> None:
    made = reproduce(SAMPLES["container"], packages=Packages.ALL)
    assert "    curl=7.88.1-10 " in made.files["Dockerfile"]
    assert {one.item for one in made.gaps if one.section == "os-packages"} == {"half"}


def test_what_has_neither_a_system_nor_packages_cannot_be_rebuilt() -> None:
    with pytest.raises(CannotTell, match="neither an operating system nor Python packages"):
        reproduce(host(section("os/machine", {"kernel": {"release": "6.1"}}, kind="machine")))


@pytest.mark.parametrize("kind", ["dockerfile", "compose"])
def test_a_recipe_is_not_written_again(kind: str) -> None:
    with pytest.raises(CannotTell, match="is itself what images are built from"):
        reproduce(host(OPERATING_SYSTEM, name="Dockerfile", kind=kind))
