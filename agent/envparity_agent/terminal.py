"""What the terminal shows: the result on stdout, everything else on stderr, foreign text without control characters."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from envparity_agent.errors import EnvparityError

_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}

_FILE_WIDTH = 500  # where nobody's window is the limit, no cell is broken

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _FILE_WIDTH)
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


def say_json(document: Any) -> None:
    """The result as JSON."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False, sort_keys=False)
    sys.stdout.write("\n")


def say_table(headers: Iterable[str], rows: Iterable[Iterable[str | Text]]) -> None:
    """A table of the result, as wide as it has to be."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else styled(cell) for cell in row))
    out.print(table)


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
