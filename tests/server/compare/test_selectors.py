"""Tests of the grammar of selectors."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envparity_agent.errors import UsageError
from envparity_server.compare.selectors import Selector, is_selector, parse_selector
from tests.server.making import NOON

MOMENT = datetime(2026, 11, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env:prod", ("env", "prod", {}, None, "")),
        ("env:prod,role=web", ("env", "prod", {"role": "web"}, None, "")),
        ("env:prod,role=web,zone=eu-1", ("env", "prod", {"role": "web", "zone": "eu-1"}, None, "")),
        ("host:web-1", ("host", "web-1", {}, None, "")),
        ("host:web-1.example.org", ("host", "web-1.example.org", {}, None, "")),
        ("host:web-1@2026-11-01T02:00", ("host", "web-1", {}, MOMENT, "")),
        ("host:web-1@2026-11-01T02:00:00+00:00", ("host", "web-1", {}, MOMENT, "")),
        ("host:web-1@2026-11-01T03:30+01:30", ("host", "web-1", {}, MOMENT, "")),
        ("host:web-1@2026-11-01T02:00Z", ("host", "web-1", {}, MOMENT, "")),
        ("host:web-1@2026-11-01", ("host", "web-1", {}, MOMENT.replace(hour=0), "")),
        ("env:prod@yesterday", ("env", "prod", {}, NOON - timedelta(days=1), "")),
        ("host:web-1#python/srv/app/.venv", ("host", "web-1", {}, None, "python/srv/app/.venv")),
        ("host:web-1#container/db#2", ("host", "web-1", {}, None, "container/db#2")),
        ("env:prod,role=web@2026-11-01T02:00#os", ("env", "prod", {"role": "web"}, MOMENT, "os")),
        ("env:*", ("env", "*", {}, None, "")),
        ("env:*,role=web", ("env", "*", {"role": "web"}, None, "")),
        ("role=web", ("env", "*", {"role": "web"}, None, "")),
        ("role=web,zone=eu-1@2026-11-01T02:00#os", ("env", "*", {"role": "web", "zone": "eu-1"}, MOMENT, "os")),
        ("baseline:shop", ("baseline", "shop", {}, None, "")),
        ("baseline:shop/3", ("baseline", "shop", {}, None, "", 3)),
        ("baseline:shop@2026-11-01T02:00#python/shop", ("baseline", "shop", {}, MOMENT, "python/shop")),
        ("baseline:shop/12@yesterday", ("baseline", "shop", {}, NOON - timedelta(days=1), "", 12)),
    ],
)
def test_a_selector_says_who_when_and_which_part(text: str, expected: tuple[Any, ...]) -> None:
    assert parse_selector(text, NOON) == Selector(text, *expected)
    assert is_selector(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "env:", "host:", "prod", "evn:prod", "ENV:prod", " env:prod", "env:prod,", "env:prod,web", "env:prod,=web",
        "env:prod,role=", "env:prod,role=web,", "host:web-1@", "host:web-1@tomorrow", "host:web-1@2026-13-01",
        "host:web-1@12", "host:web-1@2026-11-01T02:00@2026-11-01T02:00", "host:web-1#", "env:#os", "env:@yesterday",
        "host:web-1@0001-01-01T00:00+12:00", "host:web-1@9999-12-31T23:59-12:00", "host:web-1,role=web",
        "baseline:", "baseline:/3", "baseline:shop/", "baseline:shop/0", "baseline:shop/x", "baseline:shop/3/4",
        "baseline:shop/-1", "baseline:shop/²", "baseline:shop/1234567890", "baseline:sh op", "baseline:shop,role=web",
        "baseline:shop@", "role=", "=web", "role=web,", "role=web,zone", "role=web@tomorrow", "role==web", "a/b=c",
    ],
)  # fmt: skip
def test_what_is_no_selector_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_selector(text, NOON)
    assert refused.value.advice


@pytest.mark.parametrize(
    "text",
    [
        "local", "root:/srv", "container:env:prod", "requirements.txt", "-", "hosts:web-1", "image:a=b", "./role=web",
        "dir/role=web", "requests==2.0", "a=b=c", "role=", "baselines:shop", "\0=\0",
    ],
)  # fmt: skip
def test_targets_of_this_machine_are_no_selectors(text: str) -> None:
    assert not is_selector(text)


def test_a_file_that_is_called_as_a_label_reads_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_selector("role=web")
    (tmp_path / "role=web").touch()
    assert not is_selector("role=web")


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("env:prod,role=web@yesterday#os", "env:prod,role=web"),
        ("role=web#python/a@b", "role=web"),
        ("baseline:shop/3#os", "baseline:shop/3"),
        ("host:web-1", "host:web-1"),
    ],
)
def test_whom_a_selector_names_is_told_without_moment_and_part(text: str, whom: str) -> None:
    assert parse_selector(text, NOON).whom == whom


moments = st.datetimes().map(datetime.isoformat) | st.text("0123456789-:TZ+yesterday", max_size=25)


@given(
    st.text(max_size=40)
    | st.builds(
        "{}:{}@{}#{}".format, st.sampled_from(["env", "host", "baseline"]), st.text(max_size=5), moments, st.text()
    )
    | st.builds("{}={}@{}#{}".format, st.text(max_size=4), st.text(max_size=4), moments, st.text())
    | st.from_regex(r"(baseline:[a-z]{1,3}(/[0-9]{0,12})?|[a-z]=[a-z](,[a-z]=[a-z])*)([@#].*)?", fullmatch=True)
    | st.builds("env:prod,{}@{}{}".format, st.text(max_size=8), moments, st.text("+-0123456789:", max_size=6))
)
@example("env:p@0001-01-01T00:00+23:59")
@example("env:p@9999-12-31T23:59-23:59")
def test_parsing_raises_nothing_but_a_usage_error(text: str) -> None:
    try:
        found = parse_selector(text, NOON)
    except UsageError:
        return
    assert found.moment is None or found.moment.utcoffset() == timedelta(0)
    assert found.name
    assert parse_selector(found.whom, NOON).whom == found.whom  # what is left names the same ones
    assert parse_selector(found.whom, NOON).labels == found.labels


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_that_is_written_is_read_back(moment: datetime) -> None:
    assert parse_selector(f"host:a@{moment.isoformat()}", NOON).moment == moment
