"""Checks that the sources of an editable installation are found from text that is never run."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.python.editable import finder_mapping
from envparity_agent.collectors.python.environments import Neighbours, collect
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Section
from envparity_agent.root import Root
from tests.agent.trees import distribution, put, venv

PTH = "__editable__.shop-1.0.pth"
FINDER = "__editable___shop_1_0_finder.py"


def read(root: Path, checkouts: dict[str, Attributes] | None = None) -> Section:
    """The environment `app`, with what is known of these directories as checkouts."""

    def checkout(_: Root, directory: str, __: Memory, ___: set[str]) -> Attributes:
        if directory not in (checkouts or {}):
            raise Unreadable(directory, Reason.PERMISSION)
        return (checkouts or {})[directory]

    with Root(str(root)) as opened:
        [section] = collect(Subject(opened, only="app"), lambda _: Neighbours(owner=lambda _: None, checkout=checkout))
    return section


def editable(root: Path, **files: str) -> Path:
    """A distribution whose RECORD lists helpers of setuptools'."""
    site = venv(root, "app")
    distribution(site, "shop", "1.0", files)
    return site


def test_a_checkout_tells_the_commit_and_the_changes_of_what_lies_in_it(tmp_path: Path) -> None:
    folder = distribution(venv(tmp_path, "app"), "shop", "1.0")
    put(folder, "direct_url.json", json.dumps({"url": "file:///srv/shop", "dir_info": {"editable": True}}))
    checkout: dict[str, Any] = {"commit": "0123", "dirty": True, "changes": "sha256:1", "branch": "main"}
    found = read(tmp_path, {"srv/shop": checkout}).items["shop"]
    assert (found["head"], found["dirty"], found["changes"], found["editable"]) == ("0123", True, "sha256:1", True)
    assert not {"commit", "branch"} & found.keys()


def test_a_checkout_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    folder = distribution(venv(tmp_path, "app"), "shop", "1.0")
    put(folder, "direct_url.json", json.dumps({"url": "file:///srv/shop", "dir_info": {"editable": True}}))
    section = read(tmp_path)
    assert "head" not in section.items["shop"]
    assert section.reasons == (Reason.PERMISSION,)


def test_what_is_not_editable_lies_in_no_checkout(tmp_path: Path) -> None:
    folder = distribution(venv(tmp_path, "app"), "shop", "1.0")
    put(folder, "direct_url.json", json.dumps({"url": "file:///srv/shop", "dir_info": {}}))
    assert "head" not in read(tmp_path, {"srv/shop": {"commit": "0123"}}).items["shop"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (PTH, "/srv/shop/src\n"),
        (FINDER, "import sys\nMAPPING: dict[str, str] = {'shop': '/srv/shop/src/shop'}\nNAMESPACES = {}\n"),
        (FINDER, "MAPPING = {'a': '/srv/shop/src/a', 'b': '/srv/shop/src/b.py'}\n"),
    ],
)
def test_without_a_direct_url_the_helpers_of_setuptools_lead_to_the_sources(
    tmp_path: Path, name: str, text: str
) -> None:
    editable(tmp_path, **{name: text})
    found = read(tmp_path, {"srv/shop/src": {"commit": "0123"}}).items["shop"]
    assert (found["editable"], found["head"]) == (True, "0123")


def test_the_metadata_in_the_source_tree_is_no_second_distribution(tmp_path: Path) -> None:
    site = venv(tmp_path, "app")
    folder = distribution(site, "shop", "1.0", {PTH: "/srv/shop/src\n"})
    put(folder, "direct_url.json", json.dumps({"url": "file:///srv/shop", "dir_info": {"editable": True}}))
    put(tmp_path, "srv/shop/src/shop.egg-info/PKG-INFO", "Name: shop\nVersion: 1.0\n")
    put(tmp_path, "srv/shop/src/other.egg-info/PKG-INFO", "Name: other\nVersion: 2.0\n")
    assert set(read(tmp_path).items) == {"@python", "shop", "other"}


def test_an_egg_link_leads_to_the_metadata_and_to_the_sources(tmp_path: Path) -> None:
    site = venv(tmp_path, "app")
    put(site, "My-Shop.egg-link", "/srv/shop/src\n../")
    put(site, "easy-install.pth", "/srv/shop/src\n")
    put(tmp_path, "srv/shop/src/my_shop.egg-info/PKG-INFO", "Name: my_shop\nVersion: 1.0\n")
    put(tmp_path, "srv/shop/src/my_shop.egg-info/requires.txt", "idna\n[test]\nsix\n")
    section = read(tmp_path, {"srv/shop": {"commit": "0123", "dirty": False}})
    assert set(section.items) == {"@python", "my-shop"}
    found = section.items["my-shop"]
    assert (found["version"], found["form"], found["editable"]) == ("1.0", "egg-link", True)
    assert (found["head"], found["dirty"], found["source"]) == ("0123", False, "file:///srv/shop")
    assert found["unmet"] == ("idna (not installed)",)


def test_an_egg_link_that_leads_nowhere_is_a_problem(tmp_path: Path) -> None:
    put(venv(tmp_path, "app"), "shop.egg-link", "/srv/gone\n.")
    assert read(tmp_path).items["shop"]["problem"] == "no metadata"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MAPPING = open('/canary', 'w')\n",
        "MAPPING = {'a': open('/canary', 'w')}\n",
        "MAPPING = {'a': 1, 2: 'b'}\n",
        "MAPPING = {" + "(" * 10_000 + "\n",
        "MAPPING = {'a': '\\d'\n",
        "MAPPING" + " " * 100_000 + "{}\n",
    ],
    ids=lambda text: text[:24],
)
def test_a_finder_without_a_mapping_of_texts_leads_nowhere(text: str) -> None:
    assert finder_mapping(text) == {}


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3))
def test_the_mapping_of_a_finder_is_read_back(mapping: dict[str, str]) -> None:
    assert finder_mapping(f"import sys\nMAPPING: dict[str, str] = {mapping!r}\nNAMESPACES = {{}}\n") == mapping


@given(st.text(max_size=60))
def test_no_finder_is_more_than_a_mapping(noise: str) -> None:
    assert isinstance(finder_mapping(f"MAPPING = {{{noise}"), dict)
