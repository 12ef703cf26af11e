"""Identifies an interpreter without running it: its version from files, and the base that a venv was made from."""

import re

from envparity_agent.collectors.python.search import Environment, interpreters, join
from envparity_agent.collectors.python.venv import Configuration, read_configuration
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Value
from envparity_agent.root import MIB, Root

MAX_BINARY = 64 * MIB


def base_interpreter(root: Root, configuration: Configuration, abi: str) -> Environment | None:
    """The interpreter that a venv was made from; None where it is gone, or is of another version by now.

    Raises Unreadable where that cannot be known.
    """
    prefixes = list(configuration.base_prefixes)
    linked = join(configuration.home, f"python{abi}")
    if root.is_file(linked):  # a directory of links to interpreters
        prefixes.append(root.resolved(linked).rpartition("/")[0].rpartition("/")[0])
    for prefix in prefixes:
        for found in interpreters(root, prefix):
            if found.abi == abi:
                return found
    return None


def version(root: Root, interpreter: Environment) -> str:
    """The full version of an interpreter, such as 3.11.2; X.Y where no file tells more."""
    abi = interpreter.abi
    for directory in (f"python{abi}", f"python{abi}m"):  # m: pymalloc, before Python 3.8
        header = join(interpreter.prefix, "include", directory, "patchlevel.h")
        found = re.search(rb'#define PY_VERSION\s+"([^"]+)"', _read(root, header, MIB))
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


def facts(root: Root, environment: Environment, reasons: set[str]) -> tuple[dict[str, Value], Environment | None]:
    """The attributes of the interpreter item, and the base interpreter whose packages are visible as well.

    Adds the reason of what could not be read to `reasons`.
    """
    implementation = "pypy" if environment.library.rpartition("/")[2].startswith("pypy") else "cpython"
    attributes: dict[str, Value] = {"role": environment.role, "implementation": implementation}
    if environment.abi:
        attributes["abi"] = environment.abi
    if environment.role == "interpreter":
        attributes["version"] = version(root, environment)
    if environment.role != "venv":
        return attributes, None
    try:
        configuration = read_configuration(root, environment.prefix)
    except Unreadable as problem:
        reasons.add(problem.reason)
        return attributes | {"problem": f"pyvenv.cfg: {problem.reason}"}, None
    if configuration is None:
        return attributes | {"problem": "pyvenv.cfg has no home"}, None
    attributes |= {"creator": configuration.creator, "system_site": configuration.system_site}
    try:
        base = base_interpreter(root, configuration, environment.abi)
    except Unreadable as problem:
        reasons.add(problem.reason)
        return attributes | {"base": configuration.home, "version": configuration.version}, None
    attributes["orphaned"] = base is None
    attributes["base"] = base.prefix if base else configuration.home
    # the longer of what the base's files and pyvenv.cfg tell: an interpreter may tell no more than X.Y
    told = version(root, base) if base else ""
    attributes["version"] = told if told.count(".") > 1 else configuration.version or told
    return attributes, base if configuration.system_site else None
