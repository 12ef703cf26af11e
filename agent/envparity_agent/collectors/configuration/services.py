"""The services of systemd that an operator wrote or changed: what they run, as whom, and with which variables.

https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html#Unit%20File%20Load%20Path
"""

from collections.abc import Iterator
from dataclasses import dataclass

from envparity_agent.collectors.configuration import dotenv
from envparity_agent.collectors.configuration.globs import matches
from envparity_agent.collectors.configuration.systemd import expanded, gathered, settings, words
from envparity_agent.collectors.interface import Consent, Subject
from envparity_agent.collectors.redaction import command
from envparity_agent.collectors.values import Disclosure, untold
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_agent.root import Root

MAX_SERVICES = 1000
MAX_DROP_INS = 100  # of one unit

_OPERATORS = "etc/systemd/system"
_VENDORS = ("usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
_LOAD_PATH = (_OPERATORS, "run/systemd/system", *_VENDORS)  # what comes first wins
_PREFIXES = "@-:+!|"  # before the program of ExecStart=
_LIMITS = {
    "CPUQuota": "limit:cpu", "LimitAS": "limit:as", "LimitCORE": "limit:core", "LimitMEMLOCK": "limit:memlock",
    "LimitNOFILE": "limit:nofile", "LimitNPROC": "limit:nproc", "LimitSTACK": "limit:stack",
    "MemoryHigh": "limit:memory-high", "MemoryMax": "limit:memory", "TasksMax": "limit:tasks",
}  # fmt: skip
_PLAIN = {"User": "user", "Group": "group", "WorkingDirectory": "workdir", "Restart": "restart", **_LIMITS}


@dataclass(frozen=True)
class _Unit:
    """A service's name without its suffix, and the files that make it: its own, then drop-ins in their order."""

    name: str
    files: tuple[str, ...]


def collect(subject: Subject) -> Iterator[Section]:
    """Yield one `service/NAME` for each service of the operator, then `services`, which says if all were listed."""
    if subject.options.consent < Consent.CONFIG:
        yield _list(Status.ABSENT, Reason.CONSENT)
        return
    if not any(subject.root.is_directory(place) for place in _LOAD_PATH):
        yield _list(Status.ABSENT, Reason.NOT_INSTALLED)
        return
    reasons: set[str] = set()
    names = _names(subject.root, reasons)
    for name in names[:MAX_SERVICES]:
        try:
            yield _section(subject.root, _unit(subject.root, name), subject.options.disclosure)
        except Unreadable as problem:
            yield Section(f"service/{name}", "configuration", 1, status=Status.FAILED, reasons=(problem.reason,))
    if len(names) > MAX_SERVICES:
        reasons.add(Reason.CAP)
    yield _list(Status.PARTIAL if reasons else Status.OK, *sorted(reasons))


def executables(root: Root) -> tuple[str, ...]:
    """The programs that the operator's services start, relative to the root; what cannot be read starts none."""
    try:
        names = _names(root, set())[:MAX_SERVICES]
    except Unreadable:
        return ()  # section `services` says so
    found: set[str] = set()
    for name in names:
        try:
            lines = _settings(root, _unit(root, name)).get("ExecStart", ())
            found.update(word.lstrip("/") for line in lines for word in _command(line)[:1])
        except (Unreadable, ValueError):
            continue  # so does the service's own
    return tuple(sorted(filter(None, found)))


def _list(status: Status, *reasons: str) -> Section:
    return Section("services", "configuration", 1, status=status, reasons=reasons)


def _names(root: Root, reasons: set[str]) -> list[str]:
    """The names of the services that have something of the operator, a template's where no instance is enabled."""
    found: set[str] = set()
    instances: set[str] = set()
    for entry in root.names(_OPERATORS):
        place = f"{_OPERATORS}/{entry}"
        try:
            if entry.endswith(".service") and _is_own(root, place):
                found.add(entry)
            elif entry.endswith(".service.d") and any(name.endswith(".conf") for name in root.names(place)):
                found.add(entry.removesuffix(".d"))
            elif entry.endswith((".wants", ".requires")):
                instances.update(name for name in root.names(place) if name.endswith(".service") and "@" in name)
        except Unreadable as problem:
            reasons.add(problem.reason)
    enabled = {name for name in instances if _template(name) in found and name != _template(name)}
    used = {_template(name) for name in enabled}
    there = (name for name in (found | enabled) - used if _fragment(root, name))
    return sorted(name.removesuffix(".service") for name in there)


def _template(name: str) -> str:
    """The file of a template's instance: shop@.service of shop@1.service; of another service its own."""
    prefix, separator, _ = name.partition("@")
    return f"{prefix}@.service" if separator else name


def _is_own(root: Root, place: str) -> bool:
    """Whether an entry is a service of the operator: no link to the vendor's, to nothing, or to another name."""
    try:
        target = root.resolved(place)
    except Unreadable as problem:
        if problem.reason == Reason.VANISHED:
            return False
        raise
    folder, _, name = target.rpartition("/")
    alias = folder == root.resolved(_OPERATORS) and name != place.rpartition("/")[2]
    return root.is_file(place) and not alias and folder not in _VENDORS


def _fragment(root: Root, name: str) -> str | None:
    """The unit file that is loaded for a service; None where there is none, or it is masked."""
    for file in dict.fromkeys((name, _template(name))):
        for place in _LOAD_PATH:
            if root.stat(f"{place}/{file}"):
                return f"{place}/{file}" if root.is_file(f"{place}/{file}") else None
    return None


def _unit(root: Root, name: str) -> _Unit:
    file = f"{name}.service"
    drop_ins: dict[str, str] = {}  # by the name of the file: the first one found wins, whichever directory it is in
    for unit in dict.fromkeys((file, _template(file))):
        for place in _LOAD_PATH:
            for entry in root.names(f"{place}/{unit}.d"):
                if entry.endswith(".conf"):
                    drop_ins.setdefault(entry, f"{place}/{unit}.d/{entry}")
    if len(drop_ins) > MAX_DROP_INS:
        raise Unreadable(file, Reason.CAP)
    own = _fragment(root, file)
    masked = (path for _, path in sorted(drop_ins.items()) if root.is_file(path))
    return _Unit(name, (*([own] if own else []), *masked))


def _settings(root: Root, unit: _Unit) -> dict[str, list[str]]:
    texts = (root.read(path).decode("utf-8", "replace") for path in unit.files)
    found = (setting for text in texts for setting in settings(text, "Service"))
    return {key: [expanded(value, unit.name) for value in values] for key, values in gathered(found).items()}


def _section(root: Root, unit: _Unit, disclosure: Disclosure) -> Section:
    found = _settings(root, unit)
    reasons: set[str] = set()
    items: dict[str, Attributes] = {}
    for number, line in enumerate(found.get("ExecStart", ()), 1):
        try:
            items["command" if number == 1 else f"command#{number}"] = command(_command(line), disclosure)
        except ValueError:
            reasons.add(Reason.INVALID)
    variables = _variables(root, found, reasons)
    items |= {f"env:{name}": disclosure.of(name, value) for name, value in variables.items()}
    items |= {item: {"value": found[key][-1]} for key, item in _PLAIN.items() if found.get(key)}
    reasons |= set(untold(items))
    status = Status.PARTIAL if reasons else Status.OK
    return Section(f"service/{unit.name}", "configuration", 1, items, status, tuple(sorted(reasons)))


def _command(line: str) -> list[str]:
    """The words of ExecStart=, from the program on; raises ValueError."""
    found = words(line)
    if not found:
        return []
    program = found[0].lstrip(_PREFIXES)
    renamed = "@" in found[0][: len(found[0]) - len(program)]  # the second word is what the program is called
    return [program, *found[2 if renamed else 1 :]]


def _variables(root: Root, found: dict[str, list[str]], reasons: set[str]) -> dict[str, str]:
    """Environment=, then what the files of EnvironmentFile= say instead; adds to `reasons` what could not be read."""
    variables: dict[str, str] = {}
    for line in found.get("Environment", ()):
        try:
            pairs = [word.partition("=") for word in words(line)]
        except ValueError:
            reasons.add(Reason.INVALID)
            continue
        variables |= {name: value for name, separator, value in pairs if separator and name}
    for line in found.get("EnvironmentFile", ()):
        path = line.removeprefix("-")
        try:
            for match in matches(root, path):
                variables |= dotenv.parse(root.read(match).decode("utf-8", "replace"))
        except Unreadable as problem:
            if not (line.startswith("-") and problem.reason == Reason.VANISHED):
                reasons.add(problem.reason)
        except ValueError:
            reasons.add(Reason.INVALID)
    return variables
