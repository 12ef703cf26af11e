"""How a setting of the operating system, or a limit, goes back to what it is on the good side."""

import re

from envparity_agent.fingerprint import Attributes, Value
from envparity_server.explain.model import Remedy
from envparity_server.explain.undo.sides import CONTAINER, Sides, text_of
from envparity_server.explain.undo.words import command, line, note

_SYSCTL = re.compile(r"[a-z0-9_.-]+")
_LOCALE = re.compile(r"[A-Z_]+")
_HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled"


def of_setting(sides: Sides) -> Remedy | None:
    """Undo one setting; where the good side has none, what the bad side has is to be taken out."""
    what, _, name = sides.item.partition(":")
    good = sides.good_body
    if what in ("limit", "limit-of-init"):
        return _limit(what, name, good)
    if good is None:
        return Remedy((), note(f"The good side does not set {sides.item}: take it out."))
    value = _shown(good.get("value"))
    if what == "sysctl" and _SYSCTL.fullmatch(name):
        kept = line("/etc/sysctl.d/99-local.conf", f"{name} = {value}")
        return Remedy((command("sysctl", "-w", f"{name}={value}"), kept))
    if what == "locale" and _LOCALE.fullmatch(name):
        return _of_locale(sides, name, value)
    if what == "timezone":
        if sides.home.is_built:
            return _in_container(sides, "TZ", value)
        return Remedy((command("timedatectl", "set-timezone", value),))
    if what == "transparent_hugepage":
        return Remedy((f"{command('echo', value)} > {_HUGE_PAGES}",))
    files = {"nsswitch": ("/etc/nsswitch.conf", f"hosts: {value}"), "ld.so.preload": ("/etc/ld.so.preload", value)}
    if what in files:
        return Remedy((line(*files[what]),))
    return Remedy((), note(f"On the good side {sides.item} is {value}."))


def of_machine(sides: Sides) -> Remedy | None:
    """The machine itself: no command makes another one of it."""
    good = sides.good_body
    told = [f"{one.attribute} {_shown(one.left)}" for one in sides.differences if one.left is not None]
    return Remedy((), note(f"The good side's {sides.item} is {', '.join(told)}.")) if good and told else None


def _of_locale(sides: Sides, name: str, value: str) -> Remedy:
    if sides.home.is_built:
        return _in_container(sides, name, value)
    return Remedy((command("localectl", "set-locale", f"{name}={value}"),))


def _in_container(sides: Sides, name: str, value: str) -> Remedy:
    home = sides.home
    lines = (home.in_dockerfile(f"ENV {command(f'{name}={value}')}"), *home.rebuilt())
    return Remedy(lines, note(home.to_be_rebuilt() if home.form == CONTAINER else ""))


def _limit(what: str, name: str, good: Attributes | None) -> Remedy:
    """A line of limits.conf for each of both limits; what services inherit is systemd's default."""
    if good is None:
        return Remedy((), note(f"The good side does not limit {name}: take the limit out."))
    soft, hard = (text_of(good, one) for one in ("soft", "hard"))
    if what == "limit-of-init":
        both = ":".join(filter(None, (soft, hard))).replace("unlimited", "infinity")
        kept = line("/etc/systemd/system.conf", f"DefaultLimit{name.upper()}={both}")
        return Remedy((kept, command("systemctl", "daemon-reexec")))
    domain, _, resource = name.rpartition(":")
    lines = [line("/etc/security/limits.conf", f"{domain} {kind} {resource} {value}")
             for kind, value in (("soft", soft), ("hard", hard)) if value]  # fmt: skip
    return Remedy(tuple(lines), "It holds from the next login on.")


def _shown(value: Value) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)
