"""Draws a badge: a verdict and its age as SVG, without a script, a style sheet or a font from elsewhere."""

from datetime import datetime

from envparity_server.api.moments import ago
from envparity_server.gating.model import Verdict
from envparity_server.storage.gate_runs import Run

_LABEL = "envparity"
_LETTER, _SPACE = (
    7,
    12,
)  # pixels: a letter's width, which `textLength` makes true in any font, and what is around a text
# white on each is readable: a contrast of at least 4.5
_LOOKS = {
    Verdict.PARITY: ("parity", "#1b7a3d"),
    Verdict.DRIFT: ("drift", "#c62828"),
    Verdict.UNKNOWN: ("cannot tell", "#6d4c9f"),
}
_ACCEPTED, _NONE = ("drift, accepted", "#8a5a00"), ("no run", "#616161")


def badge(run: Run | None, now: datetime) -> str:
    """The picture of a run; of none, it says so. Nothing that a pipeline told is in it."""
    word, colour = _look(run)
    text = f"{word}, {ago(run.at, now)}" if run else word
    left, right = _width(_LABEL), _width(text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img"'
        f' aria-label="{_LABEL}: {text}"><title>{_LABEL}: {text}</title>'
        f'<rect width="{left}" height="20" fill="#3d4852"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(_LABEL, 0)}{_text(text, left)}</g></svg>\n"
    )


def _look(run: Run | None) -> tuple[str, str]:
    if run is None:
        return _NONE
    return _ACCEPTED if run.accepted_at else _LOOKS[run.verdict]


def _width(text: str) -> int:
    return len(text) * _LETTER + _SPACE


def _text(text: str, x: int) -> str:
    return f'<text x="{x + _SPACE // 2}" y="14" textLength="{len(text) * _LETTER}">{text}</text>'
