"""Tests of the patterns of .gitignore, with `git check-ignore` as the oracle."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from envparity_agent.collectors.code.files import Budget
from envparity_agent.collectors.code.repository.patterns import Rules, ignored, is_ignored
from envparity_agent.errors import Unreadable
from tests.agent.collectors.code.repositories import Work, initialised

NAMES = (
    b"a",
    b"b",
    b"ab",
    b"ba",
    b"abc",
    b"a.c",
    b"*",
    b"]",
    b"-",
    b"a b",
    b"c ",
    b"\xc3\xa9",
    b"A",
    b"\\",
    b"[",
    b"7",
)
PIECES = (
    b"a", b"b", b"c", b".", b"/", b"/", b"*", b"**", b"**/", b"/**", b"?", b"[ab]", b"[!a]", b"[^b]", b"[a-c]", b"[]a]",
    b"[!]a]", b"[[:alpha:]]", b"[[:digit:]-]", b"[\\]]", b"[a-]", b"\\*", b"\\", b"!", b" ", b"\\ ", b"#", b"[", b"]",
    b"-", b"\xc3\xa9", b"[z-a]", b"[[:none:]]", b"[a/b]", b"\r", b"\t",
)  # fmt: skip
patterns = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(b"".join)
contents = st.lists(patterns, min_size=1, max_size=4).map(b"\n".join)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(b"/".join)


def told(content: bytes, path: bytes) -> bool:
    """Whether a file is ignored: by itself, or because a directory that it is in is."""
    rules = (Rules(b"", ignored(content)),)
    places = path.split(b"/")
    above = (b"/".join(places[:depth]) for depth in range(1, len(places)))
    return any(is_ignored(rules, one, True, Budget()) for one in above) or is_ignored(rules, path, False, Budget())


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Work:
    return initialised(tmp_path_factory.mktemp("oracle"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(contents, st.lists(paths, min_size=1, max_size=30, unique=True))
@example(b"a/**\n!a/b", [b"a/b", b"a/ab", b"a", b"b/a/b"])
@example(b"**/a/**/b", [b"a/b", b"a/c/b", b"c/a/b", b"b"])
@example(b"*.c\n!/a.c\nab/", [b"a.c", b"b/a.c", b"ab", b"ab/a"])
def test_a_file_is_ignored_where_git_ignores_it(oracle: Work, content: bytes, found: list[bytes]) -> None:
    oracle.put(".gitignore", content)
    said = oracle.git("check-ignore", "--no-index", "-z", "--stdin", check=False, given=b"\0".join(found))
    assert [path for path in found if told(content, path)] == [path for path in said.split(b"\0") if path]


@given(st.binary(max_size=200), paths)
def test_any_bytes_are_patterns(content: bytes, path: bytes) -> None:
    told(content, path)


def test_a_pattern_of_many_stars_costs_a_bounded_number_of_steps() -> None:
    budget = Budget()
    rules = Rules(b"", ignored(b"/".join([b"**/*a*a*a*a*a*a*a*a*b"] * 20)))
    assert rules.decide(b"/".join([b"a" * 200] * 20), False, budget) is None
    assert Budget().steps - budget.steps < 2_000_000


def test_work_beyond_the_budget_is_refused() -> None:
    with pytest.raises(Unreadable, match="cap"):
        Rules(b"", ignored(b"*a*b*c")).decide(b"a" * 200, False, Budget(steps=100))
