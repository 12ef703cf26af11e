"""A comparison as a file to keep or to send: the formats that the command line writes."""

import json
from collections.abc import Callable, Mapping, Sequence

from starlette.responses import Response

from envparity_server.compare.model import Comparison
from envparity_server.reports.comparisons import report_of
from envparity_server.reports.html import comparison_html
from envparity_server.reports.markdown import comparison_markdown
from envparity_server.reports.table import table

_Format = tuple[str, str, str, Callable[[Comparison, Sequence[str]], str]]  # title, ending, media type, how

FORMATS: Mapping[str, _Format] = {
    "csv": ("CSV", "csv", "text/csv", lambda found, _: table(report_of(found))),
    "json": ("JSON", "json", "application/json", lambda found, notes: _document(found, notes)),
    "markdown": ("Markdown", "md", "text/markdown", lambda found, _: comparison_markdown(found)),
    "html": ("HTML", "html", "text/html", lambda found, _: comparison_html(found)),
}


def download(comparison: Comparison, notes: Sequence[str], format: str) -> Response:
    """The file in one of FORMATS; a browser keeps it and does not show it."""
    _, ending, media_type, written = FORMATS[format]
    headers = {"Content-Disposition": f'attachment; filename="comparison.{ending}"'}
    return Response(written(comparison, notes), media_type=media_type, headers=headers)


def _document(comparison: Comparison, notes: Sequence[str]) -> str:
    return json.dumps({**comparison.document(), "notes": list(notes)}, indent=1)
