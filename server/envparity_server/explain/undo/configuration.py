"""How a value of a container's, a service's or a file's configuration goes back; what is not told stays unsaid."""

from collections.abc import Mapping
from typing import NamedTuple

from envparity_agent.fingerprint import Attributes, Value
from envparity_server.explain.model import Remedy
from envparity_server.explain.undo.code import copied
from envparity_server.explain.undo.sides import COMPOSE, CONTAINER, Home, Sides, text_of
from envparity_server.explain.undo.words import command, line, note, quoted

_UNTOLD = "<the value that good has>"
_SERVICE = "service/"
_FILE = "@file"


class _Words(NamedTuple):
    """What one setting is called, where it is given: empty where it cannot be."""

    option: str = ""  # of docker run
    key: str = ""  # of a service in a compose file
    unit: str = ""  # of systemd
    instruction: str = ""  # of a Dockerfile


# item -> its words; https://docs.docker.com/reference/compose-file/services/ and systemd.exec(5), the same order
_CALLED: Mapping[str, _Words] = {
    "capabilities-added": _Words("--cap-add", "cap_add"),
    "capabilities-dropped": _Words("--cap-drop", "cap_drop"),
    "command": _Words("", "command", "ExecStart", "CMD"),
    "devices": _Words("--device", "devices"),
    "dns": _Words("--dns", "dns"),
    "dns-search": _Words("--dns-search", "dns_search"),
    "entrypoint": _Words("--entrypoint", "entrypoint", "", "ENTRYPOINT"),
    "extra-hosts": _Words("--add-host", "extra_hosts"),
    "group": _Words("", "", "Group"),
    "groups-added": _Words("--group-add", "group_add", "SupplementaryGroups"),
    "limit:as": _Words("", "", "LimitAS"),
    "limit:core": _Words("", "", "LimitCORE"),
    "limit:cpu": _Words("--cpus", "cpus", "CPUQuota"),
    "limit:cpuset": _Words("--cpuset-cpus", "cpuset"),
    "limit:memlock": _Words("", "", "LimitMEMLOCK"),
    "limit:memory": _Words("--memory", "mem_limit", "MemoryMax"),
    "limit:memory-high": _Words("", "", "MemoryHigh"),
    "limit:nofile": _Words("", "", "LimitNOFILE"),
    "limit:nproc": _Words("", "", "LimitNPROC"),
    "limit:pids": _Words("--pids-limit", "pids_limit"),
    "limit:reservation": _Words("--memory-reservation", "mem_reservation"),
    "limit:shm": _Words("--shm-size", "shm_size"),
    "limit:stack": _Words("", "", "LimitSTACK"),
    "limit:swap": _Words("--memory-swap", "memswap_limit"),
    "limit:tasks": _Words("", "", "TasksMax"),
    "network": _Words("--network", "network_mode"),
    "privileged": _Words("--privileged", "privileged"),
    "read_only": _Words("--read-only", "read_only"),
    "restart": _Words("--restart", "restart", "Restart"),
    "security": _Words("--security-opt", "security_opt"),
    "user": _Words("--user", "user", "User", "USER"),
    "workdir": _Words("--workdir", "working_dir", "WorkingDirectory", "WORKDIR"),
}
# what the first word of an item stands for, which is followed by a name
_NAMED: Mapping[str, _Words] = {
    "env": _Words("-e", "environment", "Environment", "ENV"),
    "label": _Words("--label", "labels", "", "LABEL"),
    "mount": _Words("-v", "volumes"),
    "port": _Words("-p", "ports", "", "EXPOSE"),
    "sysctl": _Words("--sysctl", "sysctls"),
    "ulimit": _Words("--ulimit", "ulimits"),
}

_TMPFS = _Words("--tmpfs", "tmpfs")


def of_configuration(sides: Sides) -> Remedy | None:
    """Undo one value of a container's or a service's configuration."""
    item = sides.item.partition("#")[0]
    what, _, name = item.partition(":")
    words = _NAMED.get(what) or _CALLED.get(item)
    good = sides.good_body
    if what == "mount" and (good or {}).get("type") == "tmpfs":
        words = _TMPFS
    if words is None or not item:
        return None
    if good is None:
        return _taken_out(sides, what, name)
    if "…" in text_of(good, "command"):
        return Remedy((), note(f"The {item} of the good side is {text_of(good, 'command')}, not all of which is told."))
    values = _given(what, name, good)
    if sides.path.startswith(_SERVICE):
        return _in_unit(sides, words, values)
    return _in_container(sides.home, words, values)


def of_file(sides: Sides) -> Remedy | None:
    """Undo one key of a configuration file, or the file as a whole."""
    path = f"/{sides.path.partition('config/')[2]}"
    good, bad = sides.good_body, sides.bad_body
    if not sides.item:
        return copied(sides, path, removed=sides.good is None or not sides.good.items)
    if sides.item == _FILE:
        modes = text_of(good, "mode"), text_of(bad, "mode")
        if all(modes) and modes[0] != modes[1] and not sides.home.is_built:
            return Remedy((command("chmod", modes[0], path),))
        return copied(sides, path, removed=good is None)
    if good is None:
        return Remedy((), note(f"The good side's {path} does not have {sides.item}: take it out."))
    section = sides.bad or sides.good
    own = section.items.get(_FILE) if section else None
    between = {"env": "=", "yaml": ": ", "json": ": "}.get(text_of(own, "format"), " = ")
    return Remedy((line(path, f"{sides.item}{between}{quoted(_told(good))}"),))


def _told(body: Attributes) -> str:
    """A value in clear; for one that is not told what stands for it, never its hash."""
    value: Value = body.get("value", body.get("command"))
    if value is None:
        return _UNTOLD
    return str(value).lower() if isinstance(value, bool) else str(value)


def _given(what: str, name: str, good: Attributes) -> list[str]:
    """What is to be given, as docker's options and compose's lists have it."""
    if what == "mount":
        return [_mount(name, good)]
    if what == "port":
        port = name.removesuffix("/tcp")
        published = good.get("published")
        told = published if isinstance(published, tuple) else ()
        return [f"{one.removesuffix(':any').removeprefix('0.0.0.0:')}:{port}" for one in told] or [port]
    if what == "limit" and name == "cpu" and isinstance(good.get("value"), int):
        return [f"{int(str(good['value'])) / 1000:g}"]
    value = good.get("value")
    if isinstance(value, tuple):
        return list(value)
    return [f"{name}={_told(good)}" if what in _NAMED else _told(good)]


def _mount(place: str, good: Attributes) -> str:
    if good.get("type") == "tmpfs":
        return place
    source = text_of(good, "source") or "<the source that good has>"
    return f"{source}:{place}" + ("" if good.get("writable", True) else ":ro")


def _in_unit(sides: Sides, words: _Words, values: list[str]) -> Remedy | None:
    """A drop-in of the unit, as `systemctl edit` makes it."""
    if not words.unit:
        return None
    unit = f"{sides.path.removeprefix(_SERVICE)}.service"
    lines = [line(_drop_in(unit), f"{words.unit}={quoted(one.replace('%', '%%'))}") for one in values]
    if words.unit == "ExecStart":  # without an empty one before it, it would be a second command
        lines = [line(_drop_in(unit), "ExecStart="), *(line(_drop_in(unit), f"ExecStart={one}") for one in values)]
    return Remedy((*lines, *_restarted(unit)))


def _in_container(home: Home, words: _Words, values: list[str]) -> Remedy | None:
    if home.form == COMPOSE or home.service:
        if not words.key:
            return None
        file = home.name if home.form == COMPOSE else "compose.yaml"
        lines = [line(file, f"services.{home.service}.{words.key}: {quoted(one)}") for one in values]
        return Remedy((*lines, command("docker", "compose", "up", "-d", home.service)))
    if home.form == CONTAINER:
        if not words.option:
            return Remedy((), note(f"Start the container {home.name} anew with {' '.join(values)}."))
        options = [f"{words.option} {command(one)}" for one in values]
        flag = values == ["true"] and words.option in ("--privileged", "--read-only")
        return Remedy((words.option,) if flag else tuple(options),
                      note(f"Start the container {home.name} anew with this option of docker run."))  # fmt: skip
    if home.is_built and words.instruction:
        return Remedy(tuple(home.in_dockerfile(f"{words.instruction} {command(one)}") for one in values),
                      note(home.to_be_rebuilt()))  # fmt: skip
    return None


def _taken_out(sides: Sides, what: str, name: str) -> Remedy:
    """What only the bad side has: a variable of a service can be unset, all else is left out where it is given."""
    if sides.path.startswith(_SERVICE) and what == "env":
        unit = f"{sides.path.removeprefix(_SERVICE)}.service"
        return Remedy((line(_drop_in(unit), f"UnsetEnvironment={quoted(name)}"), *_restarted(unit)))
    return Remedy((), note(f"The good side does not have it: leave {name or sides.item} out."))


def _drop_in(unit: str) -> str:
    return f"/etc/systemd/system/{unit}.d/override.conf"


def _restarted(unit: str) -> tuple[str, ...]:
    return command("systemctl", "daemon-reload"), command("systemctl", "restart", unit)
