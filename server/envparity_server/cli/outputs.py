"""The formats in which a verb gives its result, `-o FORMAT[=FILE]`, and where each goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.text import Text

from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, out, say_json, to_json

FORMATS = ("text", "json", "markdown", "html")
_HELP = "text, json, markdown or html, and a file for it: -o markdown=comment.md. Repeatable."

Outputs = Annotated[list[str] | None, typer.Option("--output", "-o", metavar="FORMAT[=FILE]", help=_HELP)]


@dataclass(frozen=True)
class Rendering:
    """A result in every format; each is made when it is asked for."""

    text: Callable[[], None]  # prints it
    document: Callable[[], Any]
    markdown: Callable[[], str]
    html: Callable[[], str]

    def content(self, format: str) -> str:
        """The result as the content of a file."""
        if format == "text":
            with out.capture() as captured:
                self.text()
            return "".join(f"{Text.from_ansi(line).plain}\n" for line in captured.get().splitlines())
        if format == "json":
            return to_json(self.document())
        return self.markdown() if format == "markdown" else self.html()


@dataclass(frozen=True)
class Output:
    """A format, and the file for it; empty for standard output."""

    format: str
    file: str = ""


def parse_outputs(words: Sequence[str] | None, json: bool) -> tuple[Output, ...]:
    """Read `-o` and `--json`; text on standard output where neither is given. Raises UsageError."""
    found = [_output(word) for word in words or ()]
    found += [Output("json")] if json and Output("json") not in found else []
    if sum(not one.file for one in found) > 1:
        raise UsageError("two formats go to standard output", "name a file for all but one: -o markdown=comment.md")
    files = [one.file for one in found if one.file]
    if len(set(files)) < len(files):
        raise UsageError("two formats go to one file", "name another file for each")
    return tuple(found) or (Output("text"),)


def _output(word: str) -> Output:
    format, separator, file = word.partition("=")
    if format not in FORMATS:
        raise UsageError(f"{format} is no format", f"formats: {', '.join(FORMATS)}")
    if separator and not file:
        raise UsageError(f"{word} names no file", f"-o {format}=FILE")
    return Output(format, file)


def deliver(outputs: Sequence[Output], result: Rendering) -> None:
    """Give the result in each format, files first; raises UsageError for a file that cannot be written."""
    for one in sorted(outputs, key=lambda one: not one.file):
        if one.file:
            _write(one.file, result.content(one.format))
            note(f"{one.format} is in {one.file}")
        elif one.format == "text":
            result.text()
        elif one.format == "json":
            say_json(result.document())
        else:
            out.file.write(result.content(one.format))


def _write(file: str, content: str) -> None:
    try:
        with open(file, "w", encoding="utf-8") as target:
            target.write(content)
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the name
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise UsageError(f"cannot write {file}: {reason}", "name a file in a directory that is yours") from None
