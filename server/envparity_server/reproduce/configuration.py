"""Sets what an image can hold of a container's configuration: variables, ports, directory, user, command, labels."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from envparity_agent.fingerprint import Attributes
from envparity_server.reproduce.bases import Base, Origin
from envparity_server.reproduce.model import Gap, Part
from envparity_server.reproduce.quoting import exec_form, is_quotable, one_line, word
from envparity_server.reproduce.target import Subject

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_PORT = re.compile(r"\d{1,5}(?:-\d{1,5})?/(?:tcp|udp|sctp)")
_HIDDEN = "…"

_UNWRITTEN = "holds a character that a Dockerfile has no way to write"
_UNTOLD = "its value is not told: give it when the container is run, as what a build is given stays in the image"
_RUNTIME = "is a matter of how the container is run, not of its image"


_ARGUMENTS = "are the arguments of an entrypoint that is not told"


class _Setting(NamedTuple):
    """What becomes of one item: an instruction, or why there is none, or neither."""

    line: str = ""
    why: str = ""


def configuration(subject: Subject, base: Base) -> Part:
    """The instructions for a container's or an image's configuration, and a gap for what only a run can give."""
    path = f"{subject.described}/config"
    items = subject.items(path) if subject.described else {}
    settings = {item: _setting(item, facts) for item, facts in sorted(items.items()) if item not in _COMMANDS}
    order = sorted(settings.items(), key=lambda one: (_rank(one[0]), one[0]))
    lines = [setting.line for _, setting in order if setting.line]
    gaps = [Gap(path, item, setting.why) for item, setting in order if setting.why]
    hidden = [
        item.removeprefix("env:") for item, setting in order if setting.why == _UNTOLD and item.startswith("env:")
    ]
    if hidden:
        lines.insert(0, f"# not told, to be given by --env when it is run: {one_line(', '.join(hidden))}")
    commands = {item: _command(items[item]) for item in _COMMANDS if item in items}
    lines += _command_lines(commands, base)
    if commands.get("entrypoint", _Setting()).why and "command" in commands:
        commands["command"] = _Setting(why=_ARGUMENTS)
    gaps += (Gap(path, item, setting.why) for item, setting in commands.items() if setting.why)
    return Part(tuple(lines), gaps=tuple(gaps))


_COMMANDS = ("entrypoint", "command")


def _rank(item: str) -> int:
    """Where an instruction stands: whoever the user is, the directory is made before."""
    return next(
        (rank for rank, start in enumerate(("env:", "label:", "port:", "workdir")) if item.startswith(start)), 9
    )


def _setting(item: str, facts: Attributes) -> _Setting:
    kind, _, name = item.partition(":")
    return _READERS.get(kind, _of_a_run)(name, facts)


def _environment(name: str, facts: Attributes) -> _Setting:
    if "value" not in facts:
        return _Setting(why=_UNTOLD)
    value = str(facts["value"])
    if not _NAME.fullmatch(name) or not is_quotable(value):
        return _Setting(why=_UNWRITTEN)
    return _Setting(f"ENV {name}={word(value)}")


def _label(name: str, facts: Attributes) -> _Setting:
    value = str(facts.get("value") or "")
    if not name or not is_quotable(name) or not is_quotable(value):
        return _Setting(why=_UNWRITTEN)
    return _Setting(f"LABEL {word(name)}={word(value)}")


def _port(name: str, facts: Attributes) -> _Setting:
    if not _PORT.fullmatch(name):
        return _Setting(why=_UNWRITTEN)
    published = facts.get("published")
    places = ", ".join(published) if isinstance(published, tuple) else ""
    why = f"is published at {places}: {_RUNTIME}" if places else ""
    return _Setting(f"EXPOSE {name}" if facts.get("exposed") else "", why)


def _place(instruction: str) -> Callable[[str, Attributes], _Setting]:
    def read(_: str, facts: Attributes) -> _Setting:
        value = str(facts.get("value") or "")
        if not is_quotable(value):
            return _Setting(why=_UNWRITTEN)
        return _Setting(f"{instruction} {word(value)}" if value else "")

    return read


def _healthcheck(_: str, facts: Attributes) -> _Setting:
    return _Setting(why="the command that checks its health is not told" if facts.get("value") else "")


def _of_a_run(_: str, __: Attributes) -> _Setting:
    return _Setting(why=_RUNTIME)


_READERS: Mapping[str, Callable[[str, Attributes], _Setting]] = {
    "env": _environment,
    "label": _label,
    "port": _port,
    "workdir": _place("WORKDIR"),
    "user": _place("USER"),
    "healthcheck": _healthcheck,
}


def _command(facts: Attributes) -> _Setting:
    """A command by its words; they hold no blanks, as only words of known shapes are told."""
    told = str(facts.get("command") or "")
    if _HIDDEN in told or {"hidden", "hmac"} & facts.keys():
        return _Setting(why=f"not all of its words are told: {one_line(told)}")
    return _Setting(exec_form(told.split(" ")))


def _command_lines(commands: Mapping[str, _Setting], base: Base) -> Iterator[str]:
    """ENTRYPOINT and CMD; one that is set undoes the CMD of the base, which an image of the target's own keeps."""
    if base.origin is Origin.OWN and any(one.why for one in commands.values()):
        return
    entrypoint, command = commands.get("entrypoint", _Setting()), commands.get("command", _Setting())
    if entrypoint.line:
        yield f"ENTRYPOINT {entrypoint.line}"
    if command.line:
        yield f"CMD {command.line}"
