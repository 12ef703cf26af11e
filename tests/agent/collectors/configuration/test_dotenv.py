"""Checks that .env files are read as data, in the grammar that programs agree on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.configuration.dotenv import parse


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1\nB = 2 \n", {"A": "1", "B": "2"}),
        ("# words\n\n  A=1\n", {"A": "1"}),
        ("export A=1\nexport=2\n", {"A": "1", "export": "2"}),
        ("A=1 # words\nB=1#2\n", {"A": "1", "B": "1#2"}),
        ("A='1 # 2'\nB=\"1 # 2\" # words\n", {"A": "1 # 2", "B": "1 # 2"}),
        ('A=\'a\\n\'\nB="a\\n\\"\\$\\q"\n', {"A": "a\\n", "B": 'a\n"$\\q'}),
        ("A='one\ntwo'\nB=3", {"A": "one\ntwo", "B": "3"}),
        ("A=\nB\nC=''", {"A": "", "B": "", "C": ""}),
        ("A=$HOME\nB=$(id)\nC=`id`\nD=${A}", {"A": "$HOME", "B": "$(id)", "C": "`id`", "D": "${A}"}),
        ("A=it's", {"A": "it's"}),
        ("A=1\nA=2", {"A": "2"}),
        ("db.host-name=1", {"db.host-name": "1"}),
        ("", {}),
    ],
)
def test_assignments_are_read(text: str, found: dict[str, str]) -> None:
    assert parse(text) == found
    assert parse(text.replace("\n", "\r\n")) == found


@pytest.mark.parametrize("text", ["A='1", 'A="1', "A='1' 2", "1=2", "some words", "A=1\n- b", "=1", '{"A": 1}'])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="character"):
        parse(text)


names = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,8}\Z")
values = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(names, values))
def test_quoted_values_are_what_was_written(found: dict[str, str]) -> None:
    escaped = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in found.items()}
    assert parse("".join(f'{name}="{value}"\n' for name, value in escaped.items())) == found


@given(st.text() | st.text("A='\"\\#\n =$\r"))
def test_any_text_has_assignments_or_is_refused(text: str) -> None:
    try:
        found = parse(text)
    except ValueError:
        return
    assert all("\n" not in name for name in found)
