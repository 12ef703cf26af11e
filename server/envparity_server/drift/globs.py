"""Many globs at once on the place of a difference: SECTION, SECTION/ITEM or SECTION/ITEM#ATTRIBUTE.

`*` stands for anything, `/` included, `?` for one character, `[abc]` for one of some. A glob with a `#` is held against
the item (whose name may have a `#`) and its attribute, one without against the section and the item. `python/*` is all
Python environments and what is in them, `os-packages` that one section as a whole.

Globs and never regular expressions of a user: what `fnmatch` makes of a glob does not go back over a `*` that found its
end (https://bugs.python.org/issue40480), so that a match takes at most len(glob) * len(text) steps.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fnmatch import translate
from functools import lru_cache

_PIECE = 3  # characters
_WILDCARD = re.compile(r"[*?]|\[!?\]?[^\]]*\]")


class Globs:
    """Globs in their order.

    Each is filed under the rarest of the pieces of text that what it fits must have, so that a place is held against
    few of them, whatever they have in common.
    """

    def __init__(self, globs: Sequence[str]) -> None:
        self._globs = tuple(globs)
        pieces = [{piece for text in _WILDCARD.split(glob) for piece in _pieces(text)} for glob in globs]
        common = Counter(piece for found in pieces for piece in found)
        self._filed: dict[str, list[int]] = {}
        self._elsewhere: list[int] = []  # have no such piece: `*`, `os`
        for number, found in enumerate(pieces):
            rarest = min(found, key=lambda piece: (common[piece], piece), default=None)
            (self._elsewhere if rarest is None else self._filed.setdefault(rarest, [])).append(number)

    def fitting(
        self, section: str, item: str, attribute: str, spend: Callable[[int], None] = lambda _: None
    ) -> Iterator[int]:
        """The numbers of the globs that fit, in their order; an empty item is the section as a whole.

        `spend` is told how many steps each try may take: for who wants to end what takes too long.
        """
        place = f"{section}/{item}" if item else section
        whole = f"{place}#{attribute}"
        numbers = list(self._elsewhere)
        for piece in self._filed.keys() & _pieces(whole):
            numbers += self._filed[piece]
        for number in sorted(numbers):
            glob = self._globs[number]
            spend(len(glob) * len(whole))
            if any(fits(glob, text) for text in ((place, whole) if "#" in glob else (section, place))):
                yield number


def _pieces(text: str) -> set[str]:
    return {text[start : start + _PIECE] for start in range(len(text) - _PIECE + 1)}


def fits(glob: str, text: str) -> bool:
    """Whether a glob fits a text as a whole, case included."""
    return text == glob if not _WILDCARD.search(glob) else _compiled(glob).match(text) is not None


@lru_cache(maxsize=4096)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob))


@lru_cache(maxsize=16)
def indexed(globs: tuple[str, ...]) -> Globs:
    """Globs, indexed once for all comparisons that they are held against."""
    return Globs(globs)


def is_broad(glob: str) -> bool:
    """Whether a glob says nothing of what it fits: `*`, `*/*`, `?*#*`."""
    return not re.sub(r"[/#]", "", "".join(_WILDCARD.split(glob)))
