"""Checks what a module is told to use of others, by which a static check finds links that break."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.python.symbols import parsed


def used(source: str, whole: bool = False) -> set[str]:
    """What the module `pkg.mod` is told to use."""
    found = parsed(source.encode("utf-8", "surrogatepass"), "pkg.mod", False, whole).get("uses")
    return set(found) if isinstance(found, tuple) else set()


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("import a.b, c as d\nfrom e import f as g\nfrom . import h\nfrom .i import *\n", {
            "1 import a.b", "1 import c", "2 from e import f", "3 from pkg import h", "4 from pkg.i import *",
        }),
        ("try:\n  import a\nexcept ImportError:\n  import b\nelse:\n  import c\nfinally:\n  import d\n", {
            "2g import a", "4cg import b", "6c import c", "8c import d",
        }),
        ("try:\n  import a\nexcept ImportError:\n  raise E('b')\ntry:\n  import b\nexcept KeyError:\n  pass\n", {
            "2 import a", "6 import b",
        }),
        ("from contextlib import suppress\nwith suppress(ImportError):\n  import a\n", {
            "1 from contextlib import suppress", "2 contextlib.suppress(1)", "3g import a",
        }),
        ("if TYPE_CHECKING:\n  import a\nelif x:\n  import b\ndef f():\n  import c\n", {
            "2t import a", "4c import b", "6f import c",
        }),
        ("import a as np\nx = np.float\nnp.b.c = 1\ny = np.zeros(3, *z, dtype=np.d, **k)\n", {
            "1 import a", "2 a.float", "3 a.b", "4 a.zeros(1, *, dtype=, **)", "4 a.d",
        }),
        ("import a\ndef f(a): return a.b\ndef g(): a = 1; return a.c\ndef h(): return [a.d for a in x]\n", {
            "1 import a",
        }),
        ("from a import f\ne = f(1)\ne.g(2)\nwith f(3) as h:\n  h.i()\n", {
            "1 from a import f", "2 a.f(1)", "3 a.f(1).g(1)", "5 a.f(1).__enter__(0).i(0)",
        }),
        ("from a import f\ne = f(1)\ne = 2\ne.g\n", {"1 from a import f", "2 a.f(1)"}),
        ("from a import B\ndef f(x: B, y: 'B'): return x.c\n", {"1 from a import B", "2f a.B(…).c"}),
        ("import a\nclass C(a.B):\n  def __init__(self):\n    super().__init__(x=1)\n    self.d = a.D()\n"
         "  def e(self):\n    self.d.f(1); self.g(); self.e()\n", {
            "1 import a", "2 class C(a.B)", "4f a.B(…).__init__(0, x=)", "5f a.D(0)", "7f a.D(0).f(1)",
            "7f a.B(…).g(0)",
        }),
        ("b = None\ndef f():\n  global b\n  import a as b\ndef g():\n  return b.c\n", {"4f import a", "6f a.c"}),
        ("try:\n  import a\nexcept ImportError:\n  a = None\na.b\n", {"2g import a", "5 a.b"}),
        ("import a\nif x:\n  a.b\ndef f():\n  a.b\na.b\n", {"1 import a", "6 a.b"}),
        ("import a\n@a.b(1)\ndef f(x=a.c) -> a.d: ...\ng = lambda y=a.e: a.f\n", {
            "1 import a", "2 a.b(1)", "3 a.c", "3 a.d", "4 a.e", "4f a.f",
        }),
        ("from __future__ import annotations\nimport a\ndef f(x: a.b): ...\n", {
            "1 from __future__ import annotations", "2 import a",
        }),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)  # fmt: skip
def test_uses_are_told_in_one_form(source: str, uses: set[str]) -> None:
    assert used(source) == uses


def test_of_its_own_package_a_module_tells_imports_only_unless_all_is_asked_for() -> None:
    source = "from pkg.other import f\nf(1)\n"
    assert used(source) == {"1 from pkg.other import f"}
    assert used(source, whole=True) == {"1 from pkg.other import f", "2 pkg.other.f(1)"}


@pytest.mark.parametrize(
    "source",
    ["import a\n" + "a" + ".b" * 3000, "import a\nx = " + "a.f(" * 150 + ")" * 150, "import a\na" + "()" * 500],
    ids=["attributes", "arguments", "calls"],
)
def test_what_is_nested_without_end_ends(source: str) -> None:
    assert "1 import a" in used(source) or not parsed(source.encode(), "x", False)


@given(st.text("abc \n\t()[]{}:=.,*@'\"\\0classdefimportfromwithasglobaltry", max_size=120))
def test_no_source_breaks_the_reader(source: str) -> None:
    assert all(use[0].isdigit() for use in used(source))


_NAMES = st.sampled_from(["alpha", "beta", "gamma"])


@given(_NAMES, st.lists(_NAMES, min_size=1, max_size=4), st.integers(0, 3), st.sets(_NAMES))
def test_a_use_that_is_written_is_found_again(module: str, path: list[str], count: int, keywords: set[str]) -> None:
    arguments = ", ".join([*["1"] * count, *(f"{one}=2" for one in sorted(keywords))])
    source = f"import {module} as m\nif m:\n    x = m.{'.'.join(path)}({arguments})\n"
    ast.parse(source)
    told = ", ".join([str(count), *(f"{one}=" for one in sorted(keywords))])
    assert used(source) == {f"1 import {module}", f"3c {module}.{'.'.join(path)}({told})"}
