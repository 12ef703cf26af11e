"""The applications of a subject: those that the operator names, and the project directories of virtual environments."""

import logging
from collections.abc import Iterable, Iterator

from envparity_agent.collectors.code.git import checkout
from envparity_agent.collectors.code.tree import limits, tree
from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.paths import join
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Items, Reason, Section, Status, Value
from envparity_agent.kinds import CODE_ITEM
from envparity_agent.root import Root

_log = logging.getLogger(__name__)

MAX_FILES = 2000  # that are told one by one, beside the hash over all

_PROJECT = (".git", "pyproject.toml", "setup.py", "manage.py", "requirements.txt")
_SCHEMA = 1


def collect(subject: Subject, venvs: Iterable[str]) -> Iterator[Section]:
    """Yield one `app/NAME` for each application; `venvs` are the prefixes of the virtual environments that were found.

    What the operator names is named so, and `absent(not-installed)` where it is not on this host; every other
    application by the path of its directory.
    """
    named: set[str] = set()
    for name, directory in sorted(subject.options.applications.items()):
        try:
            place = subject.root.resolved(directory)
        except Unreadable as problem:
            yield _unread(name, problem.reason)
            continue
        named.add(place)
        yield _section(subject, name, place)
    for place in _projects(subject.root, venvs):
        if place not in named:
            yield _section(subject, place, place)


def code(root: Root, directory: str, memory: Memory) -> tuple[Items, tuple[str, ...]]:
    """The items `code` and `file:PATH` of a directory, and the reasons for which something is missing from them.

    In a checkout of git `code` is the commit and what differs from it. Elsewhere it is the hash over all files, and up
    to MAX_FILES of them are items of their own; where there are more, the hash alone tells, which is no gap.
    """
    reasons: set[str] = set()
    try:
        found = checkout(root, directory, memory, reasons)
    except Unreadable as problem:
        found = {}
        reasons.add(problem.reason)
    place: dict[str, Value] = {"location": f"/{directory.strip('/')}"}
    if found:
        return {CODE_ITEM: {**place, **found}}, tuple(sorted(reasons))
    if not root.resolved(directory):  # the root is a system and no application
        return {CODE_ITEM: place}, tuple(sorted({*reasons, Reason.UNSUPPORTED}))
    files = tree(root, directory, memory, limits())
    reasons |= files.reasons
    whole: dict[str, Value] = {} if files.reasons else {"tree": files.hash, "files": len(files.files)}
    items: dict[str, Attributes] = {CODE_ITEM: {**place, **whole}}
    if len(files.files) <= MAX_FILES:
        items |= {f"file:{path}": {"content": content} for path, content in sorted(files.files.items())}
    return items, tuple(sorted(reasons))


def _section(subject: Subject, name: str, directory: str) -> Section:
    subject.progress(f"reading the code in /{directory}")
    try:
        if not subject.root.is_directory(directory):
            return _unread(name, Reason.NOT_REGULAR)
        items, reasons = code(subject.root, directory, subject.memory)
    except Unreadable as problem:
        return _unread(name, problem.reason)
    except Exception:  # noqa: BLE001  # one application that breaks the reader must not hide the others
        _log.exception("reading the code in /%s failed", directory)
        return _unread(name, Reason.ERROR)
    status = Status.PARTIAL if reasons else Status.OK
    return Section(f"app/{name}", "application", _SCHEMA, items, status, reasons)


def _unread(name: str, reason: str) -> Section:
    """The section of an application whose code cannot be read, or that is not on this host."""
    missing = reason == Reason.VANISHED
    return Section(
        f"app/{name}",
        "application",
        _SCHEMA,
        status=Status.ABSENT if missing else Status.FAILED,
        reasons=(Reason.NOT_INSTALLED if missing else reason,),
    )


def _projects(root: Root, venvs: Iterable[str]) -> list[str]:
    """The directories of projects, each of which a virtual environment is in."""
    found: dict[str, None] = {}
    for prefix in venvs:
        try:
            place = root.resolved(prefix).rpartition("/")[0]
            if place and any(root.stat(join(place, name)) for name in _PROJECT):
                found.setdefault(place)
        except Unreadable:
            continue  # the environment's own section says so
    return sorted(found)
