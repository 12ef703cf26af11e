"""Checks how the names of a module are told, by which a static check follows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.python.symbols import parsed


def defined(source: bytes, module: str, package: bool) -> set[str] | None:
    """The names that a module is told to define; None where it does not parse."""
    found = parsed(source, module, package).get("names")
    return set(found) if isinstance(found, tuple) else None


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("LIMIT = 1\n_private = 2\na: int\nb = x\n(c, *d) = x\n", {"LIMIT", "_private", "a", "b -> x", "c", "d"}),
        ("def get(url, /, a, b=1, *rest, c, d=2, **more): ...", {"get(url, /, a, b=, *rest, c, d=, **more)"}),
        ("async def get(*, c) -> X: ...\ndef _hidden(): ...", {"get(*, c)", "_hidden()"}),
        ("def get(a=1, /): ...\ndef none(): ...", {"get(a=, /)", "none()"}),
        ("@cache\n@app.route('/x')\ndef get(): ...", {"get() @cache @app.route"}),
        ("class A(Base, abc.ABC, Generic[T], f()):\n  x = 1\n  y: int\n  _z = 1\n", {
            "class A(Base, abc.ABC, Generic, …)", "A.x", "A.y",
        }),
        ("class A:\n  @property\n  def p(self):\n    self.q, self._r = 1, 2\n    if x:\n      self.s = other.t = 3\n", {
            "class A()", "A.p(self) @property", "A.q", "A.s",
        }),
        ("class A:\n  def __init__(self, a, *, b=1): ...\n  def __repr__(self): ...\n  class B(C): ...\n", {
            "class A()", "A.__init__(self, a, *, b=)", "class A.B(C)",
        }),
        ("import os\nimport a.b\nimport c.d as e\nimport _x\n", {"os < os", "a < a", "e < c.d", "_x < _x"}),
        ("from . import a\nfrom .b import c as d\nfrom ..e import f\nfrom g import *\nfrom h import _i\n", {
            "a < pkg.mod.a", "d < pkg.mod.b.c", "f < pkg.e.f", "* < g", "_i < h._i",
        }),
        ("__all__ = ['a', '_b']\n__all__ += ['c']\n__version__ = '1'\ndef __getattr__(name): ...\n", {
            "__all__", "__all__ > a", "__all__ > _b", "__all__ > c", "__version__", "__getattr__(name)",
        }),
        ("if x:\n  a = 1\nelse:\n  b = 1\ntry:\n  import c\nexcept E:\n  c = None\nfinally:\n  d = 1\n"
         "with x as e:\n  f = 1\nfor g in y:\n  pass\nmatch z:\n  case 1:\n    h = 1\n", {
            "a", "b", "c < c", "c", "d", "e", "f", "g", "h",
        }),
        ("def f() -> a.B: ...\ndef g() -> 'B[int]': ...\ndef h() -> B | None: ...\ndef i() -> Union[A, B]: ...\n", {
            "f() -> a.B(…)", "g() -> B(…)", "h() -> B(…)", "i()",
        }),
        ("def f():\n  x = A(1)\n  return x.y\ndef g(b):\n  return b.c()\ndef h():\n  if x: return 'a'\n"
         "  return f'b'\n", {
            "f() -> A(…).y", "g(b)", "h() -> str(…)",
        }),
        ("def f():\n  yield A()\n  return A()\ndef g():\n  return A()\n  return B()\n", {"f()", "g()"}),
        ("class A(B, metaclass=M):\n  def __enter__(self):\n    return self\n  def f(self):\n"
         "    return super().f()\n", {
            "class A(B, metaclass=M)", "A.__enter__(self) -> Self(…)", "A.f(self) -> super(…).f(…)",
        }),
        ("_default = Client()\nget = _default.get\nx = y = _default\n", {
            "_default -> Client(…)", "get -> _default.get", "x -> _default", "y -> _default",
        }),
        ("raise ImportError('gone')\n", {"! raise"}),
        ("if x:\n  raise ImportError\n", set()),
        ("_OLD = {'a': 1, 'b': 'c'}\n_GONE = {n for n, _ in [('d', 'e')]}\n_OLD.update({'f': 2})\n"
         "def __getattr__(name):\n  if name in _GONE:\n    raise AttributeError\n  if name == 'g':\n    return 1\n"
         "  return _OLD[name]\n", {
            "_OLD", "_GONE", "__getattr__(name)", "__getattr__ ! d", "__getattr__ > a", "__getattr__ > b",
            "__getattr__ > f", "__getattr__ > g",
        }),
        ("globals()['x'] = 1\n", {"* < …"}),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)  # fmt: skip
def test_public_names_are_told_in_one_form(source: str, names: set[str]) -> None:
    assert defined(source.encode(), "pkg.mod", package=True) == names


def test_a_relative_import_starts_at_the_package_of_the_module() -> None:
    assert defined(b"from .a import b", "pkg.mod", package=False) == {"b < pkg.a.b"}
    assert defined(b"from ..... import b", "pkg.mod", package=False) == {"b < b"}


@pytest.mark.parametrize(
    "source",
    [b"print 'two'", b"\0", b"x = " + b"(" * 5000, b"x = " + b"-" * 100_000 + b"1", b"# coding: none\n", b"\xff"],
    ids=repr,
)
def test_a_source_that_does_not_parse_has_no_names(source: bytes) -> None:
    assert defined(source, "x", package=False) is None


def test_what_is_nested_without_end_ends() -> None:
    chain = "class A(a" + ".b" * 2000 + "): ..."
    assert defined(chain.encode(), "x", package=False) in (None, {f"class {chain[6:-5]}"})


@given(st.text("abc \n\t()[]{}:=.,*@'\"\\0classdefimportfrom", max_size=80))
def test_no_source_breaks_the_reader(source: str) -> None:
    found = defined(source.encode(), "x", package=False)
    assert found is None or all(isinstance(name, str) for name in found)
