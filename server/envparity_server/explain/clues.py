"""A clue from what a failing run printed; of those that say the same thing of a suspect the strongest one counts."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from envparity_server.explain.model import Evidence, Suspect
from envparity_server.explain.providers import Providers

# points of a symbol that is missing: the good side has it and the bad one has not; it should be there by its name;
# it is of something that should have it
PROVED, NAMED, PARTLY = 14.0, 9.0, 6.0
SYMBOL = "symbol"


class Clue(NamedTuple):
    """Evidence, and what it is drawn from: two clues from one line of a traceback are not two reasons."""

    drawn_from: str  # frame, line, symbol, message, ...
    suspect: Suspect
    points: float
    text: str


def against(
    providers: Providers, distribution: str, points: float, text: str, drawn_from: str = SYMBOL
) -> Iterator[Clue]:
    """A clue against a distribution, wherever it differs; none where it is the same on both sides."""
    for suspect in providers.suspects.get(distribution, ()):
        yield Clue(drawn_from, suspect, points, text)


def strongest(clues: Iterable[Clue]) -> Iterator[Evidence]:
    """The evidence of the strongest clue for each suspect and each thing that clues are drawn from."""
    best: dict[tuple[Suspect, str], Clue] = {}
    for clue in clues:
        key = clue.suspect, clue.drawn_from
        if key not in best or (clue.points, best[key].text) > (best[key].points, clue.text):
            best[key] = clue
    for clue in best.values():
        yield Evidence(clue.suspect, round(clue.points, 2), clue.text)
