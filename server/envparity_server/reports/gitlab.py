"""A report as a Code Quality report of GitLab.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format asks for a part of what
https://github.com/codeclimate/platform/blob/master/spec/analyzers/SPEC.md#data-types says; this is valid by both.
"""

from typing import Any

from envparity_agent.terminal import to_json
from envparity_server.gating.model import Report
from envparity_server.reports.entries import CANNOT_TELL, UNKNOWN, Entry, entries, line, path

_SEVERITIES = {
    "critical": "blocker", "high": "critical", "medium": "major", "low": "minor", "info": "info",
    UNKNOWN: "major", CANNOT_TELL: "critical",
}  # fmt: skip


def gitlab(report: Report, file: str) -> str:
    """The report; a finding that no file says is shown in `file`."""
    return to_json([_issue(one, file) for one in entries(report)])


def _issue(entry: Entry, file: str) -> dict[str, Any]:
    where = line(entry.place)
    return {
        "type": "issue",
        "categories": ["Compatibility"],  # the one of Code Climate's that fits; GitLab shows none
        "description": entry.message,
        "check_name": f"envparity/{entry.check}",
        "fingerprint": entry.id,
        "severity": _SEVERITIES.get(entry.severity, "major"),
        "location": {"path": path(entry.place, file), "lines": {"begin": where, "end": where}},
    }
