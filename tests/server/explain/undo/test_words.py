"""Tests of how steps are written: whatever a side tells, a step is one line, and what it tells is one word of it."""

import shlex

from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.fingerprint import Fingerprint, Section
from envparity_agent.terminal import printable
from envparity_server.compare.differences import compare
from envparity_server.explain.model import Cause, Situation
from envparity_server.explain.remedies import remedy
from envparity_server.explain.undo.words import command, line
from tests.server.explain.undoing import dist, side, venv
from tests.server.making import twins

hostile = st.text(st.sampled_from("a1.-_ \n\r\x1b\u202e'\"\\$`;|&<>(){}[]#%=:/@~*?!"), min_size=1, max_size=12)


@given(st.lists(hostile, min_size=1))
def test_a_command_is_taken_apart_into_its_words(words: list[str]) -> None:
    assert shlex.split(command(*words)) == [printable(one) for one in words]


@given(hostile, hostile)
def test_a_line_of_a_file_is_one_line_without_control_characters(file: str, text: str) -> None:
    told = line(file, text, 3)
    assert told.isprintable()
    assert shlex.split(told)


def holds(good: Fingerprint, bad: Fingerprint) -> None:
    """Each step of each remedy is one printable line, and ends where it ends for a shell as well."""
    situation = Situation(good, bad, compare(good, bad))
    for suspect, differences in situation.suspects.items():
        found = remedy(situation, Cause(1, suspect, differences[0].kind, 0, (), differences))
        for step in found.steps if found else ():
            assert step.isprintable()
            assert shlex.split(step)
        assert found is None or found.note.isprintable()


@given(twins())
def test_whatever_two_hosts_tell_each_step_is_one_line_that_a_shell_takes_apart(
    pair: tuple[Fingerprint, Fingerprint],
) -> None:
    holds(*pair)


@given(hostile, hostile, st.sampled_from(["version", "source", "specifier", "commit", "owner"]))
def test_what_a_side_makes_up_is_in_no_command_of_its_own(name: str, value: str, attribute: str) -> None:
    good = side(
        venv({name: {**dist("1.0"), attribute: value}, "six": {**dist("1.0"), attribute: value}}),
        Section("service/web", "configuration", 1, {f"env:{name}": {"value": value}, "user": {"value": value}}),
        Section("os-packages", "os-packages", 2, {name: {"version": value, "manager": "deb"}}),
        Section("config/etc/app.ini", "file", 1, {name: {"value": value}}),
        Section("os/settings", "settings", 1, {f"sysctl:{name}": {"value": value}, "timezone": {"value": value}}),
        Section("services", "configuration", 1),
    )
    bad = side(
        venv({"six": dist("2.0")}), Section("services", "configuration", 1),
        Section("service/web", "configuration", 1, {"user": {"value": "web"}}),
        Section("os-packages", "os-packages", 2), Section("config/etc/app.ini", "file", 1),
        Section("os/settings", "settings", 1, {"timezone": {"value": "UTC"}}),
    )  # fmt: skip
    holds(good, bad)
    holds(bad, good)
