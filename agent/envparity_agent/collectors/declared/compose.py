"""What a compose file declares: of each service its image and its configuration.

https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

import os
import re
import shlex
from collections.abc import Iterator
from typing import Any, TypeAlias

from envparity_agent.collectors.containers.configuration import label_items
from envparity_agent.collectors.containers.images import normal_reference
from envparity_agent.collectors.declared import containers
from envparity_agent.collectors.declared.interpolation import Unresolved, interpolated, read_env
from envparity_agent.collectors.declared.source import Source
from envparity_agent.collectors.declared.yaml_documents import Mapping, Sequence, read_yaml, shown
from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.redaction import command
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Attributes, Reason, Section, Value

MAX_SERVICES = 1000
MAX_EXTENDED = 20  # services that extend each other
_JOINED = frozenset({"ports", "expose", "volumes", "env_file"})  # of both sides where a service extends another
_NAMED = frozenset({"environment", "labels"})
_BYTES = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s?([bkmg]?)i?b?", re.IGNORECASE)
_PORT = re.compile(
    r"(?:(?P<address>[0-9]+(?:\.[0-9]+){3}|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:]*::[0-9A-Fa-f:]*):)?(?:(?P<host>[0-9-]*):)?"
    r"(?P<target>[0-9-]+)(?:/(?P<protocol>tcp|udp|sctp))?"
)

Service: TypeAlias = dict[str, Any]


def read_compose(source: Source, options: Options) -> list[Section]:
    """The sections `container/PROJECT.SERVICE` and `.../config` of the services that start without a profile.

    What the images bring is not in the file: each section is `partial(declared)`. Raises UsageError.
    """
    return list(_Compose(source, options).sections())


class _Compose:
    """One compose file with the variables of the `.env` file beside it."""

    def __init__(self, source: Source, options: Options) -> None:
        self.source, self.options = source, options
        self.document = read_yaml(source)
        self.variables = self._environment_file(".env", 0, required=False)
        services = self.document.get("services")
        if not isinstance(services, Mapping):
            raise source.error(self.document.lines.get("services", 1), "services is not a mapping")
        if len(services) > MAX_SERVICES:
            raise source.error(services.line, f"more than {MAX_SERVICES} services")
        self.services = services
        self.project = self._project()
        self.reasons: set[str] = set()

    def sections(self) -> Iterator[Section]:
        for name in self.services:
            line = self.line(name)
            self.reasons = {Reason.UNSUPPORTED} if "include" in self.document else set()
            service = self._extended(name, line, 0)
            if service.get("profiles"):
                continue
            image = self._image(service)
            items = dict(self._items(service, line))
            yield containers.container_section(f"{self.project}.{name}", image)
            yield containers.config_section(f"{self.project}.{name}", items, self.reasons)

    def line(self, service: str) -> int:
        return self.services.lines.get(service, self.services.line)

    def _project(self) -> str:
        """The project's name: what the file says, the `.env` file, else the directory's name as compose has it.

        https://docs.docker.com/compose/how-tos/project-name/
        """
        named = self._text(self.document.get("name")) or self.variables.get("COMPOSE_PROJECT_NAME")
        if named:
            return named
        return re.sub(r"[^-_a-z0-9]", "", self.source.directory.lower()).lstrip("-_") or "default"

    def _environment_file(self, path: str, line: int, *, required: bool) -> dict[str, str]:
        try:
            beside = self.source.beside(path, line)
        except UsageError:
            if required:
                raise
            return {}
        return read_env(beside) if beside else {}

    def _text(self, value: Any) -> str | None:
        """A scalar with its variables replaced; None where it is none, or is not known."""
        if value is None or isinstance(value, Mapping | Sequence):
            return None
        try:
            return interpolated(value, self.variables) if isinstance(value, str) else shown(value)
        except Unresolved:
            return None

    def _texts(self, value: Any) -> list[str]:
        """A text or a list of texts, those that are not known left out."""
        listed = value if isinstance(value, Sequence) else [value]
        return [text for one in listed if (text := self._text(one)) is not None]

    def _extended(self, name: str, line: int, depth: int) -> Service:
        """A service with what it takes over from another one of the file."""
        service = self.services.get(name)
        if not isinstance(service, Mapping):
            raise self.source.error(line, f"the service {name[:80]} is not a mapping")
        own: Service = {key: self._named(key, value, self.line(name)) for key, value in service.items()}
        extends = own.pop("extends", None)
        if extends is None:
            return own
        other = extends.get("service") if isinstance(extends, Mapping) else extends
        if isinstance(extends, Mapping) and "file" in extends:
            self.reasons.add(Reason.UNSUPPORTED)
            return own
        if not isinstance(other, str) or other not in self.services:
            raise self.source.error(line, f"{name[:80]} extends a service that is not there")
        if depth == MAX_EXTENDED:
            raise self.source.error(line, f"more than {MAX_EXTENDED} services extend each other")
        return _merged(self._extended(other, self.line(other), depth + 1), own)

    def _named(self, key: str, value: Any, line: int) -> Any:
        """Variables and labels as name -> value, whichever way they are written; None: not given here."""
        if key not in _NAMED or value is None:
            return value
        if isinstance(value, Mapping):
            return dict(value)
        if not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
            raise self.source.error(line, f"{key} is neither a mapping nor a list of texts")
        parts = (one.partition("=") for one in value)
        return {name: text if separator or key == "labels" else None for name, separator, text in parts}

    def _image(self, service: Service) -> Attributes:
        reference, platform = self._text(service.get("image")), self._text(service.get("platform"))
        image: dict[str, Value] = {"reference": normal_reference(reference)} if reference else {}
        return {**image, "platform": platform} if platform else image

    def _items(self, service: Service, line: int) -> Iterator[tuple[str, Attributes]]:
        for name, value in self._environment(service, line).items():
            yield f"env:{name}", self.options.disclosure.of(name, value)
        for key in ("entrypoint", "command"):
            given = self._command(service.get(key))
            if given:
                yield key, command(given, self.options.disclosure)
        for item, key in (("user", "user"), ("workdir", "working_dir"), ("restart", "restart")):
            text = self._text(service.get(key))
            if text is not None:
                yield item, {"value": text}
        for key in ("privileged", "read_only"):
            if isinstance(service.get(key), bool):
                yield key, {"value": service[key]}
        mode = self._text(service.get("network_mode"))
        if mode is not None:
            shared = mode.startswith(("service:", "container:"))
            yield "network", {"value": "container" if shared else "bridge" if mode == "default" else mode}
        yield from self._limits(service)
        yield from self._ports(service, line)
        yield from self._mounts(service)
        labels = {name: self._text(value) for name, value in (service.get("labels") or {}).items()}
        told = {name: value for name, value in labels.items() if value is not None}
        yield from label_items(told, self.options).items()

    def _environment(self, service: Service, line: int) -> dict[str, str]:
        """Variables of a service: those of its files, then its own; one without a value comes from `.env`."""
        found: dict[str, str] = {}
        listed = service.get("env_file")
        for one in listed if isinstance(listed, list) else [listed] if listed else []:
            required = not isinstance(one, Mapping) or one.get("required") is not False
            path = self._text(one.get("path") if isinstance(one, Mapping) else one)
            if path is None or self.source.root is None:
                self.reasons.add(Reason.UNSUPPORTED)
            else:
                found |= self._environment_file(path, line, required=required)
        for name, value in (service.get("environment") or {}).items():
            text = self.variables.get(name) if value is None else self._text(value)
            if text is None:
                found.pop(name, None)  # whoever starts the services gives it
            else:
                found[name] = text
        return found

    def _command(self, value: Any) -> list[str] | None:
        """The words of a command; None where it is not given or not known."""
        if isinstance(value, Sequence):
            words = self._texts(value)
            return words if len(words) == len(value) else None
        text = self._text(value)
        if text is None:
            return None
        try:
            return shlex.split(text)
        except ValueError:
            self.reasons.add(Reason.INVALID)
            return None

    def _limits(self, service: Service) -> Iterator[tuple[str, Attributes]]:
        limits: Any = service
        for key in ("deploy", "resources", "limits"):
            limits = limits.get(key) if isinstance(limits, dict) else None
        deployed = limits if isinstance(limits, dict) else {}
        memory = self._text(deployed.get("memory", service.get("mem_limit")))
        size = _BYTES.fullmatch(memory) if memory else None
        if size:
            power = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3}[size[2].lower()]
            yield "limit:memory", {"value": int(float(size[1]) * 1024**power)}
        processors = self._text(deployed.get("cpus", service.get("cpus")))
        if processors and re.fullmatch(r"\d{1,6}(?:\.\d{1,9})?", processors):
            yield "limit:cpu", {"value": round(float(processors) * 1000)}

    def _ports(self, service: Service, line: int) -> Iterator[tuple[str, Attributes]]:
        found: dict[str, dict[str, Value]] = {}
        for text in self._texts(service.get("expose")):
            for item in containers.ports(text):
                found.setdefault(item, {})["exposed"] = True
        listed = service.get("ports") or []
        if not isinstance(listed, list):
            raise self.source.error(line, "ports is not a list")
        for one in listed:
            for item, published in self._published(one, line):
                body = found.setdefault(item, {})
                before = body.get("published")
                body["published"] = tuple(sorted({*(before if isinstance(before, tuple) else ()), published}))
        yield from found.items()

    def _published(self, one: Any, line: int) -> Iterator[tuple[str, str]]:
        """The ports of one entry, in its short or its long form, each with where it is published."""
        if isinstance(one, Mapping):
            parts = {key: self._text(one.get(key)) for key in ("target", "published", "host_ip", "protocol")}
            address, host, target = parts["host_ip"] or "", parts["published"] or "", parts["target"] or ""
            protocol = parts["protocol"] or "tcp"
        elif (text := self._text(one)) is None:
            return
        elif found := _PORT.fullmatch(text[:200]):
            address, host, target = found["address"] or "", found["host"] or "", found["target"]
            protocol = found["protocol"] or "tcp"
        else:
            raise self.source.error(line, f"{text[:40]!r} is no port")
        inner = containers.ports(f"{target}/{protocol}")
        outer = containers.ports(host)
        if not inner or (host and not outer) or len(outer) not in (0, 1, len(inner)):
            raise self.source.error(line, f"{host[:20]}:{target[:20]} is no port")
        for number, item in enumerate(inner):
            port = outer[min(number, len(outer) - 1)].removeprefix("port:").partition("/")[0] if outer else "any"
            yield item, f"{address or '0.0.0.0'}:{port}"  # noqa: S104  # where compose publishes, not where we listen

    def _mounts(self, service: Service) -> Iterator[tuple[str, Attributes]]:
        volumes = service.get("volumes") or []
        for one in volumes if isinstance(volumes, list) else ():
            if isinstance(one, Mapping):
                target, origin = self._text(one.get("target")), self._text(one.get("source")) or ""
                kind = self._text(one.get("type")) or "volume"
                writable = one.get("read_only") is not True
            else:
                parts = (self._text(one) or "").split(":")
                target, origin = parts[1] if len(parts) > 1 else parts[0], parts[0] if len(parts) > 1 else ""
                kind = "bind" if origin.startswith(("/", ".", "~")) else "volume"
                writable = "ro" not in (parts[2].split(",") if len(parts) > 2 else ())
            if target:
                yield f"mount:{os.path.normpath(target)}", self._mount(kind, origin, writable)

    def _mount(self, kind: str, origin: str, writable: bool) -> Attributes:
        """A mount; where a directory beside the file will lie is known only where the services run."""
        facts: dict[str, Value] = {"type": kind, "writable": writable}
        if kind == "volume" and origin:
            volumes = self.document.get("volumes")
            body = volumes.get(origin) if isinstance(volumes, Mapping) else None
            named = self._text(body.get("name")) if isinstance(body, Mapping) else None
            external = isinstance(body, Mapping) and bool(body.get("external"))
            facts["source"] = named or (origin if external else f"{self.project}_{origin}")
        elif origin.startswith("/"):
            facts["source"] = os.path.normpath(origin)
        return facts


def _merged(base: Service, own: Service) -> Service:
    """A service over the one that it extends: lists are joined, names win, the rest is replaced."""
    found = {**base, **own}
    for key in base.keys() & own.keys():
        before, after = base[key], own[key]
        if key in _JOINED:
            found[key] = [*_listed(before), *_listed(after)]
        elif key in _NAMED and isinstance(before, dict) and isinstance(after, dict):
            found[key] = {**before, **after}
    found.pop("profiles", None) if "profiles" not in own else None
    return found


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]
