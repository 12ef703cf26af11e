"""The Python environments of a subject, each with its interpreter and every distribution that it can import."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from envparity_agent.collectors.interface import Around, Outline, Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.paths import join, relative
from envparity_agent.collectors.python.conda import Conda, read_conda
from envparity_agent.collectors.python.distributions import Distribution
from envparity_agent.collectors.python.importing import read_all
from envparity_agent.collectors.python.interpreter import Interpreter, identify
from envparity_agent.collectors.python.outlines import outlines
from envparity_agent.collectors.python.processes import running
from envparity_agent.collectors.python.requirements import Installed, unmet
from envparity_agent.collectors.python.search import Environment, interpreters, searched, venv
from envparity_agent.collectors.python.symbols import SCHEMA as SYMBOLS_SCHEMA
from envparity_agent.collectors.python.symbols import symbols
from envparity_agent.collectors.python.symbols_around import symbols_around
from envparity_agent.collectors.python.syspath import SearchPath, search_path
from envparity_agent.collectors.python.verify import verify
from envparity_agent.collectors.python.walk import SITE_NAMES
from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.fingerprint import Attributes, Reason, Section, Status, Value
from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_agent.root import Root

_log = logging.getLogger(__name__)

SCHEMA = SEARCH_SCHEMA = 2
READING_SECONDS = 60.0  # for all environments of a root in one survey
_TRIES = 2
_START_IS_SURE_TO = 1.0  # seconds: of a process, from ticks and a clock that may be set

# what a conda package or a distribution's build leaves in direct_url.json: the path of the machine that built it
_SOURCE = ("archive", "commit", "editable", "source")
# attribute of a checkout -> attribute of the distribution that lies in it
_CHECKOUT = {"commit": "head", "dirty": "dirty", "changes": "changes"}


@dataclass(frozen=True)
class Neighbours:
    """What other collectors know of the same root, and an environment is told with."""

    owner: Callable[[str], str | None]  # path below the root -> the OS package that it belongs to
    # directory -> commit, dirty, changes; adds why not all of it to the set, raises Unreadable
    checkout: Callable[[Root, str, Memory, set[str]], Attributes]


def alone(_: Subject) -> Neighbours:
    """No neighbours: nobody owns anything, and no directory is a checkout."""
    return Neighbours(owner=lambda _: None, checkout=lambda *_: {})


def collect(subject: Subject, neighbours: Callable[[Subject], Neighbours] = alone) -> Iterator[Section]:
    """Yield `python`, which says how complete the search was, and one `python/NAME` for each environment.

    With the operator's `verify` also `verify/NAME`, and with `symbols` one `symbols/DISTRIBUTION-CONTENT` for each
    distribution, once however many environments have it.
    """
    if subject.only is not None:
        yield from _sections(subject, at(subject.root, subject.only), neighbours(subject))
        return
    subject.progress("searching for Python environments")
    found = searched(subject)
    yield from _sections(subject, found.environments, neighbours(subject))
    yield Section(
        "python",
        "python-search",
        SEARCH_SCHEMA,
        {path: {"skipped": why} for path, why in sorted(found.skipped.items())},
        status=Status.PARTIAL if found.reasons else Status.OK,
        reasons=tuple(sorted(found.reasons)),
        observed=found.walked,
    )


def _sections(subject: Subject, environments: Sequence[Environment], neighbours: Neighbours) -> Iterator[Section]:
    names = {**_applications(subject, environments), **_names(subject)}
    prefixes = Counter(one.prefix for one in environments)
    told: set[str] = set()  # contents whose symbols have been told
    key = f"environments left unread {subject.prefix}"
    waiting = frozenset(subject.memory.earlier.get(key) or ())
    unread: list[str] = []
    deadline = time.monotonic() + READING_SECONDS
    for environment in sorted(environments, key=lambda one: one.name not in waiting):
        subject.progress(f"reading {environment.name}")
        name = names.get(environment.prefix, environment.name)
        if name in names.values() and prefixes[environment.prefix] > 1:
            name = f"{name}-{environment.abi}"  # one prefix with several Python versions
        if time.monotonic() > deadline:  # their turn is first the next time
            unread.append(environment.name)
            yield Section(f"python/{name}", "python", SCHEMA, status=Status.FAILED, reasons=(Reason.CAP,))
            continue
        yield from _isolated(subject, environment, name, neighbours, told)
    subject.memory.lasting[key] = unread


def _isolated(
    subject: Subject, environment: Environment, name: str, neighbours: Neighbours, told: set[str]
) -> Iterator[Section]:
    """The sections of one environment; where it breaks the reader, it must not hide the others."""
    path, kind, schema = f"python/{name}", "python", SCHEMA
    try:
        section, distributions = _section(subject, environment, name, neighbours)
        yield section
        if subject.options.verify:
            path, kind, schema = f"verify/{name}", "python-files", 1
            yield verify(subject, name, environment.prefix, distributions)
        path, kind, schema = f"symbols/{name}", "symbols", SYMBOLS_SCHEMA
        importable = [one for item, one in distributions.items() if "#" not in item]
        for found in _symbols(subject, importable):
            if found.path not in told:
                told.add(found.path)
                yield found
    except Exception:  # noqa: BLE001  # whatever a hostile environment makes the reader do
        _log.exception("reading %s failed", path)
        yield Section(path, kind, schema, status=Status.FAILED, reasons=(Reason.ERROR,))


def _symbols(subject: Subject, distributions: Sequence[Distribution]) -> Iterator[Section]:
    """The symbols of distributions, as far as the options ask for them."""
    asked = subject.options.symbols
    if isinstance(asked, Around):
        yield from symbols_around(subject, distributions, asked)
    elif isinstance(asked, Outline):
        yield from outlines(subject, distributions, asked)
    elif asked:
        yield from filter(None, (symbols(subject, one) for one in distributions))


def _names(subject: Subject) -> dict[str, str]:
    """Prefix below the root -> the name that the operator gave it, by whatever link he named it."""
    names = {}
    for name, path in subject.options.names.items():
        try:
            names[subject.root.resolved(path)] = name
        except Unreadable:
            continue  # not on this host
    return names


def _applications(subject: Subject, environments: Sequence[Environment]) -> dict[str, str]:
    """Prefix -> name of the application in whose directory it is the one virtual environment."""
    names = {}
    for name, path in subject.options.applications.items():
        try:
            directory = subject.root.resolved(path)
        except Unreadable:
            continue  # not on this host, which the application's own section says
        inside = [
            one.prefix for one in environments if one.role == "venv" and f"{one.prefix}/".startswith(f"{directory}/")
        ]
        if len(inside) == 1:
            names[inside[0]] = name
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


def _section(
    subject: Subject, environment: Environment, name: str, neighbours: Neighbours
) -> tuple[Section, Mapping[str, Distribution]]:
    """The section of an environment, and its distributions by their items."""
    reasons: set[str] = set()
    interpreter = identify(subject, environment, reasons)
    path, distributions = _settled(subject, environment, interpreter, reasons)
    conda = read_conda(subject, environment.prefix, reasons)
    lacks = _unmet(subject, environment, interpreter, distributions)
    items: dict[str, Attributes] = {
        INTERPRETER_ITEM: {
            **interpreter.attributes,
            "path": path.told({one.source: one.name for one in distributions.values() if one.source}),
            "hooks": path.told_hooks(environment.prefix),
            **_restart(subject, environment, distributions),
        },
        **_packages(conda, distributions),
    }
    for item, distribution in distributions.items():
        facts = _attributes(subject, distribution, conda, neighbours, reasons)
        facts["location"] = relative(distribution.site, environment.prefix)
        if item in lacks:
            facts["unmet"] = lacks[item]
        items[item] = facts
    reasons |= path.reasons
    section = Section(
        f"python/{name}",
        "python",
        SCHEMA,
        items,
        status=Status.PARTIAL if reasons else Status.OK,
        reasons=tuple(sorted(reasons)),
        observed={} if name == environment.name else {"location": f"/{environment.name}"},
    )
    return section, distributions


def _settled(
    subject: Subject, environment: Environment, interpreter: Interpreter, reasons: set[str]
) -> tuple[SearchPath, dict[str, Distribution]]:
    """The search path and its distributions; read once more where an installer was at work meanwhile."""
    for _ in range(_TRIES):
        seen: set[str] = set()
        made = _made(subject.root, environment)
        path = search_path(subject.root, environment, interpreter.base, interpreter.system_site)
        distributions = read_all(subject, path.entries, environment.prefix, seen)
        lasted = made and made == _made(subject.root, environment) and path.is_as_read(subject.root)
        if lasted and Reason.VANISHED not in seen | path.reasons:
            break
    else:
        seen.add(Reason.VANISHED)
    reasons |= seen
    return path, distributions


def _made(root: Root, environment: Environment) -> object:
    """What tells one making of a venv from another one at its place; None where it is gone."""
    if environment.role != "venv":
        return True
    try:
        status = root.stat(join(environment.prefix, "pyvenv.cfg"))
    except Unreadable as problem:
        return problem.reason  # the interpreter's facts say so
    return status and (status.st_dev, status.st_ino, status.st_ctime_ns)


def _attributes(
    subject: Subject, distribution: Distribution, conda: Conda, neighbours: Neighbours, reasons: set[str]
) -> dict[str, Value]:
    """The facts of a distribution, with what its owner and the checkout that it lies in add."""
    facts: dict[str, Value] = dict(distribution.attributes)
    package = conda.owners.get(distribution.place)
    owner = package.owner if package else neighbours.owner(distribution.metadata)
    if owner:
        facts["owner"] = owner
    if package:
        facts |= {key: value for key, value in package.facts().items() if key in ("build", "channel")}
    if (owner or facts.get("installer") == "conda") and str(facts.get("source", "")).startswith("file:"):
        return {key: value for key, value in facts.items() if key not in _SOURCE}
    if distribution.source is not None:
        try:
            checkout = neighbours.checkout(subject.root, distribution.source, subject.memory, reasons)
        except Unreadable as problem:
            reasons.add(problem.reason)
            return facts
        facts |= {ours: checkout[theirs] for theirs, ours in _CHECKOUT.items() if theirs in checkout}
    return facts


def _restart(subject: Subject, environment: Environment, distributions: Mapping[str, Distribution]) -> Attributes:
    """Whether a process runs from the environment that started before something was installed into it."""
    started = subject.memory.once(("running", subject.prefix), lambda: running(subject.root)).get(environment.prefix)
    if started is None:
        return {}
    for distribution in distributions.values():
        try:
            status = subject.root.stat(distribution.place)
        except Unreadable:
            continue  # the distribution itself says so
        if status and status.st_mtime > started + _START_IS_SURE_TO:
            return {"restart_needed": True}
    return {}


def _packages(conda: Conda, distributions: Mapping[str, Distribution]) -> dict[str, Attributes]:
    """The conda packages that are no Python distribution of the environment."""
    known = {conda.owners[one.place].name for one in distributions.values() if one.place in conda.owners}
    return {f"conda:{one.name}": one.facts() for one in conda.packages if one.name not in known}


def _unmet(
    subject: Subject, environment: Environment, interpreter: Interpreter, distributions: Mapping[str, Distribution]
) -> Mapping[str, tuple[str, ...]]:
    """Requirements of what imports that nothing fulfils; worked out anew where a distribution or the Python changed."""
    installed = {item: Installed(one.version, one.requires) for item, one in distributions.items() if "#" not in item}
    markers = interpreter.markers()
    stamp = (tuple(installed.items()), tuple(markers.items()))
    key = ("unmet", subject.prefix, environment.name, environment.library)
    return subject.memory.recall(key, stamp, lambda: unmet(installed, markers))
