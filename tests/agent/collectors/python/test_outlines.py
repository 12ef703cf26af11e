"""Checks that an outline tells each name that a module defines, and changes where what defines it does."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from envparity_agent.collectors.interface import Options, Outline, Subject
from envparity_agent.collectors.python.environments import collect
from envparity_agent.collectors.python.outlines import outline
from envparity_agent.root import Root
from tests.agent.trees import distribution, venv

NAMES = some.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


def defined(source: str) -> set[str]:
    return {line.partition(" ")[0] for line in outline(source.encode())}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def get(url): ...\nasync def fetch(url): ...\n", {"get", "fetch"}),
        ("class Client(Base):\n    timeout = 3\n    def get(self):\n        self.last = 1\n",
         {"Client", "timeout", "get", "last"}),
        ("from .api import (\n    Client,\n    connect as dial,\n)\n", {"Client", "connect", "as", "dial"}),
        ("import json, os\n", {"json", "os"}),
        ("LIMIT: int = 3\nx == y\n", {"LIMIT"}),
        ("__all__ = ['get', 'post']\n", {"__all__", "get", "post"}),
        ("def __getattr__(name):\n    if name == 'old': return 1\n", {"__getattr__", "old"}),
    ],
)  # fmt: skip
def test_each_name_that_is_defined_is_in_the_outline(source: str, names: set[str]) -> None:
    assert defined(source) == names


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def get(url, timeout): ...\n", "def get(url): ...\n"),
        ("def get(\n    url,\n    timeout,\n): ...\n", "def get(\n    url,\n): ...\n"),
        ("class Client(Base): ...\n", "class Client: ...\n"),
    ],
)
def test_another_signature_is_another_line(before: str, after: str) -> None:
    assert outline(before.encode()) != outline(after.encode())


@given(NAMES, NAMES)
def test_what_a_function_does_and_how_it_is_laid_out_is_not_in_the_outline(name: str, parameter: str) -> None:
    one = f"def {name}({parameter}, b): return 1\n"
    other = f"def {name}(\n    {parameter}, b\n):\n    return 2 + 2\n"
    assert outline(one.encode()) == outline(other.encode())


def test_the_modules_of_what_is_asked_about_are_told_with_the_hash_of_their_file(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", {"shop/__init__.py": "def get(): ...\n", "shop/fast.abi3.so": ""})
    distribution(site, "other", "1.0", {"other.py": ""})
    with Root(str(tmp_path)) as root:
        found = list(collect(Subject(root, Options(symbols=Outline(frozenset({"shop"}))))))
    (section,) = [one for one in found if one.kind == "symbols"]
    assert section.path.startswith("outline/shop-")
    assert section.items["shop"]["names"] == outline(b"def get(): ...\n")
    assert str(section.items["shop"]["hash"]).startswith("sha256=")
    assert section.items["shop.fast"]["names"] == ()
