"""Checks that foreign text cannot forge what a person reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.terminal import complain, printable, say_table, styled


@given(st.text(st.characters()))
def test_whatever_a_text_holds_it_is_printable(text: str) -> None:
    assert printable(text).isprintable()
    printable(text).encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode", "plain ünïcode"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\udcff", r"\udcff"),
        ("\x07\x9b", r"\x07\x9b"),
    ],
)
def test_control_and_direction_characters_are_shown_by_their_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_markup_in_foreign_text_is_text() -> None:
    assert styled("[bold red]x[/]").plain == "[bold red]x[/]"


def test_a_complaint_says_what_to_do_and_gives_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert complain(UsageError("wrong", "do this")) == 2
    assert complain(CannotTell("away")) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "envparity: wrong\n  do this\nenvparity: away" in err


def test_a_table_has_no_more_width_than_its_texts(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(("STATUS", "ITEMS", "SECTION"), [("ok", "3", "os"), ("partial(cap)", "12", "python/srv/shop")])
    assert capsys.readouterr().out.splitlines() == [
        "STATUS        ITEMS  SECTION",
        "ok            3      os",
        "partial(cap)  12     python/srv/shop",
    ]
