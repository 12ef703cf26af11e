"""The Python environments of a subject, each with its interpreter and every distribution that it can import."""

from collections.abc import Iterator

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.python_distributions import Distribution, added_paths, first_matching, read_site
from envparity_agent.collectors.python_interpreter import facts
from envparity_agent.collectors.python_search import (
    SITE_NAMES,
    Environment,
    interpreters,
    join,
    search,
    site_directories,
    venv,
)
from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.fingerprint import Attributes, Section, Status
from envparity_agent.root import Root

INTERPRETER = "@python"  # no distribution can have this name


def collect(subject: Subject) -> Iterator[Section]:
    """Yield `python`, which says how complete the search was, and one `python/NAME` for each environment."""
    names = {path.strip("/"): name for name, path in subject.names.items()}
    if subject.only is not None:
        for environment in at(subject.root, subject.only):
            yield _section(subject.root, environment, names)
        return
    subject.progress("searching for Python environments")
    found = search(subject)
    for environment in found.environments:
        subject.progress(f"reading {environment.name}")
        yield _section(subject.root, environment, names)
    yield Section(
        "python",
        "python-search",
        1,
        {path: {"skipped": why} for path, why in sorted(found.skipped.items())},
        status=Status.PARTIAL if found.reasons else Status.OK,
        reasons=tuple(sorted(found.reasons)),
    )


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


def _section(root: Root, environment: Environment, names: dict[str, str]) -> Section:
    path = f"python/{names.get(environment.prefix, environment.name)}"
    observed: Attributes = {"location": f"/{environment.name}"} if environment.prefix in names else {}
    try:
        interpreter, base = facts(root, environment)
        sites = _path_entries(root, environment, base)
        items: dict[str, Attributes] = {INTERPRETER: interpreter, **_distributions(root, environment, sites)}
    except Unreadable as problem:
        return Section(path, "python", 1, status=Status.FAILED, reasons=(problem.reason,), observed=observed)
    return Section(path, "python", 1, items, observed=observed)


def _path_entries(root: Root, environment: Environment, base: Environment | None) -> list[str]:
    """The site directories in the order in which imports look into them."""
    entries: list[str] = []
    for one in (environment, base):
        for site in site_directories(root, one) if one else ():
            for path in (site, *added_paths(root, site)):
                if path not in entries:
                    entries.append(path)
    return entries


def _distributions(root: Root, environment: Environment, sites: list[str]) -> dict[str, Attributes]:
    """Name what imports by its name alone; what it shadows, by name and place."""
    items: dict[str, Attributes] = {}
    for site in sites:
        by_name: dict[str, list[Distribution]] = {}
        for distribution in read_site(root, site):
            by_name.setdefault(distribution.name, []).append(distribution)
        for name, found in by_name.items():
            imported = found[0] if len(found) == 1 else first_matching(root, found)
            for distribution in found:
                shadowed = name in items if distribution is imported else True
                place = join(_relative(site, environment.prefix), distribution.entry)
                items[f"{name}#{place}" if shadowed else name] = {
                    **distribution.attributes,
                    "location": _relative(site, environment.prefix),
                }
    return items


def _relative(site: str, prefix: str) -> str:
    return site.removeprefix(f"{prefix}/") if prefix and site.startswith(f"{prefix}/") else f"/{site}"
