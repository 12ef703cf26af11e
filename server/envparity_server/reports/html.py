"""Comparisons, explanations and reports as one HTML file that needs nothing else: no script, everything escaped."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from envparity_agent.terminal import printable
from envparity_server.compare.groups import Group, expected, group, severities, wording
from envparity_server.compare.model import UNKNOWN_STATES, Comparison
from envparity_server.explain.model import Cause, Explanation, Remedy
from envparity_server.explain.words import headline, shown, summary, unexamined
from envparity_server.gating.model import Finding, Report, Standing, Suspected, Verdict
from envparity_server.reports.words import accounted, place_of, standing_of, suspect_of, title_of, untold

_STYLE = """
:root { color-scheme: light dark; --text: #1c2733; --soft: #51606f; --line: #d5dce3; --back: #ffffff; --box: #f4f6f8; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e9ee; --soft: #a4b1bd; --line: #3a4652; --back: #161c22; --box: #1f272f; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 64rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 0; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; overflow-wrap: anywhere; }
pre { background: var(--box); padding: 0.75rem; overflow-x: auto; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
.cause { border: 1px solid var(--line); border-radius: 0.5rem; padding: 1rem; margin: 1rem 0; }
.soft { color: var(--soft); }
summary { cursor: pointer; }
"""


def comparison_html(comparison: Comparison) -> str:
    """The comparison as a page."""
    unknown = sum(one.state in UNKNOWN_STATES for one in comparison.differences)
    covered = expected(comparison.differences)
    told = [severities(comparison.differences) or ("nothing unexpected" if covered else "no difference")]
    told += [f"{unknown} unknown: this is not parity"] if unknown else []
    told += [f"{sum(one.count for one in covered)} expected"] if covered else []
    title = f"{comparison.left.name} against {comparison.right.name}"
    return _page(
        title,
        f"<p>{_text(', '.join(told))}; {comparison.same} items the same</p>",
        *map(_group, group(comparison)),
        _list("Expected", [one.digest for one in covered]),
        _list("Not examined", [f"{one.section}: {one.why}" for one in comparison.unexamined]),
    )


def _group(one: Group) -> str:
    against = f" against {one.counterpart} ({one.why_paired})" if one.counterpart else ""
    rows = [
        (difference.word, difference.item or "the whole section", wording(difference), str(difference.distance or ""))
        for difference in one.differences
    ]
    table = _table(("severity", "item", "difference", "distance"), rows)
    state = "" if one.is_folded else " open"
    return f"<details{state}><summary><code>{_text(one.section + against)}</code>: {_text(one.digest)}</summary>{table}</details>"  # noqa: E501  # one element


def explanation_html(explanation: Explanation, everything: bool) -> str:
    """The explanation as a page; the causes that are not told in full are folded, with their reasons."""
    told = shown(explanation, everything)
    rows = [(str(one.rank), headline(one), f"{one.score:.1f}", _reasons(one)) for one in told.below]
    return _page(
        f"{explanation.comparison.left.name} works, {explanation.comparison.right.name} does not",
        f"<p>{_text(summary(explanation))}</p>",
        *map(_cause, told.causes),
        _folded(told.rest, ("rank", "difference", "points", "reasons"), rows),
        _list("Not examined", unexamined(explanation)),
    )


def _reasons(cause: Cause) -> str:
    return "; ".join(one.text for one in cause.evidence)


def _cause(cause: Cause) -> str:
    reasons = "".join(f"<li>{_text(one.text)}</li>" for one in cause.evidence)
    return "".join(
        (
            f'<section class="cause"><h2>{cause.rank}. {_text(headline(cause))}</h2>',
            f'<p class="soft">in <code>{_text(cause.suspect.section)}</code>; {cause.score:.1f} points</p>',
            f"<ul>{reasons}</ul>" if reasons else "",
            *(_remedy(cause.remedy) if cause.remedy else ()),
            "</section>",
        )
    )


def _remedy(remedy: Remedy) -> Iterator[str]:
    if remedy.steps:
        steps = "\n".join(printable(step) for step in remedy.steps)
        yield f"<p>To undo it:</p><pre>{escape(steps)}</pre>"
    if remedy.note:
        yield f'<p class="soft">{_text(remedy.note)}</p>'


def gate_html(report: Report) -> str:
    """The report as a page; what is accounted for is folded."""
    failing = [
        (one.severity, one.section, one.item or "the whole section", _difference(one), place_of(one))
        for one in report.standing(Standing.FAILS)
    ]
    others = [
        (one.section, one.item or "the whole section", _difference(one), standing_of(one))
        for one in report.findings
        if one.standing not in (Standing.FAILS, Standing.UNKNOWN)
    ]
    return _page(
        f"{report.verdict or report.verb}: {title_of(report)}",
        f"<p><strong>{_text(report.summary)}</strong></p>",
        *map(_suspected, report.causes),
        _table(("severity", "section", "item", "difference", "place"), failing) if failing else "",
        _folded(f"Accounted for: {', '.join(accounted(report))}", ("section", "item", "difference", "why"), others),
        _list("Could not be told", untold(report), is_open=report.verdict == Verdict.UNKNOWN),
        _list("Rules", [f"{rule}: {reason} ({count})" for rule, reason, count in report.rules]),
        _list("Held against each other", [f"{left} against {right}: {why}" for left, right, why in report.paired]),
        *(f'<p class="soft">{_text(one)}</p>' for one in (*report.notes, *report.remarks)),
    )


def _suspected(cause: Suspected) -> str:
    reasons = "".join(f"<li>{_text(one)}</li>" for one in cause.reasons)
    return "".join(
        (
            f'<section class="cause"><h2>{cause.rank}. {_text(suspect_of(cause))}</h2>',
            f"<ul>{reasons}</ul>" if reasons else "",
            *_remedy(Remedy(cause.steps, cause.note)),
            "</section>",
        )
    )


def _difference(one: Finding) -> str:
    return one.told


def _folded(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"<details><summary>{_text(title)}</summary>{_table(headers, rows)}</details>" if rows else ""


def _list(title: str, lines: Sequence[str], is_open: bool = False) -> str:
    if not lines:
        return ""
    told = "".join(f"<li>{_text(line)}</li>" for line in lines)
    state = " open" if is_open else ""
    return f"<details{state}><summary>{title}: {len(lines)}</summary><ul>{told}</ul></details>"


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{_text(one)}</th>' for one in headers)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>"


def _text(foreign: str) -> str:
    return escape(printable(foreign))


def _page(title: str, *parts: str) -> str:
    body = "\n".join(filter(None, parts))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>envparity: {_text(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{_text(title)}</h1>
{body}
</main>
</body>
</html>
"""
