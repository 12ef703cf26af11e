"""The contract of a collector: it reads one subject through its root and yields sections.

A collector observes and never interprets; it runs no program and opens files only through `Subject.root`.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.reads import Reads, Wanted
from envparity_agent.collectors.values import Disclosure
from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.kinds import newest
from envparity_agent.root import Root

_log = logging.getLogger(__name__)


class Consent(IntEnum):
    """How far the host's operator lets the agent look; each level includes those before it."""

    HOST = 0  # the host's own files
    IMAGES = 1  # which images the containers run
    CONFIG = 2  # how containers and services are configured
    INSIDE = 3  # the files inside containers


@dataclass(frozen=True)
class Outline:
    """Distributions that are asked about: on which lines their modules define names, and nothing else, is told."""

    distributions: frozenset[str]


@dataclass(frozen=True)
class Around:
    """Distributions that are asked about: their symbols are told, and those of what uses them, and no others."""

    distributions: frozenset[str]
    uses: frozenset[str] = frozenset()  # what uses them from elsewhere, in the form of `uses`
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)  # distribution -> of which a user needs one
    changed: frozenset[str] = frozenset()  # modules whose uses may be new: they need none


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Options:
    """What the operator allows and asks for, whichever root is read."""

    root: str = "/"  # the root directory of `local`
    engine: str | None = None  # URL of the container engine's socket; None: look for sockets below the root
    names: Mapping[str, str] = field(default_factory=dict)  # name of a Python environment -> its directory
    applications: Mapping[str, str] = field(default_factory=dict)  # name of an application -> its directory
    files: tuple[str, ...] = ()  # configuration files to compare by their keys
    search: tuple[str, ...] = ()  # directories that the search for Python environments looks into first
    consent: Consent = Consent.INSIDE
    labels: tuple[str, ...] = ()  # globs of the container labels that are told
    disclosure: Disclosure = field(default_factory=Disclosure)
    verify: bool = False  # hash the files of distributions against their RECORD
    symbols: bool | Around | Outline = (
        False  # tell the names that distributions define and use: of all, or as far as asked
    )
    progress: Callable[[str], None] = _silent


@dataclass(frozen=True)
class Subject:
    """What is to be read: a root, and how far."""

    root: Root
    options: Options = field(default_factory=Options)
    only: str | None = None  # the directory of the one Python environment that is asked for
    memory: Memory = field(default_factory=Memory)
    prefix: str = ""  # of the paths of all sections: `container/web/` for what is inside a container

    def progress(self, text: str) -> None:
        """Tell a waiting person what is being done."""
        self.options.progress(text)


class Collector(NamedTuple):
    """One entry of the registry; `path` and `kind` name the section that stands for its failure."""

    path: str
    kind: str
    collect: Callable[[Subject], Iterator[Section]]
    reads: tuple[Reads, ...] = ()  # of the modules that it is made of


def wanted(collectors: Iterable[Collector], options: Options, more: Iterable[Reads] = ()) -> Wanted:
    """The files that these collectors, and what reads `more`, need of a root that has to be copied."""
    needed = (*(reads for one in collectors for reads in one.reads), *more)
    return Wanted(needed, deep=options.verify or bool(options.symbols))


def isolated(collector: Collector, subject: Subject) -> Iterable[Section]:
    """What a collector yields, and in the place of its failure a failed section: it takes nothing else with it."""
    found: list[Section] = []
    try:
        found.extend(collector.collect(subject))  # keeps what came before a failure
    except UsageError:
        raise  # the person asked for something that is not there
    except Unreadable as problem:
        found.append(_failed(collector, problem.reason))
    except Exception:  # noqa: BLE001  # whatever a hostile tree makes a collector do, the others' facts stand
        _log.exception("collector %s failed", collector.path)
        found.append(_failed(collector, Reason.ERROR))
    return found


def _failed(collector: Collector, reason: str) -> Section:
    return Section(collector.path, collector.kind, newest(collector.kind), status=Status.FAILED, reasons=(reason,))
