"""The contract of a collector: it reads one subject through its root and yields sections.

A collector observes and never interprets; it runs no program and opens files only through `Subject.root`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from envparity_agent.fingerprint import Section
from envparity_agent.root import Root


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Subject:
    """What is to be read: a root, and what the operator says about it."""

    root: Root
    engine: str | None = None  # URL of the container engine's socket; None: look for one below the root
    names: Mapping[str, str] = field(default_factory=dict)  # name of a Python environment -> its directory
    only: str | None = None  # the directory of the one Python environment that is asked for
    progress: Callable[[str], None] = _silent


class Collector(NamedTuple):
    """One entry of the registry; `path` and `kind` name the section that stands for its failure."""

    path: str
    kind: str
    collect: Callable[[Subject], Iterator[Section]]
