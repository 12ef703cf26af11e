"""A report as annotations of a GitHub workflow: commands that its runner takes out of the log.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from envparity_server.gating.model import Report, Verdict
from envparity_server.reports.entries import UNKNOWN, Entry, entries, line, path, plain

MOST = 50  # annotations that a run may have

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def github(report: Report) -> str:
    """An annotation a line: what fails as an error, what is unknown as a warning, and the summary as a notice."""
    told = tuple(entries(report))
    lines = [_annotation(one, report) for one in told[:MOST]]
    rest = len(told[MOST:])
    more = f"; {rest} more are not annotated" if rest else ""
    if report.verdict != Verdict.UNKNOWN or rest:  # else the summary is the first of the entries
        title = f"envparity: {report.verdict or report.verb}"
        lines.append(_command("notice", {"title": title}, f"{plain(report.summary)}{more}"))
    return "\n".join(lines) + "\n"


def _annotation(entry: Entry, report: Report) -> str:
    place = {"file": path(entry.place, ""), "line": str(line(entry.place))} if entry.place else {}
    command = "warning" if entry.severity == UNKNOWN or report.verdict is None else "error"
    return _command(command, {**place, "title": f"envparity: {entry.severity}"}, entry.message)


def _command(name: str, properties: dict[str, str], message: str) -> str:
    told = ",".join(f"{key}={_escaped(plain(value), _PROPERTY)}" for key, value in properties.items())
    return f"::{name} {told}::{_escaped(message, _DATA)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(char, char) for char in text)
