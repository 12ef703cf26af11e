"""Tests of the formats that other tools read: each is what its schema says, and whatever a report holds is only text.

`goldens/` has what a typical report looks like in each format; ENVPARITY_WRITE_GOLDENS=1 writes them anew, to be read
before they are committed.
"""

import csv
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from jsonschema import Draft4Validator, Draft7Validator, Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from lxml import etree  # type: ignore[import-untyped]  # it ships no types
from markdown_it import MarkdownIt

from envparity_server.cli.outputs import Rendering
from envparity_server.cli.report_outputs import report_rendering
from envparity_server.compare.differences import compare
from envparity_server.drift.severity import rate
from envparity_server.gating.model import Place, Report, Standing, Suspected, Verdict
from envparity_server.reports.comparisons import report_of
from envparity_server.reports.entries import LONGEST
from envparity_server.reports.github import github
from envparity_server.reports.gitlab import gitlab
from envparity_server.reports.html import gate_html
from envparity_server.reports.junit import junit
from envparity_server.reports.markdown import gate_markdown
from envparity_server.reports.sarif import sarif
from envparity_server.reports.table import COLUMNS, table
from tests.server.making import host, packages
from tests.server.reports.reporting import (
    LIBSSL,
    PARITY,
    TYPICAL,
    UNREAD,
    UNTOLD,
    finding,
    hostile,
    report,
)
from tests.server.reports.schemas import CODE_QUALITY, code_climate_schema, junit_schema, sarif_schema

GOLDENS = Path(__file__).parent / "goldens"
FILE = "envparity.toml"
SUFFIXES = {
    "text": "txt", "json": "json", "markdown": "md", "html": "html", "sarif": "sarif", "junit": "xml",
    "github": "github.txt", "gitlab": "gitlab.json", "csv": "csv",
}  # fmt: skip

ALLOWED_TAGS = {
    "h3", "p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "pre", "details", "summary",
    "a",
}  # fmt: skip


def rendered(told: Report) -> Rendering:
    """The report in every format."""
    return report_rendering(told, False, FILE, 1)


@pytest.mark.parametrize(("format", "suffix"), SUFFIXES.items())
def test_a_typical_report_is_as_its_golden_file_has_it(format: str, suffix: str) -> None:
    golden = GOLDENS / f"gate.{suffix}"
    content = re.sub(
        r'"version": "\d+\.\d+\.\d+[^"]*"(?=,\n +"rules")', '"version": "VERSION"', rendered(TYPICAL).content(format)
    )
    if os.environ.get("ENVPARITY_WRITE_GOLDENS") == "1":
        golden.write_text(content, "utf-8")
    assert content == golden.read_text("utf-8")


def sarif_results(told: Report) -> list[dict[str, Any]]:
    """The results of the one run."""
    [run] = json.loads(sarif(told, FILE))["runs"]
    results: list[dict[str, Any]] = run["results"]
    return results


SARIF = Draft4Validator(sarif_schema())


@given(hostile)
def test_sarif_is_valid_whatever_the_report_holds(told: Report) -> None:
    document = json.loads(sarif(told, FILE))
    SARIF.validate(document)
    [run] = document["runs"]
    assert all(one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"])
    assert all("](" not in one["message"]["text"] and is_inert(one["message"]["text"]) for one in run["results"])


def test_a_result_of_sarif_has_its_id_its_level_and_its_place() -> None:
    first, second = sarif_results(TYPICAL)
    assert (first["level"], first["ruleId"]) == ("error", "os-packages")
    assert first["partialFingerprints"]["envparity/v1"] == LIBSSL.id
    place = first["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("Dockerfile", 1)
    fallback = second["locations"][0]["physicalLocation"]
    assert (second["level"], fallback["artifactLocation"]["uri"]) == ("warning", FILE)


def test_the_levels_of_sarif_are_those_of_the_severities() -> None:
    told = report(Verdict.DRIFT, *(finding(one, severity=one) for one in ("critical", "high", "medium", "low", "info")))
    assert [one["level"] for one in sarif_results(told)] == ["error", "error", "warning", "note", "note"]


@pytest.mark.parametrize("file", ["/srv/a b/uv.lock", "a#b?.lock"])
def test_a_path_is_an_address_in_sarif(file: str) -> None:
    [result] = sarif_results(report(Verdict.DRIFT, finding("libssl3", place=Place(file, 1))))
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert not set(" #?") & set(uri)
    assert uri.startswith("file:///srv") == file.startswith("/")


@pytest.fixture(scope="module")
def jenkins(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Jenkins' schema of JUnit XML."""
    return junit_schema(tmp_path_factory.mktemp("schema"))


def test_junit_is_valid_whatever_the_report_holds(jenkins: Any) -> None:
    @given(hostile)
    def check(told: Report) -> None:
        content = junit(told)
        jenkins.assertValid(etree.fromstring(content.encode()))
        suite = ElementTree.fromstring(content).find("testsuite")  # noqa: S314  # our own
        assert suite is not None
        assert len(suite) > 0
        assert all(is_inert(text) for case in suite for text in case.attrib.values())

    check()


def cases(told: Report) -> dict[str, list[str]]:
    """Test case -> the elements that say how it ended."""
    [suite] = ElementTree.fromstring(junit(told))  # noqa: S314  # our own
    return {case.attrib["name"]: [one.tag for one in case] for case in suite}


def test_a_finding_that_fails_is_a_failure_and_one_that_is_accounted_for_passes() -> None:
    found = cases(TYPICAL)
    assert found["libssl3 version"] == ["failure"]
    assert found["the whole section"] == ["error"]
    assert found["flask version"] == found["tzdata version"] == ["system-out"]
    assert "verdict" not in found
    [suite] = ElementTree.fromstring(junit(TYPICAL))  # noqa: S314  # our own
    counted = [suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")]
    assert counted == ["5", "1", "1", "0"]


def test_a_verdict_has_a_test_case_that_passes_for_parity_and_is_an_error_where_it_cannot_be_told() -> None:
    assert cases(report(Verdict.PARITY)) == {"verdict": ["system-out"]}
    assert cases(UNTOLD) == {"verdict": ["error"]}


def test_what_is_unknown_in_spite_of_parity_is_a_test_that_was_left_out() -> None:
    assert cases(report(Verdict.PARITY, UNREAD))["the whole section"] == ["skipped"]
    assert cases(report(None, UNREAD))["the whole section"] == ["skipped"]


def test_code_quality_is_valid_whatever_the_report_holds(tmp_path: Path) -> None:
    issue = Draft7Validator(code_climate_schema(tmp_path))

    @given(hostile)
    def check(told: Report) -> None:
        issues = json.loads(gitlab(told, FILE))
        Draft202012Validator(CODE_QUALITY).validate(issues)
        for one in issues:
            issue.validate(one)
            assert is_inert(one["description"])

    check()


def test_an_issue_of_code_quality_has_its_severity_and_its_place() -> None:
    first, second = json.loads(gitlab(TYPICAL, FILE))
    assert (first["severity"], first["check_name"]) == ("critical", "envparity/os-packages")
    assert first["location"] == {"path": "Dockerfile", "lines": {"begin": 1, "end": 1}}
    assert (second["severity"], second["location"]["path"]) == ("major", FILE)
    assert json.loads(gitlab(PARITY, FILE)) == []


COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^:,\r\n]*,?)+)::([^\r\n]*)")


@given(hostile)
def test_every_line_for_github_is_one_command_of_ours_whatever_the_report_holds(told: Report) -> None:
    lines = github(told).removesuffix("\n").split("\n")
    assert lines
    for line in lines:
        matched = COMMAND.fullmatch(line)
        assert matched, line
        assert is_inert(line)
        assert {one.partition("=")[0] for one in matched[2].split(",")} <= {"file", "line", "title"}


def test_what_a_command_would_split_at_is_escaped() -> None:
    told = report(Verdict.DRIFT, finding("50%,a::b", place=Place("a,b:c%d", 3)))
    assert github(told).splitlines()[0] == (
        "::error file=a%2Cb%3Ac%25d,line=3,title=envparity%3A high::os-packages: 50%25,a::b 3.0.15 → 3.0.11"
    )


def test_more_annotations_than_a_run_may_have_are_counted() -> None:
    lines = github(report(Verdict.DRIFT, *(finding(f"package-{number}") for number in range(60)))).splitlines()
    assert len(lines) == 51
    assert lines[-1].endswith("; 10 more are not annotated")


@given(hostile)
def test_a_table_has_a_row_for_each_finding_and_no_formula_whatever_the_report_holds(told: Report) -> None:
    first, *rows = csv.reader(StringIO(table(told)))
    assert tuple(first) == COLUMNS
    assert len(rows) == len(told.findings) + len(told.reasons)
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert not any(re.match(r"\s*[=+\-@\t\r]", cell) for row in rows for cell in row)
    assert all(is_inert(cell, 33_000) for row in rows for cell in row)


class Tags(HTMLParser):
    """The tags and attributes of a page, and its prose: nothing becomes a link in a block of code."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.prose = ""
        self._is_code = False
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self._is_code = self._is_code or tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        self._is_code = self._is_code and tag != "pre"

    def handle_data(self, data: str) -> None:
        self.prose += "" if self._is_code else data


@given(hostile)
def test_markdown_has_no_markup_but_ours_whatever_the_report_holds(told: Report) -> None:
    content = gate_markdown(told)
    assert content.startswith(f"<!-- envparity {told.verb} -->\n")
    assert len(content) < 65_536
    page = Tags(MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").render(content))
    assert page.tags <= ALLOWED_TAGS
    assert {name for name, _ in page.attributes} <= {"open", "href", "class"}
    assert not re.search(r"(@|#|://|www\.)(?!\u200b)", page.prose.replace("www\u200b.", ""))


def test_a_comment_of_many_findings_says_how_many_it_leaves_out() -> None:
    many = tuple(finding(f"package-{number}", words="x" * 150) for number in range(1000))
    content = gate_markdown(report(Verdict.DRIFT, *many))
    assert len(content) < 65_536
    rows = content.count("| high |")
    assert f"\n{1000 - rows} more are not in this comment\n" in content


def test_a_remedy_that_fills_a_comment_does_not_push_out_what_fails() -> None:
    cause = replace(TYPICAL.causes[0], steps=("x" * 100_000,))
    content = gate_markdown(replace(TYPICAL, causes=(cause,)))
    assert "xxx" not in content
    assert "| high | os-packages <code>libssl3</code> |" in content


@given(hostile)
def test_a_page_has_no_markup_but_ours_whatever_the_report_holds(told: Report) -> None:
    page = Tags(gate_html(told))
    ours = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "section", "details", "summary"}
    assert page.tags <= ALLOWED_TAGS | ours
    assert not any(name.startswith("on") or name in ("src", "href") for name, _ in page.attributes)


@given(hostile)
def test_no_line_of_text_begins_or_holds_a_command_whatever_the_report_holds(told: Report) -> None:
    content = rendered(told).content("text")
    for line in content.splitlines():
        assert is_inert(line, 300)
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


@given(hostile)
def test_json_is_read_back_as_it_was_whatever_the_report_holds(told: Report) -> None:
    content = rendered(told).content("json")
    assert json.loads(content) == json.loads(json.dumps(told.document()))
    assert all(char.isprintable() or char == "\n" for char in content)
    content.encode()


def is_inert(text: str, longest: int = 3 * LONGEST) -> bool:
    """Whether every character is one that can be seen, and there are not more than anybody reads."""
    return all(char.isprintable() or char in "\n\u200b" for char in text) and len(text) <= longest


@pytest.mark.parametrize("everything", [False, True])
def test_the_answer_comes_first_and_the_exit_code_last(everything: bool) -> None:
    lines = report_rendering(TYPICAL, everything, FILE, 1).content("text").splitlines()
    assert lines[0].startswith("drift: 1 declared, 1 undeclared: libssl3 3.0.15 → 3.0.11 via base image")
    assert lines[-1] == "exit 1"
    starts = [next(number for number, line in enumerate(lines) if line.startswith(start))
              for start in ("likely causes (the good side is env:prod", "  high")]  # fmt: skip
    assert starts == sorted(starts)
    assert any("flask" in line for line in lines) == everything


def test_a_note_that_several_causes_have_is_told_once() -> None:
    causes = tuple(Suspected(rank, "python", f"p{rank}", (), (), "build anew") for rank in (1, 2))
    assert rendered(replace(TYPICAL, causes=causes)).content("text").count("build anew") == 1
    causes = (causes[0], replace(causes[1], note="install"))
    text = rendered(replace(TYPICAL, causes=causes)).content("text")
    assert (text.count("build anew"), text.count("install")) == (1, 1)


def test_a_doubt_beside_drift_could_not_be_told() -> None:
    text = rendered(replace(TYPICAL, reasons=("web is stale",), doubts=("web is stale",))).content("text")
    assert "could not be told:\n  - web is stale" in text


def test_the_largest_report_fits_on_a_screen() -> None:
    long = "x" * 5000
    many = [finding(f"{long}{number}", standing) for standing in Standing for number in range(500)]
    cause = TYPICAL.causes[0]
    causes = tuple(type(cause)(number, "os-packages", long, (long,) * 9, (long,) * 9, long) for number in range(1, 10))
    told = report(Verdict.DRIFT, *many, causes=causes, reasons=(long,) * 50, notes=(long,) * 50)
    lines = rendered(told).content("text").splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 210
    assert "  and 492 more" in lines


def test_an_exit_code_that_is_not_the_verdict_s_is_the_one_that_is_told() -> None:
    lines = report_rendering(UNTOLD, False, FILE, 0).content("text").splitlines()
    assert (lines[0], lines[-1]) == ("unknown: cannot tell: web-1 is stale", "exit 0")
    assert "  - web-1 has not reported since 2026-11-01" in lines


LISTS: dict[str, Callable[[Report], str]] = {
    "sarif": lambda told: sarif(told, FILE),
    "junit": junit,
    "gitlab": lambda told: gitlab(told, FILE),
    "github": github,
    "csv": table,
    "markdown": gate_markdown,
    "html": gate_html,
}


@pytest.mark.parametrize("format", LISTS)
def test_a_verdict_that_cannot_be_told_is_in_every_format_although_nothing_was_found(format: str) -> None:
    assert "web-1 has not reported since" in LISTS[format](UNTOLD)


def test_a_comparison_is_a_report_without_a_verdict() -> None:
    left, right = (host(packages({"idna": version}), name=name) for version, name in (("3.4", "a"), ("3.7", "b")))
    told = report_of(rate(compare(left, right)))
    assert (told.verb, told.verdict, told.subject, told.reference) == ("diff", None, "a", "b")
    [one] = told.standing(Standing.FAILS)
    assert (one.item, one.words, one.severity) == ("idna", "3.4 → 3.7", "medium")
    assert "::warning title=envparity%3A medium::python/srv/shop: idna 3.4 → 3.7" in github(told)
