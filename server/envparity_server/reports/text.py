"""A comparison as text for the terminal: grouped, folded to one screen, and ending with what was not examined."""

from collections.abc import Sequence

from envparity_agent.terminal import say, say_columns, styled
from envparity_server.compare.groups import Expected, Group, expected, group, severities, wording
from envparity_server.compare.model import UNKNOWN_STATES, Comparison

_MOST_UNEXAMINED = 6


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
    unknown = sum(one.state in UNKNOWN_STATES for one in comparison.differences)
    gaps = f", {unknown} unknown: this is not parity" if unknown else ""
    covered = expected(comparison.differences)
    count = sum(one.count for one in covered)
    told = severities(comparison.differences) or ("nothing unexpected" if covered else "no difference")
    counted = f"; {count} expected" if covered else ""
    say(f"{told}{gaps}{counted}; {comparison.same} items the same", "bold")
    _print_expected(covered, everything)
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
