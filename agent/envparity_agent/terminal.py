"""What the terminal shows: the result on stdout, everything else on stderr, foreign text without control characters."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console
from rich.text import Text

from envparity_agent.errors import EnvparityError

_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}

_NOT_ASCII = re.compile(r"[^\x00-\x7e]")  # control characters below are escapes already

_FILE_WIDTH = 500  # where nobody's window is the limit, no cell is broken


class _Output(Console):
    """Standard output, whose reader may leave: `| head -1` is no error, and no reason for another exit code."""

    def on_broken_pipe(self) -> None:
        silence()


out = _Output(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _FILE_WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """Foreign text with control and direction characters shown by their escapes: they could forge what is read."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def styled(text: str, style: str = "") -> Text:
    """Foreign text in a style: a severity's name, or one of rich's."""
    return Text(printable(text), style=_STYLES.get(style, style))


def say(text: str, style: str = "") -> None:
    """One line of the result."""
    out.print(styled(text, style))


def note(text: str) -> None:
    """One line beside the result."""
    err.print(styled(text))


def write(text: str) -> None:
    """Text of the result as it is; nothing where the reader has left."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        silence()


def silence() -> None:
    """Standard output leads nowhere from here on: what could not be written must not fail once more at the exit."""
    with suppress(OSError):  # a standard output without a descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def say_json(document: Any) -> None:
    """The result as JSON."""
    write(to_json(document))


def to_json(document: Any) -> str:
    """JSON as it is printed, and written to files; what could forge what is read, and no text, are escapes."""
    text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=False)
    return _NOT_ASCII.sub(lambda match: _escaped(match[0]), text) + "\n"


def _escaped(char: str) -> str:
    return char if char.isprintable() else json.dumps(char)[1:-1]


def say_table(headers: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """A table of the result with a heading."""
    say_columns([[Text(header, style="bold") for header in headers], *rows])


def say_columns(rows: Iterable[Sequence[str | Text]]) -> None:
    """Rows of the result: each column as wide as it has to be, the last one as long as its text."""
    lines = [[cell if isinstance(cell, Text) else styled(cell) for cell in row] for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        told = Text()
        for cell, width in zip(line, widths, strict=True):
            told.append_text(cell).append(" " * (width - cell.cell_len + 2))
        told.rstrip()
        out.print(told)


def complain(problem: EnvparityError) -> int:
    """Tell what went wrong and what to do next; returns the exit code."""
    err.print(styled(f"envparity: {problem}", "bold red"))
    if problem.advice:
        err.print(styled(f"  {problem.advice}"))
    return problem.exit_code


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A line that says what long work is at, on a terminal; silent elsewhere."""
    if not err.is_terminal:
        yield lambda _: None
        return
    with err.status("starting") as status:
        yield lambda text: status.update(styled(text))
