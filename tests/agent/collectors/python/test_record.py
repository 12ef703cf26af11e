"""Checks how the content of a distribution is identified, whoever installed it."""

import csv
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.python.record import content_ids, rows

IDS = ("content", "code", "pure")

# the same wheel by pip (CRLF, its own files) and by uv (LF), as they wrote it
BY_PIP = (
    "../../../bin/shop,sha256=o5x,208\r\n"
    "shop-1.0.dist-info/INSTALLER,sha256=zuu,4\r\n"
    "shop-1.0.dist-info/METADATA,sha256=meta,50\r\n"
    "shop-1.0.dist-info/RECORD,,\r\n"
    "shop-1.0.dist-info/REQUESTED,sha256=47D,0\r\n"
    "shop-1.0.dist-info/direct_url.json,sha256=url,90\r\n"
    "shop/__init__.py,sha256=init,30\r\n"
    "shop/__pycache__/__init__.cpython-311.pyc,,\r\n"
    "shop/data.txt,sha256=data,5\r\n"
)
BY_UV = (
    "shop/data.txt,sha256=data,5\n"
    "shop/__init__.py,sha256=init,30\n"
    "shop-1.0.dist-info/METADATA,sha256=meta,50\n"
    "shop-1.0.dist-info/INSTALLER,sha256=5hh,2\n"
    "shop-1.0.dist-info/uv_cache.json,sha256=cac,100\n"
    "shop-1.0.dist-info/direct_url.json,sha256=other,99\n"
    "shop-1.0.dist-info/RECORD,,\n"
    "../../../bin/shop,sha256=abc,300\n"
)


def ids(text: str, entry: str = "shop-1.0.dist-info") -> Mapping[str, Any]:
    return content_ids(text.encode(), entry)


def test_content_is_equal_for_pip_and_uv() -> None:
    assert set(ids(BY_PIP)) == set(IDS)
    assert ids(BY_PIP) == ids(BY_UV)


@pytest.mark.parametrize(
    "rewritten",
    [
        BY_PIP.replace("\r\n", "\n"),
        BY_PIP.replace("../../../bin/shop", "/usr/local/bin/shop"),
        BY_PIP.replace("shop/data.txt", r"shop\data.txt"),
        BY_PIP.replace("shop/data.txt", '"shop/data.txt"'),
        BY_PIP + "shop/data.txt,sha256=data,5\r\n",
        BY_PIP + "shop/legacy.pyc,sha256=x,1\r\nshop/__pycache__/main.nbi,sha256=x,1\r\n",
        BY_PIP + "C:/Scripts/shop.exe,sha256=x,1\r\n\r\n",
        BY_PIP + "shop-1.0.dist-info/RECORD.jws,sha256=x,1\r\nshop-1.0.dist-info/provenance_url.json,sha256=x,1\r\n",
    ],
)
def test_what_depends_on_the_installation_is_no_content(rewritten: str) -> None:
    assert ids(rewritten) == ids(BY_PIP)


def test_the_name_of_the_metadata_directory_is_no_content() -> None:
    renamed = BY_PIP.replace("shop-1.0.dist-info", "Shop-1.0.dist-info")
    assert ids(renamed, "Shop-1.0.dist-info") == ids(BY_PIP)


def changed_by(old: str, new: str) -> set[str]:
    before, after = ids(BY_PIP), ids(BY_PIP.replace(old, new))
    return {kind for kind in IDS if before[kind] != after[kind]}


def test_another_file_is_other_content_of_just_its_kinds() -> None:
    assert changed_by("sha256=init", "sha256=patched") == {"content", "code", "pure"}
    assert changed_by("sha256=data", "sha256=patched") == {"content", "code"}
    assert changed_by("sha256=meta", "sha256=patched") == {"content"}
    assert changed_by("shop/data.txt", "shop/more.txt") == {"content", "code"}


def test_a_record_that_is_no_table_is_a_problem() -> None:
    assert ids(f"shop/{'x' * 200_000}.py,sha256=a,1\n") == {"problem": "RECORD: invalid"}


@given(st.binary(max_size=200))
def test_no_record_is_more_than_a_problem(noise: bytes) -> None:
    assert set(content_ids(noise, "shop-1.0.dist-info")) in ({"problem"}, set(IDS))


@given(
    st.lists(
        st.tuples(
            st.text('ab+-_.,/ "\\é', min_size=1, max_size=8),
            st.sampled_from(["", "sha256=a", "sha256=b,c"]),
        ),
        max_size=8,
    )
)
def test_the_ids_do_not_depend_on_how_a_table_is_written(listed: list[tuple[str, str]]) -> None:
    """Quoted where nothing asks for it, in another order, twice, with other ends of lines: the same files."""

    def written(*lines: tuple[str, str], quote: str = "", end: str = "\n") -> Mapping[str, Any]:
        quoted = [
            [f'"{cell.replace(chr(34), chr(34) * 2)}"' if set(cell) & set(f'",{quote}') else cell for cell in line]
            for line in lines
        ]
        return ids("".join(f"{path},{hash},1{end}" for path, hash in quoted))

    plain = written(*listed)
    assert written(*reversed(listed), *listed, end="\r\n") == plain
    assert written(*listed, quote="abcdefghijklmnopqrstuvwxyz+-_./") == plain


def test_a_path_that_goes_on_where_another_ends_changes_no_order() -> None:
    assert ids("a+b.py,sha256=1,1\na,sha256=2,1\n") == ids('a,sha256=2,1\n"a+b.py",sha256=1,1\n')


def test_rows_have_their_sizes_where_they_tell_one() -> None:
    found = list(rows(b"a/b.py,sha256=x,12\r\na\\c.py,,\nd\n\ne,sha256=y,-1\n"))
    assert [(row.path, row.hash, row.size) for row in found] == [
        ("a/b.py", "sha256=x", 12),
        ("a/c.py", "", None),
        ("d", "", None),
        ("e", "sha256=y", None),
    ]


@given(st.binary(max_size=200))
def test_no_table_has_more_than_an_error(noise: bytes) -> None:
    with suppress(csv.Error):
        assert all(row.size is None or row.size >= 0 for row in rows(noise))
