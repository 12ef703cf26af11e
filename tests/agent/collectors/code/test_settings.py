"""Tests of parsing the configuration of a repository, with `git config --list` as the oracle."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from envparity_agent.collectors.code.repository.settings import flag, parse
from tests.agent.collectors.code.repositories import Work, initialised

# no tabs: what becomes of one inside a value depends on the version of git
PIECES = (
    "[core]", "[remote \"origin\"]", "[remote \"a \\\"b\\\\\"]", "[Alpha.beta]", "name", "Bare", "=", "=", " ",
    "true", "value", "\"", "\"quoted ; text\"", "\\\\", "\\n", "\\\n", "\n", "\n", ";", "# comment", "two words", "é",
)  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Work:
    return initialised(tmp_path_factory.mktemp("oracle"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts)
@example("[a] b = c\n")
@example('[a "B"]\n\tc = "d " e ; f\n\tg\n\th = i \\\n  j\n')
@example("[a]\nb = c\\")
def test_settings_are_those_that_git_reads(oracle: Work, text: str) -> None:
    place = oracle.put("../config", f"[first]\nkey = 1\n{text}\n")
    if oracle.refuses("config", "--file", place, "--list"):
        with pytest.raises(ValueError, match=r"."):
            parse(place.read_bytes())
        return
    expected = {}
    for entry in oracle.git("config", "--file", place, "--list", "-z").decode().split("\0")[:-1]:
        name, newline, value = entry.partition("\n")
        expected[name] = value if newline else "true"
    assert parse(place.read_bytes()) == expected


@given(st.binary(max_size=200))
def test_any_bytes_give_settings_or_a_declared_error(content: bytes) -> None:
    with suppress(ValueError):
        parse(content)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("yes", True), ("TRUE", True), ("on", True), ("1", True), ("-2", True), ("no", False), ("0", False), ("", False)],
)
def test_a_flag_is_read_as_git_reads_it(text: str, expected: bool) -> None:
    assert flag({"core.bare": text}, "core.bare", default=not expected) is expected


def test_a_flag_that_is_not_set_is_its_default_and_one_that_is_none_an_error() -> None:
    assert flag({}, "core.bare", default=True) is True
    with pytest.raises(ValueError, match="perhaps"):
        flag({"core.bare": "perhaps"}, "core.bare", default=True)
