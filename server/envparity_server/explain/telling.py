"""The lines of a failing run's output that may tell something, and the suspects that they may speak of."""

import re
from collections.abc import Iterator

from envparity_server.compare.model import DRIFT_STATES
from envparity_server.explain.model import Situation, Suspect

MAX_TOLD = 160
FRAME = re.compile(r"\s*File \"")
_QUOTES = {0x2018: "'", 0x2019: "'"}  # as the tools of GNU write them
_MAX_LINES = 5000  # from the end
_MAX_LINE = 2000


def telling(situation: Situation) -> Iterator[str]:
    """Each line once, of very many the last; what ended the run comes last."""
    lines = situation.failure.text.split("\n")[-_MAX_LINES:] if situation.failure else []
    return (line[:_MAX_LINE].translate(_QUOTES) for line in dict.fromkeys(lines) if line.strip())


def differing(situation: Situation, *kinds: str) -> Iterator[Suspect]:
    """The items of these kinds that are known to differ."""
    for suspect, differences in situation.suspects.items():
        if differences[0].kind in kinds and any(one.state in DRIFT_STATES for one in differences):
            yield suspect


def told_by_files(situation: Situation) -> set[str]:
    """The applications of which single files are known to differ: these say which of the code it is."""
    return {one.section for one in differing(situation, "application") if one.item.startswith("file:")}


def quoted(line: str) -> str:
    """A line as evidence tells it."""
    line = " ".join(line.split())
    return line if len(line) <= MAX_TOLD else f"{line[: MAX_TOLD - 1]}…"
