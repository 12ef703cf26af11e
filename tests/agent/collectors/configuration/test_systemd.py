"""Checks the syntax of unit files: continued lines, quotes, escapes, specifiers."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.configuration.systemd import expanded, gathered, settings, words


def test_only_the_settings_of_the_section_are_read() -> None:
    text = "[Unit]\nA=0\n[Service]\n# B=1\n; B=1\nA=1\n A = 2 \nwords\n[Install]\nA=3\n"
    assert list(settings(text, "Service")) == [("A", "1"), ("A", "2")]


def test_a_line_goes_on_after_a_backslash_and_over_comments() -> None:
    text = "[Service]\nA=1 \\\n# words\n  2\\\n3\nB=4\\"
    assert list(settings(text, "Service")) == [("A", "1    2 3"), ("B", "4")]
    assert list(settings(text.replace("\n", "\r\n"), "Service")) == [("A", "1    2 3"), ("B", "4")]


def test_an_empty_value_takes_back_what_came_before() -> None:
    assert gathered([("A", "1"), ("A", ""), ("A", "2"), ("B", "1"), ("B", "")]) == {"A": ["2"], "B": []}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"VAR1=word1 word2" VAR2=word3 "VAR3=$word 5 6"', ["VAR1=word1 word2", "VAR2=word3", "VAR3=$word 5 6"]),
        ("""A='b "c"' 'd e'f""", ['A=b "c"', "d ef"]),
        (r"a\x20b\040c\sd\te \u00e9\U0001F600 \q \"", ["a b c d\te", "é😀", r"\q", '"']),
        ("  a \t b  ", ["a", "b"]),
        ("'' \"\" a''", ["", "", "a"]),
        ("a\\", ["a\\"]),
        ("", []),
    ],
)
def test_words_have_quotes_and_escapes(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize("text", ['"a', "a'b", "a \"b'"])
def test_a_quote_that_does_not_end_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quote"):
        words(text)


def test_the_name_of_an_instance_tells_its_specifiers() -> None:
    assert expanded("%i %I %n %N %p 100%% %h", "shop@1") == "1 1 shop@1.service shop@1 shop 100% %h"
    assert expanded("-%i-%p", "shop") == "--shop"


@given(st.lists(st.text(string.printable)))
def test_quoted_words_are_what_was_written(found: list[str]) -> None:
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"') for word in found)
    assert words(" ".join(f'"{word}"' for word in escaped)) == found


@given(st.text() | st.text("\"'\\ x2u0Uabs\n[]=#;"))
def test_any_text_has_words_and_settings_or_is_refused(text: str) -> None:
    assert all(key == key.strip() for key, _ in settings(f"[Service]\n{text}", "Service"))
    try:
        words(text)
    except ValueError as problem:
        assert "quote" in str(problem)  # noqa: PT017  # any text: most are no error
