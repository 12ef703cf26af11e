"""The formats in which a verb gives its result, `-o FORMAT[=FILE]`, and where each goes."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.text import Text

from envparity_agent.errors import NotWritten, UsageError
from envparity_agent.terminal import complain, note, out, say_json, silence, to_json, write
from envparity_server.cli.writing import append, write_whole

FOR_PEOPLE = ("text", "json", "markdown", "html")
FORMATS = (*FOR_PEOPLE, "sarif", "junit", "github", "gitlab", "csv")
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"  # the file whose Markdown GitHub shows on the page of a run

_IN_A_LOG = {"text", "github"}  # both are lines of a job's log, and one log may have both


def _option(formats: Sequence[str]) -> Any:
    told = f"{', '.join(formats[:-1])} or {formats[-1]}, and a file for it: -o markdown=comment.md. Repeatable."
    return typer.Option("--output", "-o", metavar="FORMAT[=FILE]", help=told)


Outputs = Annotated[list[str] | None, _option(FOR_PEOPLE)]
AllOutputs = Annotated[list[str] | None, _option(FORMATS)]


@dataclass(frozen=True)
class Rendering:
    """A result in every format; each is made when it is asked for."""

    text: Callable[[], None]  # prints it
    document: Callable[[], Any]
    markdown: Callable[[], str]
    html: Callable[[], str]
    for_tools: Mapping[str, Callable[[], str]] = field(default_factory=dict)  # the formats that other tools read

    def content(self, format: str) -> str:
        """The result as the content of a file."""
        if format == "text":
            with out.capture() as captured:
                self.text()
            return "".join(f"{Text.from_ansi(line).plain}\n" for line in captured.get().splitlines())
        if format == "json":
            return to_json(self.document())
        return {"markdown": self.markdown, "html": self.html, **self.for_tools}[format]()


@dataclass(frozen=True)
class Output:
    """A format, and the file for it; empty for standard output."""

    format: str
    file: str = ""


def parse_outputs(words: Sequence[str] | None, json: bool, formats: Sequence[str] = FOR_PEOPLE) -> tuple[Output, ...]:
    """Read `-o` and `--json`; text on standard output where neither is given. Raises UsageError."""
    found = [_output(word, formats) for word in words or ()]
    found += [Output("json")] if json and Output("json") not in found else []
    printed = [one.format for one in found if not one.file]
    if len(printed) > 1 and (len(printed) > len(set(printed)) or set(printed) != _IN_A_LOG):
        raise UsageError("two formats go to standard output", "name a file for all but one: -o markdown=comment.md")
    files = [os.path.abspath(one.file) for one in found if one.file]
    if len(set(files)) < len(files):
        raise UsageError("two formats go to one file", "name another file for each")
    return tuple(found) or (Output("text"),)


def _output(word: str, formats: Sequence[str]) -> Output:
    format, separator, file = word.partition("=")
    if format not in formats:
        raise UsageError(f"{format} is no format", f"formats: {', '.join(formats)}")
    if separator and not file:
        raise UsageError(f"{word} names no file", f"-o {format}=FILE")
    return Output(format, file)


def deliver(outputs: Sequence[Output], result: Rendering, exit_code: int = 0) -> None:
    """Give the result in each format, files first, the others as well where one cannot be written.

    Raises NotWritten for the first that cannot. Its exit code is `exit_code`, what the verb found; where that is 0,
    2 for a place that cannot be written to, and 3 for a disk that is full or broken. A reader that leaves is no error.
    """
    problems: list[NotWritten] = []
    for one in sorted(outputs, key=lambda one: not one.file):
        try:
            _give(one, result)
        except NotWritten as problem:
            problems.append(problem)
    for other in problems[1:]:
        complain(other)
    if problems:
        first = problems[0]
        raise NotWritten(str(first), first.advice, exit_code, first.exit_code)


def _give(one: Output, result: Rendering) -> None:
    if one.file:
        write_whole(one.file, result.content(one.format))
        note(f"{one.format} is in {one.file}")
    else:
        _print(one.format, result)
    if one.format == "github" and os.environ.get(STEP_SUMMARY):
        append(os.environ[STEP_SUMMARY], result.markdown())


def _print(format: str, result: Rendering) -> None:
    try:
        if format == "text":
            result.text()
        elif format == "json":
            say_json(result.document())
        else:
            write(result.content(format))
    except OSError as problem:
        silence()
        raise NotWritten(f"cannot write the result: {problem.strerror}", "write it to a file: -o FORMAT=FILE") from None
