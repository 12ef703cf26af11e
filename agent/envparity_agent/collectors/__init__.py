"""The collectors, in the order in which they run."""

from collections.abc import Iterator
from functools import partial

from envparity_agent.collectors.code import applications
from envparity_agent.collectors.code.git import checkout
from envparity_agent.collectors.code.tree import limits, tree
from envparity_agent.collectors.configuration import files, services
from envparity_agent.collectors.interface import Collector, Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.python import (
    conda,
    distributions,
    environments,
    interpreter,
    layouts,
    search,
    symbols,
    syspath,
    venv,
    verify,
)
from envparity_agent.collectors.python.search import searched
from envparity_agent.collectors.system import distribution, libraries, machine, packages, settings
from envparity_agent.collectors.system.owners import owners
from envparity_agent.fingerprint import Attributes, Section
from envparity_agent.root import Root

# where packages may put files: https://refspecs.linuxfoundation.org/FHS_3.0/fhs/; the lists of all are long to read
_OF_PACKAGES = ("usr/", "opt/", "lib/")


def _owner(subject: Subject, path: str) -> str | None:
    if not path.startswith(_OF_PACKAGES):
        return None
    key = ("owners of this survey", subject.prefix)
    return subject.memory.once(key, lambda: owners(subject.root, subject.memory)).of(path)


def _source(root: Root, directory: str, memory: Memory, reasons: set[str]) -> Attributes:
    """What an editable installation lies in: a checkout of git, else `changes` is the hash over all files."""
    found = checkout(root, directory, memory, reasons)
    if found:
        return found
    files = tree(root, directory, memory, limits())
    reasons |= files.reasons
    return {} if files.reasons else {"changes": files.hash}


def _neighbours(subject: Subject) -> environments.Neighbours:
    return environments.Neighbours(partial(_owner, subject), _source)


def _libraries(subject: Subject) -> Iterator[Section]:
    yield from libraries.collect(subject, partial(_owner, subject))


def _applications(subject: Subject) -> Iterator[Section]:
    venvs = (one.prefix for one in searched(subject).environments if one.role == "venv")
    yield from applications.collect(subject, venvs)


def _containers(subject: Subject) -> Iterator[Section]:
    # here and not above: docker's SDK takes longer to load than a virtual environment to read
    from envparity_agent.collectors.containers import container

    yield from container.collect(subject, INSIDE)


_OS = Collector("os", "os", distribution.collect, (distribution.READS,))
_MACHINE = Collector("os/machine", "machine", machine.collect)
_SETTINGS = Collector("os/settings", "settings", settings.collect, (settings.READS,))
_LIBRARIES = Collector("os/libraries", "libraries", _libraries, (libraries.READS,))
_PACKAGES = Collector("os-packages", "os-packages", packages.collect, (packages.READS,))
_PYTHON = Collector(
    "python",
    "python-search",
    partial(environments.collect, neighbours=_neighbours),
    (
        *(layouts.READS, search.READS, venv.READS, interpreter.READS, syspath.READS),
        *(distributions.READS, conda.READS, verify.READS, symbols.READS),
    ),
)
_APPLICATIONS = Collector("app", "application", _applications)
_FILES = Collector("config", "file", files.collect)
_SERVICES = Collector("services", "configuration", services.collect)

PYTHON_ONLY = (_PYTHON,)
# what a root that is not a host's has: no machine, no engine
INSIDE = (_OS, _SETTINGS, _PACKAGES, _PYTHON, _LIBRARIES)
ROOT = (*INSIDE, _APPLICATIONS, _FILES, _SERVICES)  # what a root has that may be a host's
_CONTAINERS = Collector("containers", "containers", _containers)

COLLECTORS = (_OS, _MACHINE, _SETTINGS, _PACKAGES, _PYTHON, _LIBRARIES, _APPLICATIONS, _FILES, _SERVICES, _CONTAINERS)
