"""What a Dockerfile declares of the image that it makes: its last stage, with the stages that this is based on."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from envparity_agent.collectors.containers.configuration import label_items
from envparity_agent.collectors.containers.images import normal_reference
from envparity_agent.collectors.declared import containers
from envparity_agent.collectors.declared.copies import Copied, origins
from envparity_agent.collectors.declared.dockerfile_syntax import (
    Instruction,
    Lookup,
    Unknown,
    expand,
    flags,
    heredoc_free,
    instructions,
    listed,
    of,
    pairs,
    words,
)
from envparity_agent.collectors.declared.entries import Entry, at, section
from envparity_agent.collectors.declared.installs import Installed, execute, run
from envparity_agent.collectors.declared.requirements import read_requirements
from envparity_agent.collectors.declared.source import Source
from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.redaction import command
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Attributes, Reason, Section, Value

_SHELL = ("/bin/sh", "-c")
# set by the builder for each platform, and without a value in the file
# https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
_AUTOMATIC = dict.fromkeys(
    f"{which}{part}" for which in ("TARGET", "BUILD") for part in ("PLATFORM", "OS", "ARCH", "VARIANT")
)


@dataclass
class _Stage:
    """What one stage has after its instructions so far; None is a value that the file does not tell."""

    base: str | None
    platform: str = ""
    env: dict[str, str | None] = field(default_factory=dict)
    arguments: dict[str, str | None] = field(default_factory=dict)
    ports: dict[str, None] = field(default_factory=dict)
    labels: dict[str, str | None] = field(default_factory=dict)
    workdir: str | None = None
    user: str | None = None
    shell: tuple[str, ...] = _SHELL
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    own_command: bool = False  # of this stage, and not of the one before it
    copies: list[Copied] = field(default_factory=list)
    installed: Installed = field(default_factory=Installed)
    unread: bool = False  # an instruction depends on what is not in the file

    def next(self, platform: str) -> "_Stage":
        """A stage that begins with this one."""
        return replace(
            self, platform=platform or self.platform, env=dict(self.env), arguments={}, ports=dict(self.ports),
            labels=dict(self.labels), copies=list(self.copies), installed=self.installed.copy(), own_command=False,
        )  # fmt: skip


class _Build:
    """Follows the instructions of one Dockerfile."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found, self.escape = instructions(source)
        self.globals: dict[str, str | None] = dict(_AUTOMATIC)
        self.stages: dict[str, _Stage] = {}
        self.stage: _Stage | None = None
        self.count = 0

    def follow(self) -> _Stage:
        """The last stage; raises UsageError."""
        for one in self.found:
            if one.word == "FROM":
                self._from(one)
            elif self.stage is None:
                if one.word != "ARG":
                    raise self.source.error(one.line, f"{one.word} before the first FROM")
                self._global(one)
            elif one.word in _STEPS:
                try:
                    _STEPS[one.word](self, self.stage, one)
                except Unknown:
                    self.stage.unread = True
            elif one.word not in _WITHOUT_TRACE:
                raise self.source.error(one.line, f"no instruction of a Dockerfile: {one.word[:40]}")
        if self.stage is None:
            raise self.source.error(1, "there is no FROM")
        return self.stage

    def lookup(self) -> Lookup:
        """Variables of the stage: ENV wins over ARG."""
        return of(self.stage.env, self.stage.arguments) if self.stage else of(self.globals)

    def _global(self, one: Instruction) -> None:
        for name, _, default in (word.partition("=") for word in one.value.split()):
            try:
                self.globals[name] = expand(default, of(self.globals), self.escape) if default else None
            except Unknown:
                self.globals[name] = None

    def _from(self, one: Instruction) -> None:
        options, rest = flags(one.value)
        parts = rest.split()
        if len(parts) not in (1, 3) or (len(parts) == 3 and parts[1].upper() != "AS"):
            raise self.source.error(one.line, "FROM takes an image, and AS with the name of the stage")
        platform = self._expanded((options.get("platform") or [""])[0]) or ""
        name = self._expanded(parts[0])
        before = self.stages.get((name or "").lower())
        self.stage = before.next(platform) if before else _Stage(name, platform)
        self.stages[str(self.count)] = self.stage
        if len(parts) == 3:
            self.stages[parts[2].lower()] = self.stage
        self.count += 1

    def _expanded(self, text: str) -> str | None:
        try:
            return expand(text, of(self.globals), self.escape)
        except Unknown:
            return None

    def arg(self, stage: _Stage, one: Instruction) -> None:
        """ARG: a default, or what is given before the first FROM."""
        for word in one.value.split():
            name, separator, default = word.partition("=")
            stage.arguments[name] = None if separator else self.globals.get(name)
            if separator:
                stage.arguments[name] = expand(default, self.lookup(), self.escape)

    def env(self, stage: _Stage, one: Instruction) -> None:
        """ENV: all pairs of one instruction see the values before it."""
        stage.env.update(list(pairs(one.value, self.lookup(), self.escape)))

    def label(self, stage: _Stage, one: Instruction) -> None:
        """LABEL."""
        stage.labels.update(list(pairs(one.value, self.lookup(), self.escape)))

    def expose(self, stage: _Stage, one: Instruction) -> None:
        """EXPOSE."""
        for word in words(one.value, self.lookup(), self.escape):
            found = containers.ports(word)
            if not found:
                raise self.source.error(one.line, f"EXPOSE: {word[:40]!r} is no port")
            stage.ports.update(dict.fromkeys(found))

    def user(self, stage: _Stage, one: Instruction) -> None:
        """USER."""
        stage.user = None  # not known, should what follows depend on what is not in the file
        stage.user = expand(one.value, self.lookup(), self.escape)

    def workdir(self, stage: _Stage, one: Instruction) -> None:
        """WORKDIR: relative to the one before it."""
        before, stage.workdir = stage.workdir, None
        path = expand(one.value, self.lookup(), self.escape)
        if not path.startswith("/") and before is None:
            raise Unknown(path)  # relative to the base image's
        stage.workdir = os.path.normpath(os.path.join(before or "/", path))

    def set_shell(self, stage: _Stage, one: Instruction) -> None:
        """SHELL."""
        stage.shell = self._words(stage, one.value) or _SHELL

    def set_entrypoint(self, stage: _Stage, one: Instruction) -> None:
        """ENTRYPOINT: takes the command of the base away, as that was meant for another one."""
        stage.entrypoint = self._words(stage, one.value)
        if not stage.own_command:
            stage.command = None

    def set_command(self, stage: _Stage, one: Instruction) -> None:
        """CMD."""
        stage.command, stage.own_command = self._words(stage, one.value), True

    def _words(self, stage: _Stage, value: str) -> tuple[str, ...]:
        """The exec form is JSON; whatever is none is a text for the shell."""
        form = listed(value)
        return (*stage.shell, value) if form is None else form

    def copy(self, stage: _Stage, one: Instruction) -> None:
        """COPY and ADD: what comes from the context, and not from another stage or image."""
        options, rest = flags(one.value)
        form = listed(rest)
        given = list(form) if form is not None else words(heredoc_free(rest), self.lookup(), self.escape)
        if "from" not in options and len(given) > 1:
            stage.copies.append((tuple(given[:-1]), self._absolute(stage, given[-1])))

    def _absolute(self, stage: _Stage, path: str) -> str:
        """A path in the image, a slash at its end kept."""
        place = os.path.normpath(os.path.join(stage.workdir or "/", path))
        return f"{place}/" if path.endswith(("/", "/.")) or path in (".", "./") else place

    def run(self, stage: _Stage, one: Instruction) -> None:
        """RUN: what its commands install."""
        options, rest = flags(one.value)
        copies = [*stage.copies, *self._mounted(stage, options.get("mount", []))]

        def included(path: str, constraint: bool) -> Sequence[Entry] | None:
            return self._included(stage, copies, path, constraint, one.line)

        lookup = self.lookup()
        form = listed(rest)
        if form is not None:
            shell = len(form) == 3 and form[0].rpartition("/")[2] in ("sh", "bash", "ash") and form[1] == "-c"
            if not shell:
                execute(form, one.line, lookup, included, stage.installed)
                return
            rest = form[2]
        script = heredoc_free(rest) if one.bodies else rest
        if one.bodies and script.rpartition("/")[2] in ("", "sh", "bash", "ash"):
            script = one.bodies[0]
        run(script, one.line, lookup, included, stage.installed)

    def _mounted(self, stage: _Stage, mounts: Sequence[str]) -> list[Copied]:
        """What a RUN instruction mounts of the context."""
        found: list[Copied] = []
        for mount in mounts:
            given = dict(part.partition("=")[::2] for part in mount.split(","))
            target = given.get("target") or given.get("dst") or given.get("destination")
            if given.get("type", "bind") == "bind" and "from" not in given and target:
                found.append(((given.get("source") or given.get("src") or ".",), self._absolute(stage, target)))
        return found

    def _included(
        self, stage: _Stage, copies: Sequence[Copied], path: str, constraint: bool, line: int
    ) -> Sequence[Entry] | None:
        """The requirements of a file that was copied from beside the Dockerfile; None where it was not."""
        place = os.path.normpath(os.path.join(stage.workdir or "/", path))
        for candidate in origins(place, copies):
            try:
                beside = self.source.beside(candidate, line)
            except UsageError:
                continue  # copied from elsewhere, or made during the build
            if beside is not None:
                found = read_requirements(beside)
                stage.installed.unread_python += bool(found.reasons)
                via = f"{'-c' if constraint else '-r'} {path}"
                return [
                    Entry(name, _included_facts(body, via, constraint))
                    for name, body in found.items.items()
                    if not name.startswith("@")
                ]
        return None


def _included_facts(body: Attributes, via: str, constraint: bool) -> dict[str, Value]:
    return {**body, "via": (via,), **({"optional": ("constraint",)} if constraint else {})}


_Step = Callable[[_Build, _Stage, Instruction], None]
_STEPS: dict[str, _Step] = {
    "ARG": _Build.arg, "ENV": _Build.env, "LABEL": _Build.label, "EXPOSE": _Build.expose, "USER": _Build.user,
    "WORKDIR": _Build.workdir, "SHELL": _Build.set_shell, "ENTRYPOINT": _Build.set_entrypoint,
    "CMD": _Build.set_command, "COPY": _Build.copy, "ADD": _Build.copy, "RUN": _Build.run,
}  # fmt: skip
_WITHOUT_TRACE = frozenset({"HEALTHCHECK", "MAINTAINER", "ONBUILD", "STOPSIGNAL", "VOLUME"})


def read_dockerfile(source: Source, options: Options) -> list[Section]:
    """The sections of a Dockerfile: the container's image and configuration, Python and OS packages.

    What the base image brings is not in the file: each section is `partial(declared)`. Raises UsageError.
    """
    stage = _Build(source).follow()
    name = source.directory or "dockerfile"
    image: dict[str, Value] = {"base": normal_reference(stage.base) if stage.base else None}
    if stage.platform:
        image["platform"] = stage.platform
    unread = (Reason.UNSUPPORTED,) if stage.unread else ()
    installed = stage.installed
    found = [
        containers.container_section(name, image),
        containers.config_section(name, _configuration(stage, options), unread),
    ]
    if installed.python or installed.unread_python:
        found.append(section(at(source), installed.python, reasons=_partly(installed.unread_python)))
    if installed.system or installed.unread_system:
        found.append(section("os-packages", installed.system.values(), reasons=_partly(installed.unread_system)))
    return found


def _partly(unread: int) -> tuple[str, ...]:
    return (Reason.DECLARED, Reason.UNSUPPORTED) if unread else (Reason.DECLARED,)


def _configuration(stage: _Stage, options: Options) -> dict[str, Attributes]:
    """What the last stage says; what depends on the base image is left out, as the file does not tell it."""
    items: dict[str, Attributes] = {}
    for name, value in stage.env.items():
        if value is not None:
            items[f"env:{name}"] = options.disclosure.of(name, value)
    for name, given in (("entrypoint", stage.entrypoint), ("command", stage.command)):
        if given:
            items[name] = command(given, options.disclosure)
    for name, text in (("user", stage.user), ("workdir", stage.workdir)):
        if text is not None:
            items[name] = {"value": text}
    items |= {port: {"exposed": True} for port in stage.ports}
    labels = {name: value for name, value in stage.labels.items() if value is not None}
    return items | label_items(labels, options)
