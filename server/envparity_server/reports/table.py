"""A report as comma-separated values for a spreadsheet: a row for each finding, whatever it stands as.

https://www.rfc-editor.org/rfc/rfc4180 and, for cells that a spreadsheet would calculate,
https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import re
from io import StringIO

from envparity_server.compare.groups import text
from envparity_server.gating.model import Finding, Report, Standing
from envparity_server.reports.entries import plain

COLUMNS = (
    "standing", "severity", "section", "item", "attribute", "state", "subject", "reference", "difference", "origin",
    "why", "file", "line", "id",
)  # fmt: skip

_FORMULA = re.compile(r"\s*[=+\-@\t\r＝＋－＠]")  # noqa: RUF001  # the wide ones are formulas as well
_LONGEST = 32_000  # characters: a cell holds 32,767


def table(report: Report) -> str:
    """A row for each finding, and one for each reason why something could not be told."""
    told = StringIO()
    rows = csv.writer(told, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows([cell(one) for one in _row(finding)] for finding in report.findings)
    blank = [""] * (len(COLUMNS) - 1)
    for reason in report.reasons:
        row = [str(Standing.UNKNOWN), *blank]
        row[COLUMNS.index("why")] = cell(reason)
        rows.writerow(row)
    return told.getvalue()


def _row(one: Finding) -> tuple[str, ...]:
    file, line = (one.place.file, str(one.place.line)) if one.place else ("", "")
    return (
        str(one.standing), one.severity, one.section, one.item, one.attribute, one.state, text(one.left),
        text(one.right), one.words, one.origin, one.why, file, line, one.id,
    )  # fmt: skip


def cell(foreign: str) -> str:
    """Foreign text that no spreadsheet takes for a formula: an apostrophe before it says that it is text."""
    told = plain(foreign, _LONGEST)
    return f"'{told}" if _FORMULA.match(told) else told
