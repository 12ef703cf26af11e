"""The tags that containers were started from, where each points as far as is known, and who runs something else."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection

from envparity_server.storage import tags
from envparity_server.storage.actors import Environments
from envparity_server.storage.tags import Pointed, Running, Tag
from envparity_server.tags.judging import Moved, judged
from envparity_server.tags.references import TagReference, addresses, parsed


@dataclass(frozen=True)
class InUse:
    """A reference, the containers that were started from it, and the tag as its registry was asked last."""

    reference: str
    running: Sequence[Running]
    tag: Tag | None
    problem: str  # why it was not asked, or what went wrong the last time; empty: nothing

    @property
    def pointed(self) -> Pointed | None:
        """What the registry answered last."""
        return self.tag.pointed if self.tag else None

    @cached_property
    def judgements(self) -> Sequence[tuple[Moved, str]]:
        """Whether each container runs what the tag points at, and why that is said; after a problem nothing is."""
        if self.problem or not self.pointed:
            return [(Moved.UNKNOWN, self.problem)] * len(self.running)
        return [judged(one.image, self.pointed) for one in self.running]


def in_use(connection: Connection, registries: Collection[str], seen: Environments) -> list[InUse]:
    """The references of running containers in their order; one by digest has no tag, and says so as its problem."""
    named = addresses(registries).keys()
    asked = tags.asked(connection)
    return [
        InUse(text, running, asked.get(text), _problem(text, asked.get(text), named))
        for text, running in tags.running(connection, seen).items()
    ]


def _problem(reference: str, tag: Tag | None, named: Collection[str]) -> str:
    if "@" in reference:
        return "a reference by digest has no tag that could move"
    return tag.problem or "" if tag else _not_asked(parsed(reference), named)


def _not_asked(reference: TagReference | None, named: Collection[str]) -> str:
    if reference is None:
        return "the reference names no registry and tag: not asked"
    if reference.registry not in named:
        return f"the setting registries does not name {reference.registry}: not asked"
    return "not asked yet"
