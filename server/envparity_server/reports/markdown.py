"""Comparisons and explanations as Markdown that fits the comment of a pull request: what matters first, details folded.

https://github.github.com/gfm/
"""

import re
from collections.abc import Iterator, Sequence
from html import escape

from envparity_agent.terminal import printable
from envparity_server.compare.groups import Group, expected, group, severities, wording
from envparity_server.compare.model import UNKNOWN_STATES, Comparison
from envparity_server.explain.model import Cause, Explanation, Remedy
from envparity_server.explain.words import headline, shown, summary, unexamined

MAX_ROWS = 150  # of all tables together: a comment holds 65,536 characters
_MAX_CELL = 200
_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_LINKED = re.compile(r"(@|#|://)")  # mentions, issues and addresses become links, which nobody here meant


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
            f"{escape(printable(one.section))}: {one.digest}",
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


def _folded(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        cut = len(lines) - MAX_ROWS
        told = [f"- {_text(line)}" for line in lines[:MAX_ROWS]]
        yield from _details(f"{title}: {len(lines)}", told, f"{cut} more are not in this comment" if cut > 0 else "")


def _details(title: str, lines: Sequence[str], note: str = "") -> list[str]:
    return ["", f"<details><summary>{title}</summary>", "", *lines, *(["", note] if note else []), "", "</details>"]


def _text(foreign: str) -> str:
    """Foreign text that is nothing but text: no markup, and nobody is mentioned by it."""
    told = printable(foreign)
    told = told if len(told) <= _MAX_CELL else f"{told[:_MAX_CELL]}…"
    return _LINKED.sub("\\1\u200b", _SPECIAL.sub(r"\\\1", escape(told, quote=False)))


def _code(foreign: str) -> str:
    return f"<code>{_text(foreign)}</code>"
