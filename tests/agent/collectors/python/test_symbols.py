"""Checks the public names of a distribution's modules, which are parsed and never imported."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.interface import Options, Subject
from envparity_agent.collectors.python.environments import collect
from envparity_agent.collectors.python.symbols import public_names
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.trees import distribution, put, venv


def sections(root: Path) -> list[Section]:
    """The sections of symbols of the environments below a root."""
    options = Options(symbols=True)
    with Root(str(root)) as opened:
        return [one for one in collect(Subject(opened, options)) if one.kind == "symbols"]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("LIMIT = 1\n_private = 2\na: int\nb, (c, *d) = x\n", {"LIMIT", "a", "b", "c", "d"}),
        ("def get(url, /, a, b=1, *rest, c, d=2, **more): ...", {"get(url, /, a, b=, *rest, c, d=, **more)"}),
        ("async def get(*, c): ...\ndef _hidden(): ...", {"get(*, c)"}),
        ("def get(a=1, /): ...\ndef none(): ...", {"get(a=, /)", "none()"}),
        ("@cache\n@app.route('/x')\ndef get(): ...", {"get() @cache @app.route"}),
        ("class A(Base, abc.ABC, Generic[T], f()):\n  x = 1\n  y: int\n  _z = 1\n", {
            "A(Base, abc.ABC, Generic, …)", "A.x", "A.y",
        }),
        ("class A:\n  @property\n  def p(self):\n    self.q, self._r = 1, 2\n    if x:\n      self.s = other.t = 3\n", {
            "A()", "A.p(self) @property", "A.q", "A.s",
        }),
        ("class A:\n  def __init__(self, a, *, b=1): ...\n  def __repr__(self): ...\n  class B(C): ...\n", {
            "A()", "A.__init__(self, a, *, b=)", "A.B(C)",
        }),
        ("import os\nimport a.b\nimport c.d as e\nimport _x\n", {"os < os", "a < a", "e < c.d"}),
        ("from . import a\nfrom .b import c as d\nfrom ..e import f\nfrom g import *\nfrom h import _i\n", {
            "a < pkg.mod.a", "d < pkg.mod.b.c", "f < pkg.e.f", "* < g",
        }),
        ("__all__ = ['a', '_b']\n__all__ += ['c']\n__version__ = '1'\ndef __getattr__(name): ...\n", {
            "__all__ > a", "__all__ > _b", "__all__ > c", "__version__", "__getattr__(name)",
        }),
        ("if x:\n  a = 1\nelse:\n  b = 1\ntry:\n  import c\nexcept E:\n  c = None\nfinally:\n  d = 1\n"
         "with x as e:\n  f = 1\nfor g in y:\n  pass\nmatch z:\n  case 1:\n    h = 1\n", {
            "a", "b", "c < c", "c", "d", "e", "f", "g", "h",
        }),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)  # fmt: skip
def test_public_names_are_told_in_one_form(source: str, names: set[str]) -> None:
    assert public_names(source.encode(), "pkg.mod", package=True) == names


def test_a_relative_import_starts_at_the_package_of_the_module() -> None:
    assert public_names(b"from .a import b", "pkg.mod", package=False) == {"b < pkg.a.b"}
    assert public_names(b"from ..... import b", "pkg.mod", package=False) == {"b < b"}


@pytest.mark.parametrize(
    "source",
    [b"print 'two'", b"\0", b"x = " + b"(" * 5000, b"x = " + b"-" * 100_000 + b"1", b"# coding: none\n", b"\xff"],
    ids=repr,
)
def test_a_source_that_does_not_parse_has_no_names(source: bytes) -> None:
    assert public_names(source, "x", package=False) is None


def test_what_is_nested_without_end_ends() -> None:
    chain = "class A(a" + ".b" * 2000 + "): ..."
    assert public_names(chain.encode(), "x", package=False) in (None, {chain[6:-5]})


@given(st.text("abc \n\t()[]{}:=.,*@'\"\\0classdefimportfrom", max_size=80))
def test_no_source_breaks_the_reader(source: str) -> None:
    found = public_names(source.encode(), "x", package=False)
    assert found is None or all(isinstance(name, str) for name in found)


def test_every_module_of_a_distribution_is_an_item_and_none_is_imported(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    site = venv(tmp_path, "srv/app")
    files = {
        "shop/__init__.py": f"open({str(canary)!r}, 'w')\nfrom .api import Client\n",
        "shop/api.py": "class Client: ...\n",
        "shop/native.cpython-311-x86_64-linux-gnu.so": "ELF",
        "shop/fast.cpython-311-x86_64-linux-gnu.so": "ELF",
        "shop/fast.pyi": "def run(a: int = ...) -> None: ...\n",
        "shop/old.py": "print 'two'\n",
        "shop/not-a-module.py": "x = 1\n",
        "shop.libs/x.py": "x = 1\n",
        "single.py": "y = 1\n",
    }
    distribution(site, "shop", "1.0", files)
    [section] = sections(tmp_path)
    assert section.path.startswith("symbols/shop-")
    assert section.items == {
        "shop": {"names": ("Client < shop.api.Client",)},
        "shop.api": {"names": ("Client()",)},
        "shop.fast": {"names": ("run(a=)",)},
        "shop.native": {},
        "shop.old": {},
        "single": {"names": ("y",)},
    }
    assert not canary.exists()


def test_equal_content_is_told_once_and_other_content_as_well(tmp_path: Path) -> None:
    for name, text in (("a", "one"), ("b", "one"), ("c", "other")):
        distribution(venv(tmp_path, f"srv/{name}"), "shop", "1.0", {"shop.py": f"{text} = 1\n"})
    assert {tuple(one.items["shop"]["names"] or ()) for one in sections(tmp_path)} == {("one",), ("other",)}  # type: ignore[arg-type]  # names are texts
    assert len(sections(tmp_path)) == 2


def test_a_source_that_is_too_large_is_not_parsed_and_that_is_said(tmp_path: Path) -> None:
    distribution(venv(tmp_path, "srv/app"), "shop", "1.0", {"shop.py": "x = 1\n" * 100_000, "small.py": "y = 1\n"})
    [section] = sections(tmp_path)
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.CAP,))
    assert section.items == {"shop": {}, "small": {"names": ("y",)}}


def test_what_is_editable_or_lists_no_files_has_no_symbols(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    put(distribution(site, "shop", "1.0"), "direct_url.json", '{"url": "file:///s", "dir_info": {"editable": true}}')
    put(site, "old-1.0.egg-info", "Name: old\nVersion: 1.0\n")
    assert sections(tmp_path) == []
