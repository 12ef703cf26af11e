"""Tests of where results go: files whole or not at all, and an exit code that stays right whoever stops reading."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from envparity_agent.errors import NotWritten, UsageError
from envparity_server.cli.outputs import FORMATS, STEP_SUMMARY, Output, deliver, parse_outputs
from envparity_server.cli.report_outputs import report_rendering
from envparity_server.cli.writing import append, write_whole
from tests.forking import PROGRAM
from tests.server.cli.running import environment, envparity
from tests.server.reports.reporting import TYPICAL

RENDERING = report_rendering(TYPICAL, False, "envparity.toml", 1)

# a verb that found drift, parity or nothing that can be told, and prints its report as a gate does
VERB = """
import sys, typer
from envparity_agent import cli
from envparity_server.cli.outputs import FORMATS, deliver, parse_outputs
from envparity_server.cli.report_outputs import report_rendering
from tests.server.reports.reporting import TYPICAL
code, *outputs = sys.argv[1:]
@cli.app.command("judge")
def judge() -> None:
    deliver(parse_outputs(outputs, False, FORMATS), report_rendering(TYPICAL, False, "x", int(code)), int(code))
    raise typer.Exit(int(code))
sys.argv[1:] = ["judge"]
cli._plug_in = lambda words: None  # no other verb is loaded
cli.main()
"""
ROOT = Path(__file__).parents[3]
FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full: run the tests on Linux")


def judged(home: Path, code: int, *outputs: str, how: str = '"$@"') -> subprocess.CompletedProcess[str]:
    """Run such a verb, in a shell that redirects it."""
    words = ["bash", "-c", how, "bash", sys.executable, "-B", "-c", VERB, str(code), *outputs]
    found = {**environment(home), "PYTHONPATH": str(ROOT)}  # the verb takes its report from the tests
    return subprocess.run(words, cwd=home, env=found, capture_output=True, text=True, timeout=120, check=False)


def listed(directory: Path) -> set[str]:
    """The names in a directory, but for the settings that tests and runs are given."""
    return set(os.listdir(directory)) - {"no-settings.toml", "server.toml"}


def test_every_format_is_written_in_one_run(tmp_path: Path) -> None:
    outputs = parse_outputs([f"{one}={tmp_path / one}" for one in FORMATS], False, FORMATS)
    deliver(outputs, RENDERING)
    assert listed(tmp_path) >= set(FORMATS)
    assert all((tmp_path / one).read_text("utf-8") == RENDERING.content(one) for one in FORMATS)


def test_a_verb_has_the_formats_that_it_names() -> None:
    assert parse_outputs(["sarif=a"], False, FORMATS) == (Output("sarif", "a"),)
    with pytest.raises(UsageError, match="sarif is no format"):
        parse_outputs(["sarif=a"], False)


def test_text_and_annotations_share_the_log_of_a_job_and_nothing_else_shares_standard_output() -> None:
    assert len(parse_outputs(["text", "github"], False, FORMATS)) == 2
    for words in (["text", "json"], ["text", "text"], ["github", "github"], ["github", "sarif", "text"]):
        with pytest.raises(UsageError, match="two formats go to standard output"):
            parse_outputs(words, False, FORMATS)


def test_one_file_by_two_names_is_one_file() -> None:
    with pytest.raises(UsageError, match="one file"):
        parse_outputs(["json=a", "html=./a"], False, FORMATS)


def test_a_new_file_has_the_usual_mode_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("before")
    old.chmod(0o640)
    for one in (old, new):
        write_whole(str(one), "after")
    usual = tmp_path / "usual"
    usual.touch()
    assert [stat.S_IMODE(one.stat().st_mode) for one in (old, new)] == [0o640, stat.S_IMODE(usual.stat().st_mode)]
    assert listed(tmp_path) == {"old", "new", "usual"}


def test_a_symlink_stays_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    write_whole(str(tmp_path / "link"), "after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "after"


def test_a_named_pipe_is_written_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_whole(str(pipe), "x" * 200_000)
    reader.join()
    assert read == ["x" * 200_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("place", ["none/a", "", "a\0b", "x" * 300, "file/a"])
def test_a_place_that_is_none_is_a_usage_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotWritten, match="cannot write") as raised:
        write_whole(f"{tmp_path}/{place}", "content")
    assert raised.value.exit_code == 2
    assert listed(tmp_path) == {"file"}


def test_a_disk_that_fills_leaves_what_was_there_and_no_half_written_file(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("before")
    ended = judged(tmp_path, 0, "html=report.html", "csv=new.csv", how='ulimit -f 0; "$@" </dev/null')
    assert ended.returncode == 3, ended.stderr
    assert "cannot write report.html: File too large" in ended.stderr
    assert (tmp_path / "report.html").read_text() == "before"
    assert listed(tmp_path) == {"report.html"}


@pytest.mark.parametrize(("found", "told"), [(0, 3), (1, 1), (3, 3)])
@FULL
def test_a_disk_that_is_full_is_never_parity_and_drift_stays_drift(tmp_path: Path, found: int, told: int) -> None:
    for outputs, how in (
        ((), '"$@" >/dev/full'),
        (("json",), '"$@" >/dev/full'),
        (("github",), '"$@" >/dev/full'),
        (("sarif=/dev/full",), '"$@"'),
    ):
        ended = judged(tmp_path, found, *outputs, how=how)
        assert ended.returncode == told, (outputs, ended.stderr)
        assert "cannot write" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert "Exception ignored" not in ended.stderr


@pytest.mark.parametrize("found", [0, 1, 3])
def test_a_reader_that_has_left_changes_no_exit_code(tmp_path: Path, found: int) -> None:
    for outputs in ((), ("json",), ("csv",), ("sarif=/dev/stdout",)):
        # the reader is gone before the first line is written: the descriptor is a pipe without one
        gone = 'exec 3> >(exec true); wait $!; "$@" >&3'
        ended = judged(tmp_path, found, *outputs, how=gone)
        assert ended.returncode == found, (outputs, ended.stderr)
        assert "Traceback" not in ended.stderr
        assert "Broken pipe" not in ended.stderr


def test_the_other_formats_are_written_where_one_cannot_be(tmp_path: Path) -> None:
    ended = judged(tmp_path, 1, "sarif=none/a.sarif", "csv=none/a.csv", "junit=junit.xml", "text")
    assert ended.returncode == 1
    assert ended.stdout.startswith("drift: ")
    assert (tmp_path / "junit.xml").read_text() == RENDERING.content("junit")
    assert "none/a.sarif" in ended.stderr
    assert "none/a.csv" in ended.stderr


def test_a_redirected_standard_output_is_written_and_not_replaced(tmp_path: Path) -> None:
    how = '{ echo before; "$@"; echo after; } >out.txt 2>/dev/null'
    judged(tmp_path, 0, "json=/dev/stdout", how=how)
    told = (tmp_path / "out.txt").read_text()
    assert told == f"before\n{RENDERING.content('json')}after\n"


def test_the_step_summary_of_github_gets_the_comment_after_what_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "summary.md").write_text("before\n")
    monkeypatch.setenv(STEP_SUMMARY, str(tmp_path / "summary.md"))
    deliver([Output("github", str(tmp_path / "github.txt"))], RENDERING)
    assert (tmp_path / "summary.md").read_text() == "before\n" + RENDERING.content("markdown")
    deliver([Output("json", str(tmp_path / "json"))], RENDERING)
    assert (tmp_path / "summary.md").read_text().count("<!-- envparity gate -->") == 1


@FULL
def test_a_step_summary_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STEP_SUMMARY, "/dev/full")
    with pytest.raises(NotWritten, match="/dev/full") as raised:
        deliver([Output("github", str(tmp_path / "github.txt"))], RENDERING)
    assert raised.value.exit_code == 3


def test_what_is_appended_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    script = "from envparity_server.cli.writing import append; append('log', 'x' * 4000)"
    (tmp_path / "log").write_text("y" * 1000)
    ended = subprocess.run(
        # without -B Python would leave half-written bytecode behind for others to load
        ["bash", "-c", 'ulimit -f 2; exec "$@"', "bash", sys.executable, "-B", "-c", script],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "cannot write log: File too large" in ended.stderr
    assert (tmp_path / "log").read_text() == "y" * 1000
    append(str(tmp_path / "log"), "z")
    assert (tmp_path / "log").read_text() == "y" * 1000 + "z"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A directory with two requirements files that differ."""
    (tmp_path / "a.txt").write_text("idna==3.4\n")
    (tmp_path / "b.txt").write_text("idna==3.7\n")
    return tmp_path


def test_a_comparison_is_told_in_every_format_with_the_file_that_was_compared_as_its_place(lists: Path) -> None:
    outputs = [word for one in FORMATS[1:] for word in ("-o", f"{one}=out.{one}")]
    ended = envparity(lists, "diff", "a.txt", "b.txt", *outputs)
    assert ended.exit_code == 0, ended.complaint
    assert '"uri": "a.txt"' in (lists / "out.sarif").read_text()
    assert '"path": "a.txt"' in (lists / "out.gitlab").read_text()
    assert "idna 3.4 → 3.7" in (lists / "out.github").read_text()
    assert all((lists / f"out.{one}").stat().st_size for one in FORMATS[1:])


def test_an_explanation_has_no_formats_for_tools(lists: Path) -> None:
    ended = envparity(lists, "explain", "a.txt", "b.txt", "-o", "sarif")
    assert (ended.exit_code, ended.output) == (2, "")
    assert "formats: text, json, markdown, html" in ended.complaint


@FULL
def test_a_verb_whose_result_cannot_be_written_exits_3_and_one_that_nobody_reads_ends_as_it_would(lists: Path) -> None:
    for verb, code in (('"$0" diff a.txt b.txt >/dev/full', 3), ('"$0" rules --help >/dev/full', 3),
                       ('exec 3> >(exec true); wait $!; "$0" diff a.txt b.txt >&3', 0)):  # fmt: skip
        ended = subprocess.run(
            ["bash", "-c", verb, PROGRAM],
            cwd=lists,
            env=environment(lists),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == code, (verb, ended.stderr)
        assert "Traceback" not in ended.stderr
        assert "Exception ignored" not in ended.stderr
