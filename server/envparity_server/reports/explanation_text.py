"""An explanation as text for the terminal: the first causes with their reasons, and what stands behind them."""

from envparity_agent.terminal import say
from envparity_server.explain.model import Cause, Explanation
from envparity_server.explain.words import headline, shown, summary, unexamined

_MOST_REASONS = 4
_MOST_UNEXAMINED = 6


def print_explanation(explanation: Explanation, everything: bool) -> None:
    """Print the first few causes, or all of them, and what was not examined."""
    left, right = explanation.comparison.left, explanation.comparison.right
    say(f"good  {left.kind} {left.name}", "bold")
    say(f"bad   {right.kind} {right.name}", "bold")
    say("")
    say(summary(explanation), "bold")
    told = shown(explanation, everything)
    for cause in told.causes:
        say("")
        _print_cause(cause, everything)
    if told.rest:
        say("")
        say(f"{told.rest} (--all)")
    _print_unexamined(explanation, everything)


def _print_cause(cause: Cause, everything: bool) -> None:
    indent = " " * (len(str(cause.rank)) + 2)
    say(f"{cause.rank}. {headline(cause)}", "bold" if cause.rank == 1 else "")
    say(f"{indent}in {cause.suspect.section}; {cause.score:.1f} points", "dim")
    reasons = cause.evidence if everything else cause.evidence[:_MOST_REASONS]
    for one in reasons:
        say(f"{indent}- {one.text}")
    if len(reasons) < len(cause.evidence):
        say(f"{indent}  and {len(cause.evidence) - len(reasons)} more reasons (--all)", "dim")
    if not cause.evidence:
        say(f"{indent}- nothing is known that speaks for or against it", "dim")
    if cause.remedy:
        if cause.remedy.steps:
            say(f"{indent}to undo it:")
        for step in cause.remedy.steps:
            say(f"{indent}  {step}", "bold")
        if cause.remedy.note:
            say(f"{indent}  {cause.remedy.note}", "dim")


def _print_unexamined(explanation: Explanation, everything: bool) -> None:
    lines = unexamined(explanation)
    if not lines:
        return
    say("")
    say("not examined:")
    few = lines if everything else lines[:_MOST_UNEXAMINED]
    for line in few:
        say(f"  {line}")
    if len(few) < len(lines):
        say(f"  and {len(lines) - len(few)} more (--all)")
