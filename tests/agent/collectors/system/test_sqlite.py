"""Checks the reader of SQLite files against SQLite itself, and that no file makes it loop or leave its bounds."""

import os
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envparity_agent.collectors.system.sqlite import MAX_FILE, MAX_RECORD, Tables, Value
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason

values = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(max_size=50),
    st.binary(max_size=50), st.integers(0, 20_000).map(bytes),
)  # fmt: skip


def rows(path: Path, table: str = "t") -> list[dict[str, Value]]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return list(Tables(descriptor, str(path)).rows(table))
    finally:
        os.close(descriptor)


def made(path: Path, schema: str, found: list[tuple[object, ...]], *pragmas: str) -> Path:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        for pragma in pragmas:
            database.execute(f"PRAGMA {pragma}")
        database.execute(schema)
        if found:
            database.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(found[0]))})", found)  # noqa: S608  # marks
    return path


def reason(path: Path) -> str:
    with pytest.raises(Unreadable) as refused:
        rows(path)
    return refused.value.reason


@settings(max_examples=30)
@given(
    found=st.lists(st.tuples(values, values), max_size=40),
    size=st.sampled_from((512, 1024, 4096, 65536)),
    encoding=st.sampled_from(("UTF-8", "UTF-16le", "UTF-16be")),
)
def test_any_table_reads_as_sqlite_reads_it(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[object, ...]], size: int, encoding: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.sqlite"
    made(path, "CREATE TABLE t (a, b)", found, f"page_size = {size}", f"encoding = '{encoding}'")
    with closing(sqlite3.connect(path)) as database:
        expected = database.execute("SELECT a, b FROM t ORDER BY rowid").fetchall()
    assert [(row["a"], row["b"]) for row in rows(path)] == expected


def test_a_table_of_many_pages_is_read_in_the_order_of_its_ids(tmp_path: Path) -> None:
    path = made(tmp_path / "x", "CREATE TABLE t (a)", [(number,) for number in range(5000)], "page_size = 512")
    assert [row["a"] for row in rows(path)] == list(range(5000))


def test_columns_are_known_by_their_names(tmp_path: Path) -> None:
    schema = """CREATE TABLE t (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- a comment, with (a comma
        "command" TEXT /* (program, options) */ NOT NULL,
        [size] NUMERIC(10, 2),
        CONSTRAINT one UNIQUE (command, size)
    )"""
    path = made(tmp_path / "x", schema, [(7, "install", 3), (9, "remove", 4)])
    assert rows(path) == [{"id": 7, "command": "install", "size": 3}, {"id": 9, "command": "remove", "size": 4}]


def test_a_column_that_was_added_later_is_missing_from_older_rows(tmp_path: Path) -> None:
    path = made(tmp_path / "x", "CREATE TABLE t (a)", [(1,)])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("ALTER TABLE t ADD COLUMN b")
        database.execute("INSERT INTO t VALUES (2, 3)")
    assert rows(path) == [{"a": 1}, {"a": 2, "b": 3}]


def test_a_table_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    path = made(tmp_path / "x", "CREATE TABLE t (a)", [(1,)])
    assert rows(path, "other") == []


def test_a_loop_of_pages_is_invalid(tmp_path: Path) -> None:
    path = made(tmp_path / "x", "CREATE TABLE t (a)", [(number,) for number in range(500)], "page_size = 512")
    content = bytearray(path.read_bytes())
    assert content[512] == 5  # the table's own page leads to others
    struct.pack_into(">I", content, 512 + 8, 2)  # to itself
    path.write_bytes(content)
    assert reason(path) == Reason.INVALID


def test_a_chain_of_pages_that_comes_back_is_invalid(tmp_path: Path) -> None:
    path = made(tmp_path / "x", "CREATE TABLE t (a)", [(bytes(5000),)], "page_size = 512")
    content = bytearray(path.read_bytes())
    struct.pack_into(">I", content, 2 * 512, 3)  # the first page of the chain is followed by itself
    path.write_bytes(content)
    assert reason(path) == Reason.INVALID


def test_a_record_that_claims_a_terabyte_is_over_the_cap(tmp_path: Path) -> None:
    path = made(tmp_path / "x", "CREATE TABLE t (a)", [(b"x" * 200,)], "page_size = 512")
    content = bytearray(path.read_bytes())
    (place,) = struct.unpack_from(">H", content, 512 + 8)
    content[512 + place : 512 + place + 6] = b"\xbf\xff\xff\xff\xff\x7f"
    path.write_bytes(content)
    assert MAX_RECORD < 2**40
    assert reason(path) == Reason.CAP


def test_a_file_of_a_terabyte_is_over_the_cap(tmp_path: Path) -> None:
    path = made(tmp_path / "x", "CREATE TABLE t (a)", [(1,)])
    os.truncate(path, MAX_FILE + 1)
    assert reason(path) == Reason.CAP


@given(data=st.data())
def test_no_damage_raises_anything_but_unreadable(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    found: list[tuple[object, ...]] = [(number, bytes(number * 40)) for number in range(60)]
    path = made(tmp_path_factory.getbasetemp() / "x", "CREATE TABLE t (a, b)", found, "page_size = 512")
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=20)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        rows(path)
    except Unreadable as problem:
        found_reason = problem.reason
    else:
        found_reason = Reason.INVALID
    assert found_reason in (Reason.INVALID, Reason.CAP)
