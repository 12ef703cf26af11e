"""Tests of how strictly a gate judges, from what a person writes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.errors import UsageError
from envparity_server.cli.strictness import Strictness, age, percent, strictness, threshold
from envparity_server.compare.model import Severity


def test_what_is_written_is_what_is_meant() -> None:
    assert strictness("high", "95%", "6h", "warn") == Strictness(Severity.HIGH, 95, timedelta(hours=6), True)
    assert strictness("LOW", "100", None, "fail") == Strictness()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("severe", "100", None, "fail"), "--fail-on severe is no severity"),
        (("low", "0%", None, "fail"), "--min-coverage 0% is no share"),
        (("low", "101%", None, "fail"), "--min-coverage 101% is no share"),
        (("low", "9.5%", None, "fail"), "--min-coverage 9.5% is no share"),
        (("low", "", None, "fail"), "is no share"),
        (("low", "100", "6", "fail"), "--max-age 6 is no time"),
        (("low", "100", "0h", "fail"), "--max-age 0h is no time"),
        (("low", "100", "-1h", "fail"), "--max-age -1h is no time"),
        (("low", "100", "", "fail"), "is no time"),
        (("low", "100", None, "pass"), "--on-unknown pass is not known"),
    ],
)
def test_what_says_nothing_is_refused_with_what_to_write(options: tuple[str, str, str | None, str], told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        strictness(*options)
    assert refused.value.advice


@given(number=st.integers(1, 100))
def test_every_share_can_be_asked_for(number: int) -> None:
    assert percent(f"{number}%") == percent(str(number)) == percent(f" {number} % ") == number


@given(number=st.integers(1, 999_999))
def test_every_time_can_be_asked_for(number: int) -> None:
    assert age(f"{number}s") == timedelta(seconds=number)
    assert age(f"{number}m") == 60 * age(f"{number}s")
    assert age(f"{number}h") == 60 * age(f"{number}m")
    assert age(f"{number}d") == 24 * age(f"{number}h")
    assert age(f"{number}w") == 7 * age(f"{number}d")


@given(text=st.text())
def test_any_other_text_is_refused_in_words(text: str) -> None:
    for read in (threshold, percent, age):
        try:
            read(text)
        except UsageError as problem:
            assert problem.advice  # noqa: PT017  # of a text that happens to say something there is none
