"""Checks which modules a RECORD says that a distribution has."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as some

from envparity_agent.collectors.python.modules import ModuleFile, modules

NAMES = some.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_source_comes_before_a_stub_and_a_stub_before_a_binary(end: str) -> None:
    rows = ("fast.abi3.so,,", "fast.pyi,,", "shop/__init__.pyi,,", "shop/__init__.py,sha256=a,3", "only.so,sha256=b,2")
    assert modules(end.join(rows).encode()) == {
        "fast": ModuleFile("fast.pyi", ""),
        "only": ModuleFile("only.so", "sha256=b"),
        "shop": ModuleFile("shop/__init__.py", "sha256=a"),
    }


@pytest.mark.parametrize(
    "path",
    [
        "shop/not-a-module.py", "shop.libs/x.py", "../../../bin/x.py", "/usr/x.py", "shop-1.0.dist-info/x.py",
        "shop/__pycache__/api.cpython-311.pyc", "shop/api.pyx", "shop/api.py.orig", "a b/c.py",
    ],
)  # fmt: skip
def test_what_does_not_import_from_the_site_directory_is_no_module(path: str) -> None:
    assert modules(f"{path},,\n".encode()) == {}


@given(some.lists(some.lists(NAMES, min_size=1, max_size=3), max_size=6), some.booleans())
def test_each_module_is_found_however_the_table_is_quoted(parts: list[list[str]], quoted: bool) -> None:
    written = StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL) if quoted else csv.writer(written)
    writer.writerows(["/".join(one) + ".py", "sha256=a", "1"] for one in parts)
    assert {one.path for one in modules(written.getvalue().encode()).values()} == {
        "/".join(one) + ".py" for one in parts
    }


def test_a_path_with_backslashes_is_one_with_slashes() -> None:
    assert modules(b"shop\\api.py,sha256=a,1\n") == {"shop.api": ModuleFile("shop/api.py", "sha256=a")}
