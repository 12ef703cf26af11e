"""Lists what two fingerprints have alike: what a comparison only counts."""

from collections.abc import Iterator
from dataclasses import dataclass

from envparity_agent.fingerprint import FingerprintLike, Value
from envparity_server.compare.differences import leading
from envparity_server.compare.model import Comparison


@dataclass(frozen=True)
class Equal:
    """An item that both sides have, and what tells most about it."""

    section: str
    item: str
    value: Value


def equal_items(left: FingerprintLike, right: FingerprintLike, comparison: Comparison) -> Iterator[Equal]:
    """The items of the sections that were held against each other in which nothing differs."""
    differing = {(one.section, one.item) for one in comparison.differences}
    for path, counterpart in comparison.held:
        ours, theirs = left.sections[path].items, right.sections[counterpart].items
        for item in sorted(ours.keys() & theirs.keys()):
            if (path, item) not in differing:
                yield Equal(path, item, ours[item].get(leading(ours[item])))
