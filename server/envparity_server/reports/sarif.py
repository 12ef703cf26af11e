"""A report as SARIF 2.1.0, for code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html and, for what a code scanning service refuses,
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from envparity_agent import __version__
from envparity_agent.terminal import to_json
from envparity_server.gating.model import Report, Verdict
from envparity_server.reports.entries import CANNOT_TELL, UNKNOWN, Entry, entries, line, path, plain

MOST = 5000  # results that a service keeps of a run

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    "critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note",
    UNKNOWN: "warning", CANNOT_TELL: "error",
}  # fmt: skip


def sarif(report: Report, file: str) -> str:
    """The report; a finding that no file says is shown in `file`, since services refuse results without a place."""
    told = tuple(entries(report))
    rules = {one.check: one.title for one in told}
    checks = tuple(rules)
    run = {
        "tool": {
            "driver": {
                "name": "envparity",
                "version": __version__,
                "rules": [_rule(check, title) for check, title in rules.items()],
            }
        },
        # the category: two gates of one pipeline do not replace each other's results
        "automationDetails": {"id": f"envparity/{report.verb}/{quote(plain(report.reference), safe=':,=@.')}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, len(told))],
        "results": [_result(one, checks, file) for one in told[:MOST]],
    }
    return to_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(check: str, title: str) -> dict[str, Any]:
    told = title if check == CANNOT_TELL else f"{title}: differs from the reference, or could not be compared"
    return {"id": check, "name": check, "shortDescription": {"text": _text(told)}}


def _invocation(report: Report, count: int) -> dict[str, Any]:
    told = [*report.reasons, *report.notes, *report.remarks]
    told += [f"{count - MOST} more results are not in this file"] if count > MOST else []
    return {
        "executionSuccessful": report.verdict != Verdict.UNKNOWN,
        "toolExecutionNotifications": [{"level": "warning", "message": {"text": _text(one)}} for one in told],
    }


def _result(entry: Entry, checks: Sequence[str], file: str) -> dict[str, Any]:
    location = {
        "physicalLocation": {
            "artifactLocation": _artifact(path(entry.place, file)),
            "region": {"startLine": line(entry.place)},
        },
        "logicalLocations": [{"fullyQualifiedName": entry.where}],
    }
    return {
        "ruleId": entry.check,
        "ruleIndex": checks.index(entry.check),
        "level": _LEVELS.get(entry.severity, "warning"),
        "message": {"text": _text(entry.message)},
        "locations": [location],
        # the second one is what services match results by: the line of a lock is not what a difference is known by
        "partialFingerprints": {"envparity/v1": entry.id, "primaryLocationLineHash": entry.id},
    }


def _artifact(file: str) -> dict[str, str]:
    if file.startswith("/"):
        return {"uri": f"file://{quote(file)}"}
    return {"uri": quote(file), "uriBaseId": "%SRCROOT%"}


def _text(foreign: str) -> str:
    """Foreign text without the embedded links that a message may have."""
    return plain(foreign).replace("](", "]\u200b(")
