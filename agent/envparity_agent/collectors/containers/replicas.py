"""Folds the identical replicas of one thing into one, and numbers its variants."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from envparity_agent.fingerprint import Attributes, Section, clean


@dataclass(frozen=True)
class Replica:
    """One container: what people call it, and its sections by their paths below `container/NAME`, its own by "".

    The sections are `hashable`.
    """

    name: str
    sections: Mapping[str, Section]
    observed: Attributes


def folded(replicas: Iterable[Replica]) -> Iterator[Section]:
    """The sections of each name; of replicas that are alike in all of them one, with their number in `instances`."""
    by_name: dict[str, dict[tuple[tuple[str, str], ...], list[Replica]]] = {}
    for replica in replicas:
        content = tuple((path, section.hash) for path, section in sorted(replica.sections.items()))
        by_name.setdefault(replica.name, {}).setdefault(content, []).append(replica)
    for name, variants in by_name.items():
        for number, (_, alike) in enumerate(sorted(variants.items()), start=1):
            path = f"container/{name}" if len(variants) == 1 else f"container/{name}#{number}"
            yield from _at(path, alike[0], len(alike))


def hashable(section: Section) -> Section:
    """The section as it will be sent: what was read may be text that has no hash."""
    return replace(section, items=clean(section.items.items()))


def _at(path: str, replica: Replica, instances: int) -> Iterator[Section]:
    for below, section in replica.sections.items():
        own = {**section.observed, **replica.observed, "instances": instances} if not below else section.observed
        yield replace(section, path=f"{path}/{below}" if below else path, observed=own)
