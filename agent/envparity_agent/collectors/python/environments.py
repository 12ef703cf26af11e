"""The Python environments of a subject, each with its interpreter and every distribution that it can import."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.python.distributions import Distribution, added_paths, first_matching, read_entry
from envparity_agent.collectors.python.interpreter import facts
from envparity_agent.collectors.python.search import (
    Environment,
    interpreters,
    join,
    searched,
    site_directories,
    venv,
)
from envparity_agent.collectors.python.walk import SITE_NAMES
from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_agent.root import Root

_log = logging.getLogger(__name__)

INTERPRETER = "@python"  # no distribution can have this name


def collect(subject: Subject) -> Iterator[Section]:
    """Yield `python`, which says how complete the search was, and one `python/NAME` for each environment."""
    if subject.only is not None:
        yield from _sections(subject, at(subject.root, subject.only))
        return
    subject.progress("searching for Python environments")
    found = searched(subject)
    yield from _sections(subject, found.environments)
    yield Section(
        "python",
        "python-search",
        1,
        {path: {"skipped": why} for path, why in sorted(found.skipped.items())},
        status=Status.PARTIAL if found.reasons else Status.OK,
        reasons=tuple(sorted(found.reasons)),
        observed=found.walked,
    )


def _sections(subject: Subject, environments: Sequence[Environment]) -> Iterator[Section]:
    names = _names(subject)
    prefixes = Counter(one.prefix for one in environments)
    for environment in environments:
        subject.progress(f"reading {environment.name}")
        name = names.get(environment.prefix, environment.name)
        if name in names.values() and prefixes[environment.prefix] > 1:
            name = f"{name}-{environment.abi}"  # one prefix with several Python versions
        try:
            yield _section(subject.root, environment, name)
        except Exception:  # noqa: BLE001  # one environment that breaks the reader must not hide the others
            _log.exception("reading %s failed", environment.name)
            yield Section(f"python/{name}", "python", 1, status=Status.FAILED, reasons=(Reason.ERROR,))


def _names(subject: Subject) -> dict[str, str]:
    """Prefix below the root -> the name that the operator gave it, by whatever link he named it."""
    names = {}
    for name, path in subject.options.names.items():
        try:
            names[subject.root.resolved(path)] = name
        except Unreadable:
            continue  # not on this host
    return names


def at(root: Root, path: str) -> tuple[Environment, ...]:
    """The environments at a directory that a person names: a venv, a prefix, or a site directory."""
    prefix = path.strip("/")
    if root.is_file(join(prefix, "pyvenv.cfg")):
        return (venv(root, prefix),)
    found = tuple(interpreters(root, prefix))
    if found:
        return found
    parent, _, name = prefix.rpartition("/")
    if name in SITE_NAMES:
        return (Environment(parent, name, "site"),)
    raise UsageError(
        f"{path} holds no Python environment: no pyvenv.cfg, no lib/pythonX.Y, and it is no site-packages",
        "name a venv, an interpreter's prefix, or a site-packages directory",
    )


def _section(root: Root, environment: Environment, name: str) -> Section:
    reasons: set[str] = set()
    interpreter, base = facts(root, environment, reasons)
    entries = _path_entries(root, environment, base, reasons)
    items = {INTERPRETER: interpreter, **_distributions(root, environment, entries, reasons)}
    return Section(
        f"python/{name}",
        "python",
        1,
        items,
        status=Status.PARTIAL if reasons else Status.OK,
        reasons=tuple(sorted(reasons)),
        observed={} if name == environment.name else {"location": f"/{environment.name}"},
    )


def _path_entries(root: Root, environment: Environment, base: Environment | None, reasons: set[str]) -> dict[str, None]:
    """The entries of sys.path that hold distributions, in the order in which imports look into them."""
    entries: dict[str, None] = {}
    for one in (environment, base):
        try:
            for site in site_directories(root, one) if one else ():
                for path in (site, *added_paths(root, site, reasons)):
                    entries.setdefault(path)
        except Unreadable as problem:
            reasons.add(problem.reason)
    return entries


def _distributions(
    root: Root, environment: Environment, entries: Iterable[str], reasons: set[str]
) -> dict[str, Attributes]:
    """Name what imports by its name alone; what it shadows, or what cannot be imported, by name and place."""
    items: dict[str, Attributes] = {}
    for entry in entries:
        by_name: dict[str, list[Distribution]] = {}
        try:
            for distribution in read_entry(root, entry, reasons):
                by_name.setdefault(distribution.name, []).append(distribution)
        except Unreadable as problem:
            reasons.add(problem.reason)
        location = _relative(entry, environment.prefix)
        for name, found in by_name.items():
            imported = found[0] if len(found) == 1 else first_matching(root, found)
            for distribution in found:
                alone = bool(name) and distribution is imported and name not in items
                place = _relative(join(distribution.site, distribution.entry), environment.prefix)
                key = name if alone else f"{name or 'invalid'}#{place}"
                items[key] = {**distribution.attributes, "location": location}
    return items


def _relative(site: str, prefix: str) -> str:
    return site.removeprefix(f"{prefix}/") if prefix and site.startswith(f"{prefix}/") else f"/{site}"
