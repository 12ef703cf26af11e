"""Identifies an interpreter without running it: its version from files, and what a pyvenv.cfg says."""

import re
from dataclasses import dataclass

from envparity_agent.collectors.python_search import Environment, interpreters, join
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Value
from envparity_agent.root import MIB, Root

MAX_BINARY = 64 * MIB


@dataclass(frozen=True)
class Configuration:
    """The pyvenv.cfg of a venv; creators differ in their keys."""

    home: str
    version: str
    creator: str
    system_site: bool


def read_configuration(root: Root, prefix: str) -> Configuration | None:
    """Parse a pyvenv.cfg; None where it has no `home` and so makes no venv; raises Unreadable."""
    fields: dict[str, str] = {}
    for line in root.read(join(prefix, "pyvenv.cfg"), cap=64 * 1024).decode("utf-8", "replace").splitlines():
        key, separator, value = line.partition("=")
        if separator:
            fields[key.strip().lower()] = value.strip()
    if not fields.get("home"):
        return None
    creator = next((name for name in ("uv", "virtualenv") if name in fields), "venv")
    version = re.match(r"\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?", fields.get("version_info") or fields.get("version", ""))
    return Configuration(
        home=fields["home"].strip("/"),
        version=version.group() if version else "",
        creator=creator,
        system_site=fields.get("include-system-site-packages", "false").lower() == "true",
    )


def base_interpreter(root: Root, configuration: Configuration, abi: str) -> Environment | None:
    """The interpreter that a venv was made from; None where it is gone, or is of another version by now."""
    prefix = configuration.home.rpartition("/")[0]
    # /bin is /usr/bin on merged systems: https://www.freedesktop.org/wiki/Software/systemd/TheCaseForTheUsrMerge
    for candidate in (prefix, "usr") if not prefix else (prefix,):
        for found in interpreters(root, candidate):
            if found.abi == abi:
                return found
    return None


def version(root: Root, interpreter: Environment) -> str:
    """The full version of an interpreter, such as 3.11.2; X.Y where no file tells more."""
    abi = interpreter.abi
    header = join(interpreter.prefix, "include", f"python{abi}", "patchlevel.h")
    content = _read(root, header, MIB)
    found = re.search(rb'#define PY_VERSION\s+"([^"]+)"', content)
    if found:
        return found.group(1).decode("ascii", "replace")
    number = re.escape(abi.rstrip("t").encode())
    pattern = re.compile(rb"\x00(" + number + rb"\.\d+(?:(?:a|b|rc)\d+)?\+?)\x00")
    for binary in (f"bin/python{abi}", f"lib/libpython{abi}.so.1.0", f"lib64/libpython{abi}.so.1.0"):
        found = pattern.search(_read(root, join(interpreter.prefix, binary), MAX_BINARY))
        if found:
            return found.group(1).decode("ascii", "replace")
    return abi.rstrip("t")


def _read(root: Root, path: str, cap: int) -> bytes:
    """A file that tells a version, empty where there is none: another one may tell it."""
    try:
        return root.read(path, cap)
    except Unreadable:
        return b""


def facts(root: Root, environment: Environment) -> tuple[dict[str, Value], Environment | None]:
    """The attributes of the interpreter item, and the base interpreter whose packages are visible as well."""
    implementation = "pypy" if environment.library.rpartition("/")[2].startswith("pypy") else "cpython"
    attributes: dict[str, Value] = {"role": environment.role, "implementation": implementation}
    if environment.abi:
        attributes["abi"] = environment.abi
    if environment.role == "interpreter":
        attributes["version"] = version(root, environment)
    if environment.role != "venv":
        return attributes, None
    configuration = read_configuration(root, environment.prefix)
    if configuration is None:
        return attributes | {"problem": "pyvenv.cfg has no home"}, None
    base = base_interpreter(root, configuration, environment.abi)
    attributes |= {
        "creator": configuration.creator,
        "system_site": configuration.system_site,
        "orphaned": base is None,
        "base": base.prefix if base else configuration.home,
        "version": version(root, base) if base else configuration.version,
    }
    return attributes, base if configuration.system_site else None
