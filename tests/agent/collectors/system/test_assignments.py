"""Checks that files of shell assignments are data, whatever is in them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envparity_agent.collectors.system.assignments import assignments


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ('A="b c"', "b c"),
        ("A='b c'", "b c"),
        ('A="b \\"c\\" \\$d \\\\"', 'b "c" $d \\'),
        ('A="it\'s"', "it's"),
        ('A="unclosed', "unclosed"),
        ('A="', ""),
        ("A=''", ""),
        ("export A=b", "b"),
        ("  A=b  ", "b"),
        ("A=$(touch canary)", "$(touch canary)"),
        ("A=b=c", "b=c"),
    ],
)
def test_a_value_is_told_without_its_quotes(line: str, value: str) -> None:
    assert assignments(line.encode()) == {"A": value}


def test_of_a_name_that_stands_twice_the_last_value_counts() -> None:
    assert assignments(b"A=1\nA=2\n") == {"A": "2"}


def test_comments_and_noise_assign_nothing() -> None:
    assert assignments(b"#A=1\n\n=1\nnoise\n") == {}


@given(st.binary(max_size=400))
@example(b'A="\\')
@example(b"\xff\xfe=\x00")
def test_any_bytes_are_read_as_text(content: bytes) -> None:
    assert all(name and isinstance(value, str) for name, value in assignments(content).items())


def test_a_megabyte_of_backslashes_is_read_at_once() -> None:
    assert len(assignments(b'A="' + b"\\" * 1024 * 1024)["A"]) == 512 * 1024
