"""Comparisons, explanations and reports as Markdown that fits a comment: what matters first, details folded.

https://github.github.com/gfm/
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from envparity_agent.terminal import printable
from envparity_server.compare.groups import Group, expected, group, severities, wording
from envparity_server.compare.model import UNKNOWN_STATES, Comparison
from envparity_server.explain.model import Cause, Explanation, Remedy
from envparity_server.explain.words import headline, shown, summary, unexamined
from envparity_server.gating.model import Finding, Report, Standing, Suspected, Verdict
from envparity_server.reports.entries import plain
from envparity_server.reports.words import accounted, place_of, standing_of, suspect_of, untold

MAX_ROWS = 150  # of all tables together: a comment holds 65,536 characters
MAX_GATE = 60_000  # characters of a report's comment, its first and last lines aside
_MOST_REASONS = 4  # of a likely cause
_ADDRESS = re.compile(r"https?://[\w.:/%\[\]~-]{1,500}", re.ASCII)
_MAX_CELL = 200
_SPECIAL = re.compile(r"([\\`*_\[\]|~$])")
_LINKED = re.compile(r"(@|#|://|(?i:www)(?=\.))")  # mentions, issues and addresses become links, which nobody meant
_LIST = re.compile(r"([-+=]+|\d+(?=[.)]))(?=[.)]?(?:\s|$))")  # what begins a list or underlines, at the start of a line


def comparison_markdown(comparison: Comparison) -> str:
    """The comparison; a comment of another run is found by its first line and replaced."""
    told = severities(comparison.differences) or "no difference"
    unknown = sum(one.state in UNKNOWN_STATES for one in comparison.differences)
    gaps = f", {unknown} unknown" if unknown else ""
    covered = sum(one.count for one in expected(comparison.differences))
    counted = f"; {covered} expected" if covered else ""
    lines = [
        "<!-- envparity diff -->",
        f"### envparity: {_code(comparison.left.name)} against {_code(comparison.right.name)}",
        "",
        f"**{told}{gaps}{counted}; {comparison.same} items the same**",
        *_groups(group(comparison)),
        *_folded("not examined", [f"{one.section}: {one.why}" for one in comparison.unexamined]),
    ]
    return "\n".join(lines) + "\n"


def _groups(groups: Sequence[Group]) -> Iterator[str]:
    left = MAX_ROWS
    for one in groups:
        rows = [
            f"| {difference.word} | {_code(difference.item or 'the whole section')} | {_text(wording(difference))} "
            f"| {difference.distance or ''} |"
            for difference in one.differences[:left]
        ]
        left -= len(rows)
        cut = len(one.differences) - len(rows)
        yield from _details(
            f"{_html(one.section)}: {one.digest}",
            ["| | item | difference | distance |", "| --- | --- | --- | --- |", *rows],
            f"{cut} more are not in this comment" if cut else "",
        )


def explanation_markdown(explanation: Explanation, everything: bool) -> str:
    """The explanation; a comment of another run is found by its first line and replaced."""
    told = shown(explanation, everything)
    left, right = explanation.comparison.left, explanation.comparison.right
    lines = [
        "<!-- envparity explain -->",
        f"### envparity: {_code(left.name)} works, {_code(right.name)} does not",
        "",
        f"**{summary(explanation)}**",
    ]
    for cause in told.causes:
        lines += ["", *_cause(cause)]
    if told.below:
        rows = [f"| {one.rank} | {_text(headline(one))} | {one.score:.1f} |" for one in told.below[:MAX_ROWS]]
        cut = len(told.below) - len(rows)
        note = f"{cut} more are not in this comment" if cut else ""
        lines += _details(told.rest, ["| rank | difference | points |", "| ---: | --- | ---: |", *rows], note)
    lines += _folded("not examined", unexamined(explanation))
    return "\n".join(lines) + "\n"


def _cause(cause: Cause) -> Iterator[str]:
    yield f"**{cause.rank}. {_text(headline(cause))}** ({cause.score:.1f} points, in {_code(cause.suspect.section)})"
    yield ""
    for one in cause.evidence:
        yield f"- {_text(one.text)}"
    if cause.remedy:
        yield from _remedy(cause.remedy)


def _remedy(remedy: Remedy) -> Iterator[str]:
    steps = [printable(step) for step in remedy.steps]
    longest = max(map(len, re.findall("`+", "\n".join(steps))), default=0)
    fence = "`" * max(3, longest + 1)
    if steps:
        yield from ("", "To undo it:", "", f"{fence}sh", *steps, fence)
    if remedy.note:
        yield from ("", _text(remedy.note))


def gate_markdown(report: Report) -> str:
    """The report; a comment of another run is found by its first line and replaced."""
    room = _Room(MAX_GATE)
    lines = [
        f"<!-- envparity {report.verb} -->",
        f"### envparity: {report.verdict or report.verb}: {_code(report.subject)} against {_code(report.reference)}",
        "",
        f"**{_text(report.summary) or 'nothing is told'}**",  # four asterisks are a rule
    ]
    for cause in report.causes:
        lines += room.whole(["", *_suspected(cause)])
    lines += _failing(report.standing(Standing.FAILS), room)
    lines += _accounted(report, room)
    lines += _untold(report, room)
    lines += room.whole([f"\n{_text(one)}" for one in (*report.notes, *report.remarks)])
    return "\n".join([*lines, *_kept(report)]) + "\n"


class _Room:
    """How many characters are left of a comment."""

    def __init__(self, left: int) -> None:
        self._left = left

    def whole(self, lines: Sequence[str]) -> Sequence[str]:
        """All of the lines, or none where they do not fit."""
        length = sum(len(one) + 1 for one in lines)
        return self.fit(lines) if length <= self._left else []

    def fit(self, lines: Iterable[str]) -> list[str]:
        """As many of the lines as fit."""
        told = []
        for one in lines:
            if len(one) + 1 > self._left:
                self._left = 0
                break
            self._left -= len(one) + 1
            told.append(one)
        return told


def _suspected(cause: Suspected) -> Iterator[str]:
    likely = "likely cause: " if cause.rank == 1 else ""
    yield f"**{cause.rank}. {likely}{_text(suspect_of(cause))}**"
    yield ""
    for reason in cause.reasons[:_MOST_REASONS]:
        yield f"- {_text(reason)}"
    yield from _remedy(Remedy(cause.steps, cause.note))


def _failing(findings: Sequence[Finding], room: _Room) -> Iterator[str]:
    if not findings:
        return
    rows = room.fit(
        f"| {_text(one.severity)} | {_item(one)} | {_difference(one)} | {_text(place_of(one))} |" for one in findings
    )
    yield from ("", "| | item | difference | place |", "| --- | --- | --- | --- |", *rows)
    if len(rows) < len(findings):
        yield from ("", f"{len(findings) - len(rows)} more are not in this comment")


def _accounted(report: Report, room: _Room) -> Sequence[str]:
    findings = [one for one in report.findings if one.standing not in (Standing.FAILS, Standing.UNKNOWN)]
    if not findings:
        return ()
    rows = room.fit(f"| {_item(one)} | {_difference(one)} | {_text(standing_of(one))} |" for one in findings)
    title = _html(f"accounted for: {', '.join(accounted(report))}")
    cut = len(findings) - len(rows)
    table = ["| item | difference | why |", "| --- | --- | --- |", *rows]
    return _details(title, table, f"{cut} more are not in this comment" if cut else "")


def _untold(report: Report, room: _Room) -> Sequence[str]:
    """What could not be told: open where it is the verdict's reason."""
    lines = untold(report)
    if not lines:
        return ()
    told = room.fit(f"- {_text(line)}" for line in lines)
    cut = len(lines) - len(told)
    is_why = report.verdict == Verdict.UNKNOWN
    title = f"{'could not be told' if is_why else 'not examined'}: {len(lines)}"
    return _details(title, told, f"{cut} more are not in this comment" if cut else "", is_open=is_why)


def _item(one: Finding) -> str:
    return f"{_text(one.section)} {_code(one.item or 'the whole section')}"


def _difference(one: Finding) -> str:
    return _text(one.told)


def _kept(report: Report) -> Iterator[str]:
    """A link to the run, where the server told one that is an address and nothing else."""
    url = str(report.run.get("url") or "")
    if _ADDRESS.fullmatch(url):
        yield from ("", f"[all of it]({url})")


def _folded(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        cut = len(lines) - MAX_ROWS
        told = [f"- {_text(line)}" for line in lines[:MAX_ROWS]]
        yield from _details(f"{title}: {len(lines)}", told, f"{cut} more are not in this comment" if cut > 0 else "")


def _details(title: str, lines: Sequence[str], note: str = "", is_open: bool = False) -> list[str]:
    return [
        "",
        f"<details{' open' if is_open else ''}><summary>{title}</summary>",
        "",
        *lines,
        *(["", note] if note else []),
        "",
        "</details>",
    ]


def _text(foreign: str) -> str:
    """Foreign text that is nothing but text: no markup, and nobody is mentioned by it."""
    told = printable(foreign[: _MAX_CELL + 1])
    told = (told if len(told) <= _MAX_CELL else f"{told[:_MAX_CELL]}…").strip()
    marked = _LIST.match(told)
    before = f"{marked[0]}\u200b" if marked else ""
    rest = told[marked.end() :] if marked else told
    return before + _LINKED.sub("\\1\u200b", _SPECIAL.sub(r"\\\1", escape(rest, quote=False)))


def _html(foreign: str) -> str:
    """Foreign text inside of HTML, which is no Markdown; mentions become links there as well."""
    return _LINKED.sub("\\1\u200b", escape(plain(foreign)))


def _code(foreign: str) -> str:
    return f"<code>{_text(foreign)}</code>"
