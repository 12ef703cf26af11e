"""The formats of a report of findings: for people, and for the tools that read them."""

from collections.abc import Callable, Mapping

from envparity_server.cli.outputs import Rendering
from envparity_server.gating.model import Report
from envparity_server.reports.github import github
from envparity_server.reports.gitlab import gitlab
from envparity_server.reports.junit import junit
from envparity_server.reports.sarif import sarif
from envparity_server.reports.table import table
from envparity_server.reports.text import print_report


def report_rendering(report: Report, everything: bool, file: str, exit_code: int) -> Rendering:
    """A gate's report in every format; `file` is where a finding is shown that no file says."""
    return Rendering(
        text=lambda: print_report(report, everything, exit_code),
        document=report.document,
        markdown=lambda: _to_read("markdown", report),
        html=lambda: _to_read("html", report),
        for_tools=formats_for_tools(lambda: report, file),
    )


def _to_read(format: str, report: Report) -> str:
    # here and not above: with the words of explanations they take long to load, and most gates ask for neither
    from envparity_server.reports import html, markdown

    return markdown.gate_markdown(report) if format == "markdown" else html.gate_html(report)


def formats_for_tools(report: Callable[[], Report], file: str) -> Mapping[str, Callable[[], str]]:
    """The formats that other tools read."""
    return {
        "sarif": lambda: sarif(report(), file),
        "junit": lambda: junit(report()),
        "github": lambda: github(report()),
        "gitlab": lambda: gitlab(report(), file),
        "csv": lambda: table(report()),
    }
