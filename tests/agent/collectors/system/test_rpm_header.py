"""Checks the parser of RPM's headers on what is one, and on what only claims to be."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.system.rpm_header import Malformed, Tag, numbers, parse, text, texts
from tests.agent.databases import rpm_header, rpm_package

WHOLE = rpm_package("bash", EPOCH=3, BASENAMES=["a", "b"], SIGMD5=b"\0\1")
STRINGS = 8


def header(*entries: tuple[int, int, int, int], data: bytes = b"") -> bytes:
    index = b"".join(struct.pack(">IIiI", *entry) for entry in entries)
    return struct.pack(">II", len(entries), len(data)) + index + data


def test_values_of_each_kind_are_read() -> None:
    found = parse(WHOLE, set(Tag))
    assert text(found, Tag.NAME) == "bash"
    assert numbers(found, Tag.EPOCH) == (3,)
    assert texts(found, Tag.BASENAMES) == [b"a", b"b"]
    assert found[Tag.SIGMD5] == b"\0\1"
    assert (text(found, Tag.SOURCERPM), numbers(found, Tag.DIRINDEXES), texts(found, Tag.DIRNAMES)) == ("", (), [])


def test_only_what_is_asked_for_is_read() -> None:
    broken = header((Tag.NAME, 6, 0, 1), (Tag.VERSION, 6, 999, 1), data=b"bash\0")
    assert parse(broken, {Tag.NAME}) == {Tag.NAME: b"bash"}


@pytest.mark.parametrize(
    "broken",
    {
        "an offset behind the end": header((Tag.NAME, 6, 99, 1), data=b"bash\0"),
        "an offset before the beginning": header((Tag.NAME, 6, -8, 1), data=b"bash\0"),
        "a text that does not end": header((Tag.NAME, 6, 0, 1), data=b"bash"),
        "more texts than there are": header((Tag.NAME, STRINGS, 0, 3), data=b"a\0b\0"),
        "more texts than memory holds": header((Tag.NAME, STRINGS, 0, 2**32 - 1), data=b"a\0b\0"),
        "more numbers than there are": header((Tag.NAME, 4, 0, 2), data=b"\0\0\0\1"),
        "more bytes than there are": header((Tag.NAME, 7, 2, 3), data=b"abcd"),
        "a kind of value that there is not": header((Tag.NAME, 77, 0, 1), data=b"abcd"),
        "an index that is longer than the header": struct.pack(">II", 5, 0) + bytes(16),
        "more entries than rpm takes": struct.pack(">II", 70_000, 0) + bytes(16 * 70_000),
        "bytes behind the end": rpm_header({Tag.NAME: "bash"}) + b"\0",
        "nothing": b"",
    }.items(),
    ids=lambda case: case[0],
)
def test_a_header_that_breaks_its_format_is_malformed(broken: tuple[str, bytes]) -> None:
    with pytest.raises(Malformed):
        parse(broken[1], set(Tag))


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_malformed(content: bytes) -> None:
    _parse_or_refuse(content)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=12))
def test_no_damage_raises_anything_but_malformed(changes: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE)
    for place, value in changes:
        content[place] = value
    _parse_or_refuse(bytes(content))


def _parse_or_refuse(content: bytes) -> None:
    try:
        found = parse(content, set(Tag))
    except Malformed:
        return
    assert all(isinstance(value, bytes | tuple | list) for value in found.values())
