"""Comparisons and reports as text for the terminal: folded to one screen, ending with what was not examined."""

import re
from collections.abc import Sequence
from itertools import zip_longest

from envparity_agent.terminal import say, say_columns, styled
from envparity_server.compare.groups import Expected, Group, expected, group, wording
from envparity_server.compare.model import Comparison
from envparity_server.gating.model import Finding, Report, Standing, Verdict
from envparity_server.reports.comparisons import summary
from envparity_server.reports.entries import plain
from envparity_server.reports.words import EXIT_CODES, accounted, place_of, standing_of, suspect_of, untold

_MOST_UNEXAMINED = 6

# what a report shows unless everything is asked for: all of it together fits on a screen
_MOST_FINDINGS = 20
_MOST_FINDINGS_WITH_CAUSES = 8
_MOST_CAUSES = 3
_MOST_REASONS = 2  # of a cause
_MOST_STEPS = 3
_MOST_NOTES = 3
_LONGEST_LINE = 200

_STYLES = {Verdict.PARITY: "bold green", Verdict.DRIFT: "bold red", Verdict.UNKNOWN: "bold red"}
_COMMAND = re.compile(r"##(?=\w*\[)")  # in the middle of a line, runners of pipelines take `##[…]` for a command


def print_comparison(comparison: Comparison, everything: bool) -> None:
    """Print the differences of each section, folded where they are many unless everything is asked for."""
    left, right = comparison.left, comparison.right
    say(f"left   {left.kind} {left.name}", "bold")
    say(f"right  {right.kind} {right.name}", "bold")
    for one in group(comparison):
        say("")
        _print_group(one, everything)
    say("")
    _print_end(comparison, everything)


def _print_group(one: Group, everything: bool) -> None:
    say(one.section + (f"  against  {one.counterpart} ({one.why_paired})" if one.counterpart else ""), "bold")
    if one.is_folded and not everything:
        say(f"  {one.severity.word:<8}  {one.digest}", one.severity.word)
        say(f"            first: {', '.join(one.examples)}", "dim")
        return
    say_columns(
        (
            styled(f"  {difference.word:<8}", difference.word),
            styled(difference.item or "the whole section"),
            styled(wording(difference)),
            styled(str(difference.distance or ""), "dim"),
        )
        for difference in one.differences
    )


def _print_end(comparison: Comparison, everything: bool) -> None:
    say(summary(comparison), "bold")
    _print_expected(expected(comparison.differences), everything)
    for remark in comparison.remarks:
        say(remark)
    if not comparison.unexamined:
        say(
            "not examined: nothing, all that both sides have was compared"
            if comparison.examined
            else "nothing was compared"
        )
        return
    say("not examined:")
    shown = comparison.unexamined if everything else comparison.unexamined[:_MOST_UNEXAMINED]
    for one in shown:
        say(f"  {one.section}: {one.why}")
    if len(shown) < len(comparison.unexamined):
        say(f"  and {len(comparison.unexamined) - len(shown)} more (--all)")


def _print_expected(covered: Sequence[Expected], everything: bool) -> None:
    """What rules expect, a line a rule; each difference below its rule where everything is asked for."""
    if covered:
        say("expected:" if everything else "expected (each of them: --all):")
    for one in covered:
        say(f"  {one.digest}")
        if everything:
            say_columns(
                (styled(f"    {difference.section}"), styled(difference.item), styled(wording(difference)))
                for difference in one.differences
            )


def print_report(report: Report, everything: bool, exit_code: int | None = None) -> None:
    """Print what a gate answers: the answer, likely causes with remedies, what fails, and what is accounted for.

    `exit_code` is that of the verb, where it is not the verdict's. No line begins with foreign text: a pipeline's
    log is read for commands.
    """
    telling = _Telling(everything)
    verdict = report.verdict
    telling.line(f"{verdict or report.verb}: {report.summary}", _STYLES[verdict] if verdict else "bold")
    _print_causes(report, telling)
    _print_failing(report, telling)
    if accounted(report):
        telling.line(f"accounted for: {', '.join(accounted(report))}")
    if everything:
        _print_accounted(report, telling)
    _print_untold(report, telling)
    notes = [*report.notes, *report.remarks]
    for one in notes if everything else notes[:_MOST_NOTES]:
        telling.line(f"note: {one}", "dim")
    _print_where(report, telling)
    if verdict:
        telling.line(f"exit {EXIT_CODES[verdict] if exit_code is None else exit_code}", "bold")


class _Telling:
    """Prints lines, cut where they are longer than anybody reads, unless everything is asked for."""

    def __init__(self, everything: bool) -> None:
        self.everything = everything

    def line(self, text: str, style: str = "") -> None:
        told = text if self.everything else plain(text, _LONGEST_LINE)
        say(_COMMAND.sub("# #", told), style)

    def list(self, before: str, lines: Sequence[str], most: int = 0, style: str = "") -> None:
        """The lines, each after `before`; of more than `most`, how many are left out."""
        few = lines[:most] if most and not self.everything else lines
        for line in few:
            self.line(f"  {before}{line}", style)
        if len(few) < len(lines):
            self.line(f"  and {len(lines) - len(few)} more", "dim")


def _print_causes(report: Report, telling: _Telling) -> None:
    if not report.causes:
        return
    telling.line(f"likely causes (the good side is {report.reference}, the bad side {report.subject}):", "bold")
    shown = report.causes if telling.everything else report.causes[:_MOST_CAUSES]
    for one, following in zip_longest(shown, shown[1:]):
        telling.line(f"{one.rank}. {suspect_of(one)}")
        telling.list("- ", one.reasons if telling.everything else one.reasons[:_MOST_REASONS])
        telling.list("$ ", one.steps, _MOST_STEPS, "bold")
        if one.note and not (following and following.note == one.note):  # of several in a row, once
            telling.line(f"  note: {one.note}", "dim")


def _print_failing(report: Report, telling: _Telling) -> None:
    failing = report.standing(Standing.FAILS)
    if not failing:
        return
    telling.line(f"differs, {report.threshold} or over, and nothing accounts for it:", "bold")
    most = _MOST_FINDINGS_WITH_CAUSES if report.causes else _MOST_FINDINGS
    shown = failing if telling.everything else failing[:most]
    for one in shown:
        telling.line(f"  {_finding(one)}", one.severity)
    if len(shown) < len(failing):
        telling.line(f"  and {len(failing) - len(shown)} more", "dim")


def _print_accounted(report: Report, telling: _Telling) -> None:
    for one in report.findings:
        if one.standing not in (Standing.FAILS, Standing.UNKNOWN):
            telling.line(f"  {_finding(one)}; {standing_of(one)}", "dim")
    telling.list("rule ", [f"{rule}: {reason} ({count})" for rule, reason, count in report.rules])
    telling.list("paired: ", [f"{left} with {right}: {why}" for left, right, why in report.paired])


def _finding(one: Finding) -> str:
    place = f" ({place_of(one)})" if one.place else ""
    return f"{one.severity:<8}  {one.section}  {one.headline}{place}"


def _print_untold(report: Report, telling: _Telling) -> None:
    lines = untold(report)
    if lines:
        is_open = report.verdict == Verdict.UNKNOWN or report.doubts
        telling.line("could not be told:" if is_open else "not examined:", "bold")
        telling.list("- ", lines, _MOST_UNEXAMINED)


def _print_where(report: Report, telling: _Telling) -> None:
    if report.run.get("url") or report.run.get("id"):
        telling.line(f"kept as {report.run.get('url') or report.run['id']}")
    if report.findings and not telling.everything:
        telling.line("all of it: --all, or -o json", "dim")
