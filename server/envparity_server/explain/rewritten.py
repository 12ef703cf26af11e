"""The witness of files that were rewritten: the error names a word that only one side's text has."""

import re
from collections.abc import Iterable, Iterator

from envparity_server.explain.clues import Clue, strongest
from envparity_server.explain.failures import Raised
from envparity_server.explain.model import Evidence, Situation
from envparity_server.explain.telling import FRAME, quoted, telling

_LOST, _GAINED = 12.0, 9.0  # points of a word that only the good side's file has, or only the bad one's
_LAST_LINES = 20  # of an output without a traceback
# an identifier of several words, one in capitals, or anything in quotes: no word of an English sentence
_NAME = re.compile(
    r"[A-Za-z]+_\w+|[a-z]+[A-Z]\w*|[A-Z][A-Z0-9]{2,}\w*|(?<=['\"`])[\w.-]{2,100}(?=['\"`])|(?<=: )\w{3,}$"
)


def of_rewritten(situation: Situation) -> Iterable[Evidence]:
    """Evidence from the words that errors name, against the files that lost or gained them."""
    return strongest(_clues(situation)) if situation.failure and situation.rewritten else ()


def _clues(situation: Situation) -> Iterator[Clue]:
    for word, line in _named(situation).items():
        lost = [suspect for suspect, one in situation.rewritten.items() if word in one.lost]
        gained = [suspect for suspect, one in situation.rewritten.items() if word in one.gained]
        for side, having, points in (("good", lost, _LOST), ("bad", gained, _GAINED)):
            for suspect in having:
                file = suspect.item.partition(":")[2]
                told = f"{word} is in {file} of the {side} side alone, and the error names it: {quoted(line)}"
                yield Clue("word", suspect, points / len(having), told)


def _named(situation: Situation) -> dict[str, str]:
    """The names in what the last errors say, each with its line; of an output without any, those of its last lines."""
    raised: tuple[Raised, ...] = situation.failure.raised if situation.failure else ()
    lines = [line for one in raised[-3:] for line in one.message.split("\n")]
    if not raised:
        lines = [line for line in telling(situation) if not FRAME.match(line)][-_LAST_LINES:]
    return {match[0]: line for line in lines for match in _NAME.finditer(line)}
