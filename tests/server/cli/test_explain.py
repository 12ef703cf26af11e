"""Tests of `envparity explain` and of the formats that it shares with `diff`: text, JSON, Markdown and HTML.

`goldens/` has what each format looks like; ENVPARITY_WRITE_GOLDENS=1 writes them anew, to be read before they are
committed.
"""

import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from envparity_agent.fingerprint import Fingerprint
from envparity_server.api.explanations import explanation_schema
from envparity_server.cli.outputs import Rendering
from envparity_server.compare.differences import compare
from envparity_server.drift.severity import rate
from envparity_server.explain.causes import explain
from envparity_server.explain.model import Explanation, Remedy
from envparity_server.reports.explanation_text import print_explanation
from envparity_server.reports.html import explanation_html
from envparity_server.reports.markdown import MAX_ROWS, comparison_markdown, explanation_markdown
from envparity_server.storage.database import writing
from tests.forking import Ended
from tests.server.asking import Asking
from tests.server.cli.running import envparity
from tests.server.cli.served import served
from tests.server.explain.situations import dist, environment, situation
from tests.server.fleet import reported
from tests.server.making import SEARCHED, host, packages

GOLDENS = Path(__file__).parent / "goldens"
HOSTILE = "\x1b[2K<script>alert(1)</script>\r\n| `@here` #1 \u202e"


def side(werkzeug: str, urllib3: str, name: str) -> Fingerprint:
    """A host with an environment in which flask and requests stay as they are."""
    lack = ("urllib3<1.27 (has 2.2.1)",) if urllib3 == "2.2.1" else ()
    items = {
        "flask": dist("2.2.2", "werkzeug>=2.2.2"),
        "requests": dist("2.28.1", "urllib3<1.27", **({"unmet": lack} if lack else {})),
        "werkzeug": dist(werkzeug),
        "urllib3": dist(urllib3),
        **{name: dist(f"1.{urllib3[0]}") for name in ("attrs", "colorama", "idna", "pytz", "six", "toml")},
    }
    return host(SEARCHED, environment(items), name=name)


GOOD, BAD = side("2.3.8", "1.26.18", "dev-1"), side("3.0.1", "2.2.1", "prod-1")


def document(ended: Ended) -> Any:
    """What was printed as JSON; a score may be a fraction."""
    return json.loads(ended.output)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with two fingerprints, two lists of versions, and a traceback."""
    (tmp_path / "good.json").write_text(json.dumps(GOOD.document()))
    (tmp_path / "bad.json").write_text(json.dumps(BAD.document()))
    (tmp_path / "good.txt").write_text("idna==3.4\nurllib3==1.26.18\n")
    (tmp_path / "bad.txt").write_text("idna==3.7\nurllib3==2.2.1\n")
    (tmp_path / "error.log").write_text("Traceback (most recent call last):\nImportError: no\n")
    return tmp_path


@pytest.mark.parametrize(
    ("verb", "format", "suffix"),
    [
        (verb, format, suffix)
        for verb in ("explain", "diff")
        for format, suffix in (("text", "txt"), ("json", "json"), ("markdown", "md"), ("html", "html"))
    ],
)
def test_every_format_is_as_the_golden_file_has_it(home: Path, verb: str, format: str, suffix: str) -> None:
    ended = envparity(home, verb, "good.json", "bad.json", "-o", format)
    assert (ended.exit_code, ended.complaint) == (0, "")
    golden = GOLDENS / f"{verb}.{suffix}"
    if os.environ.get("ENVPARITY_WRITE_GOLDENS"):
        golden.write_text(ended.output, "utf-8")
    assert ended.output == golden.read_text("utf-8")


def test_the_cause_comes_first_with_reasons_and_the_rest_is_counted(home: Path) -> None:
    lines = [line.strip() for line in envparity(home, "explain", "good.json", "bad.json").output.splitlines()]
    assert "1. urllib3 1.26.18 → 2.2.1 (major)" in lines
    assert "- requests 2.28.1 requires urllib3<1.27: the bad side has 2.2.1, the good one has 1.26.18" in lines
    assert any(line.startswith("3 other differences rank below, 3 of them with as many points") for line in lines)
    everything = envparity(home, "explain", "good.json", "bad.json", "--all").output
    assert "8. toml" in everything


def test_what_is_promised_as_json_is_printed(home: Path) -> None:
    found = document(envparity(home, "explain", "good.txt", "bad.txt", "--json"))
    assert list(Draft202012Validator(explanation_schema()).iter_errors(found)) == []
    assert [(one["rank"], one["item"]) for one in found["causes"]] == [(1, "urllib3"), (2, "idna")]
    assert "lists of versions" in " ".join(found["notes"])


def test_a_traceback_comes_from_a_file_or_from_standard_input(home: Path) -> None:
    for where, text in (("error.log", ""), ("-", "ImportError: no\n")):
        ended = envparity(home, "explain", "good.txt", "bad.txt", "--traceback", where, "--json", standard_input=text)
        assert ended.exit_code == 0, ended.complaint
        assert not any("no traceback" in one for one in document(ended)["notes"])


def test_the_application_s_source_is_looked_at_where_it_is_given(home: Path) -> None:
    (home / "src").mkdir()
    (home / "src" / "shop.py").write_text("import urllib3\n")
    plain, with_source = (
        document(envparity(home, "explain", "good.json", "bad.json", "--json", *more))["notes"]
        for more in ((), ("--app-source", "src"))
    )
    assert set(plain) - set(with_source) == {"the application's own source was not given"}


def test_several_formats_are_given_at_once(home: Path) -> None:
    for verb in ("explain", "diff"):
        ended = envparity(
            home,
            verb,
            "good.json",
            "bad.json",
            "-o",
            "markdown=a.md",
            "-o",
            "html=a.html",
            "-o",
            "text=a.txt",
            "--json",
        )
        assert ended.exit_code == 0, ended.complaint
        assert document(ended)["left"]["name"] == "dev-1"
        for format, suffix in (("markdown", "md"), ("html", "html"), ("text", "txt")):
            only = envparity(home, verb, "good.json", "bad.json", "-o", format).output
            assert (home / f"a.{suffix}").read_text("utf-8") == only
            assert f"{format} is in a.{suffix}" in ended.complaint


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere.txt", "good.txt"),
        ("good.txt", "bad.txt", "--only", "pyhton"),
        ("good.txt", "bad.txt", "-o", "pdf"),
        ("good.txt", "bad.txt", "-o", "html="),
        ("good.txt", "bad.txt", "-o", "html", "--json"),
        ("good.txt", "bad.txt", "-o", "html=x", "-o", "json=x"),
        ("good.txt", "bad.txt", "-o", "html=nowhere/x.html"),
        ("good.txt", "bad.txt", "--traceback", "nowhere.log"),
        ("good.txt", "-", "--traceback", "-"),
        ("good.txt", "bad.txt", "--app-source", "good.txt"),
        ("good.txt", "env:prod"),
    ],
)
def test_a_wrong_question_is_told_in_words_and_exits_2(home: Path, arguments: tuple[str, ...]) -> None:
    ended = envparity(home, "explain", *arguments)
    assert (ended.exit_code, ended.output) == (2, "")
    assert ended.complaint
    assert "Traceback" not in ended.complaint


def test_where_nothing_could_be_compared_it_cannot_tell(home: Path) -> None:
    ended = envparity(home, "explain", "good.json", "bad.json", "--only", "containers")
    assert ended.exit_code == 3
    assert "nothing was compared" in ended.output
    assert "nothing in scope could be compared" in ended.complaint


def test_a_side_that_is_the_same_has_no_cause(home: Path) -> None:
    ended = envparity(home, "explain", "good.json", "good.json")
    assert ended.exit_code == 0
    assert "nothing differs that could be compared" in ended.output


def test_what_the_project_expects_is_no_likely_cause(home: Path) -> None:
    (home / "envparity.toml").write_text('[[rule]]\nmatch = "python/*/urllib3"\nreason = "comes with the release"\n')
    found = document(envparity(home, "explain", "good.txt", "bad.txt", "--json"))
    assert [one["item"] for one in found["causes"]] == ["idna", "urllib3"]
    found = document(envparity(home, "explain", "good.txt", "bad.txt", "--no-rules", "--json"))
    assert found["causes"][0]["item"] == "urllib3"


def test_a_server_s_environments_are_explained(small_api: Asking, home: Path) -> None:
    with writing(small_api.engine) as connection:
        reported(connection, "dev-1", GOOD, datetime.now(UTC), "dev")
        reported(connection, "prod-1", BAD, datetime.now(UTC), "prod")
    token = small_api.as_role("viewer").headers["Authorization"].removeprefix("Bearer ")
    with served(small_api) as address:
        ended = envparity(
            home, "explain", "env:dev", "env:prod", "--json", ENVPARITY_SERVER=address, ENVPARITY_TOKEN=token,
            ENVPARITY_CONFIG="/dev/null",
        )  # fmt: skip
    assert ended.exit_code == 0, ended.complaint
    assert document(ended)["causes"][0]["item"] == "urllib3"


def undone(remedy: Remedy) -> Explanation:
    """An explanation whose first cause can be undone."""
    found = explain(situation(GOOD, BAD))
    return replace(found, causes=[replace(found.causes[0], remedy=remedy)])


def rendered(found: Explanation) -> dict[str, str]:
    """An explanation in each format that people read."""
    result = Rendering(
        text=lambda: print_explanation(found, everything=False),
        document=found.document,
        markdown=lambda: explanation_markdown(found, everything=False),
        html=lambda: explanation_html(found, everything=False),
    )
    return {format: result.content(format) for format in ("text", "markdown", "html")}


def test_how_to_undo_a_cause_is_told_in_every_format() -> None:
    for found in rendered(undone(Remedy(("pip install one", "pip check"), "nothing else needs it"))).values():
        assert re.search(r"o undo it:.*pip install one\n *pip check", found, flags=re.DOTALL)
        assert "nothing else needs it" in found


def test_a_remedy_without_a_step_tells_only_what_no_command_can_do() -> None:
    for found in rendered(undone(Remedy((), "somebody has to decide"))).values():
        assert "somebody has to decide" in found
        assert "o undo it" not in found


def hostile() -> Explanation:
    """An explanation whose every foreign text tries to be more than text."""
    found = explain(situation(
        host(SEARCHED, packages({HOSTILE: f"1.0{HOSTILE}"}), name=HOSTILE),
        host(SEARCHED, packages({HOSTILE: f"2.0{HOSTILE}"}), name=HOSTILE),
    ))  # fmt: skip
    (cause,) = found.causes
    remedy = Remedy((f"pip install {HOSTILE}", "```"), HOSTILE)
    return Explanation(found.comparison, [replace(cause, remedy=remedy)], (HOSTILE,))


class Tags(HTMLParser):
    """The elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)
        self.found.append(tag)


def test_foreign_text_is_nothing_but_text_on_a_page() -> None:
    tags = Tags()
    tags.feed(explanation_html(hostile(), everything=True))
    assert "script" not in tags.found
    assert {"main", "h1", "section", "pre"} <= set(tags.found)


def test_foreign_text_is_nothing_but_text_in_a_comment() -> None:
    found = explanation_markdown(hostile(), everything=True)
    fenced = re.sub(r"^(`{3,})sh\n.*?^\1$", "", found, flags=re.MULTILINE | re.DOTALL)
    assert "<script" not in fenced
    assert "@here" not in fenced
    assert "#1" not in fenced
    assert not {"\x1b", "\r", "\u202e"} & set(found)
    assert "````sh" in found  # a fence that the step itself cannot close


def test_a_comment_is_cut_where_it_would_be_too_long_and_says_so() -> None:
    good, bad = (packages({f"package-{number:04}": version for number in range(MAX_ROWS * 3)}) for version in "12")
    sides = host(SEARCHED, good), host(SEARCHED, bad)
    for found in (
        explanation_markdown(explain(situation(*sides)), everything=False),
        comparison_markdown(rate(compare(*sides))),
    ):
        assert len(found) < 65_536
        assert re.search(r"\d+ more are not in this comment", found)
