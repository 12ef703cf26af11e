"""Checks that an outline tells each name that a module defines, and changes where what defines it does."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from envparity_agent.collectors.interface import Options, Outline, Subject
from envparity_agent.collectors.python.environments import collect
from envparity_agent.collectors.python.outlines import MODULES_FOR_EACH, outline
from envparity_agent.fingerprint import Section
from envparity_agent.root import Root
from tests.agent.trees import distribution, venv

NAMES = some.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


def sections(root: Path, *distributions: str) -> list[Section]:
    """The outlines of distributions below a root."""
    with Root(str(root)) as opened:
        found = collect(Subject(opened, Options(symbols=Outline(frozenset(distributions)))))
        return [one for one in found if one.kind == "symbols"]


def defined(source: str) -> set[str]:
    return {re.split(r"[ (]", line.removeprefix("class "))[0] for line in outline(source.encode())}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def get(url): ...\nasync def fetch(url): ...\n", {"get", "fetch"}),
        ("class Client(Base):\n    timeout = 3\n    def get(self):\n        self.last = 1\n",
         {"Client", "timeout", "get", "last"}),
        ("from .api import (\n    Client,  # noqa\n    connect as dial,\n)\n", {"Client", "connect", "dial"}),
        ("import json, os\n", {"json", "os"}),
        ("LIMIT: int = 3\nx == y\n", {"LIMIT"}),
        ("def get():\n    kept = 1\n    def inner(): ...\nif True:\n    LIMIT = 3\n", {"get", "LIMIT"}),
        ("class Own:\n    def get(self):\n        import json\n    if 1:\n        def post(self): ...\n",
         {"Own", "get", "post"}),
        ("__all__ = ['get', 'post']\nx = 'text'\n", {"__all__", "get", "post", "x"}),
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
        ("def get(url, timeout): ...\n", "def get(url, timeout=1): ...\n"),
        ("def get(url=(1, 2), timeout=3): ...\n", "def get(url=(1, 2)): ...\n"),
        ("class Client(Base): ...\n", "class Client: ...\n"),
    ],
)
def test_another_signature_is_another_line(before: str, after: str) -> None:
    assert outline(before.encode()) != outline(after.encode())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def get(url, timeout=1): ...\n", "def get(url, timeout=2): ...\n"),
        ("def get(url, more): ...\n", "def get(url: str, more: dict[str, list[int]]) -> None: ...\n"),
    ],
)
def test_how_parameters_are_annotated_and_what_their_defaults_are_is_not_in_the_outline(
    before: str, after: str
) -> None:
    assert outline(before.encode()) == outline(after.encode())


@given(NAMES, NAMES)
def test_what_a_function_does_and_how_it_is_laid_out_is_not_in_the_outline(name: str, parameter: str) -> None:
    one = f"def {name}({parameter}, b): return 1\n"
    other = f"def {name}(\n    {parameter}, b\n):\n    return 2 + 2\n"
    assert outline(one.encode()) == outline(other.encode())


def test_the_modules_of_what_is_asked_about_are_told_with_the_hash_of_their_file(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", {"shop/__init__.py": "def get(): ...\n", "shop/fast.abi3.so": ""})
    distribution(site, "other", "1.0", {"other.py": "import shop\n"})
    (section,) = sections(tmp_path, "shop")
    assert section.path.startswith("outline/shop-")
    assert section.items["shop"]["names"] == outline(b"def get(): ...\n")
    assert str(section.items["shop"]["hash"]).startswith("sha256=")
    assert section.items["shop.fast"]["names"] == ()


def test_of_what_no_other_distribution_imports_only_hashes_are_told(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", {"shop/__init__.py": "", "shop/api.py": "from shop import x\n"})
    (section,) = sections(tmp_path, "shop")
    assert {module: set(body) for module, body in section.items.items()} == {"shop": {"hash"}, "shop.api": {"hash"}}


@pytest.mark.parametrize(("size", "told"), [(MODULES_FOR_EACH, {"hash", "names"}), (MODULES_FOR_EACH + 1, {"hash"})])
def test_of_a_large_package_that_few_import_only_hashes_are_told(tmp_path: Path, size: int, told: set[str]) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "user", "1.0", {"user.py": "import shop\n"})
    distribution(site, "shop", "1.0", {f"shop/m{number}.py": "x = 1\n" for number in range(size)})
    [section] = sections(tmp_path, "shop")
    assert {frozenset(body) for body in section.items.values()} == {frozenset(told)}


def test_a_module_that_others_test_with_is_told_and_a_package_of_own_tests_is_not(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    distribution(site, "shop", "1.0", {"shop/test.py": "", "shop/tests/a.py": "", "shop/test_b.py": ""})
    (section,) = sections(tmp_path, "shop")
    assert set(section.items) == {"shop.test"}
