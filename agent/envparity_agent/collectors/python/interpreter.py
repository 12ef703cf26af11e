"""Identifies an interpreter without running it: its version from files, and the base that a venv was made from."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.memory import stamp
from envparity_agent.collectors.paths import join
from envparity_agent.collectors.python.search import Environment, interpreters
from envparity_agent.collectors.python.venv import Configuration, read_configuration
from envparity_agent.collectors.reads import Reads
from envparity_agent.collectors.system.elf import machine as elf_machine
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Value
from envparity_agent.root import MIB, Root

READS = Reads(content=(r"patchlevel\.h", r"bin/python\d\.\d+t?", r"libpython[^/]*\.so[^/]*", r"build-details\.json"))

MAX_BINARY = 64 * MIB

_LEVELS = {"alpha": "a", "beta": "b", "candidate": "rc", "final": ""}
_HEADER = re.compile(rb'#define PY_VERSION\s+"([^"]+)"')
# instruction set of the program -> what uname -m and so platform.machine() say there
_MACHINES = {
    "aarch64": "aarch64", "arm": "armv7l", "i386": "i686", "ppc64": "ppc64le", "riscv": "riscv64", "s390x": "s390x",
    "x86_64": "x86_64",
}  # fmt: skip


@dataclass(frozen=True)
class Interpreter:
    """What is known of the interpreter of an environment."""

    attributes: Mapping[str, Value]
    base: Environment | None = None  # that a venv was made from
    system_site: bool = False  # whether the base's packages are visible as well
    machine: str = ""  # architecture that it is built for

    def markers(self) -> dict[str, str]:
        """The marker environment: the interpreter's own, never that of the process which reads it.

        https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers
        """
        name = str(self.attributes["implementation"])
        version = str(self.attributes.get("version") or self.attributes.get("abi") or "").rstrip("t+")
        return {
            "implementation_name": name,
            "implementation_version": version,
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": {"cpython": "CPython", "pypy": "PyPy"}.get(name, name),
            "platform_release": "",  # the kernel's: no package depends on it
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": version,
            "python_version": ".".join(version.split(".")[:2]),
            "sys_platform": "linux",
        }


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


def version(subject: Subject, interpreter: Environment) -> str:
    """The full version of an interpreter, such as 3.11.2; X.Y where no file tells more."""
    abi = interpreter.abi
    details = _build_details(subject.root, interpreter)
    if details:
        return details
    for directory in (f"python{abi}", f"python{abi}m"):  # m: pymalloc, before Python 3.8
        header = join(interpreter.prefix, "include", directory, "patchlevel.h")
        found = _search(subject, header, _HEADER)
        if found:
            return found
    number = re.escape(abi.rstrip("t").encode())
    pattern = re.compile(rb"\x00(" + number + rb"\.\d+(?:(?:a|b|rc)\d+)?\+?)\x00")
    for binary in _binaries(interpreter):
        found = _search(subject, binary, pattern)
        if found:
            return found
    return abi.rstrip("t")


def _binaries(interpreter: Environment) -> tuple[str, ...]:
    abi = interpreter.abi
    names = (f"bin/python{abi}", f"lib/libpython{abi}.so.1.0", f"lib64/libpython{abi}.so.1.0")
    return tuple(join(interpreter.prefix, name) for name in names)


def _build_details(root: Root, interpreter: Environment) -> str:
    """The version in build-details.json, empty where there is none: https://peps.python.org/pep-0739/."""
    path = join(interpreter.prefix, interpreter.library, "build-details.json")
    try:
        document = json.loads(root.read_if_there(path) or b"{}")
        told = document.get("implementation", {}).get("version") or document["language"]["version_info"]
        numbers = ".".join(str(int(told[part])) for part in ("major", "minor", "micro"))
        level = _LEVELS[told["releaselevel"]]
        return f"{numbers}{level}{int(told['serial'])}" if level else numbers
    except (Unreadable, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return ""


def _search(subject: Subject, path: str, pattern: re.Pattern[bytes]) -> str:
    """What a file tells, empty where it does not or is not there: another one may tell it."""

    def read() -> str:
        try:
            found = pattern.search(subject.root.read(path, MAX_BINARY))
        except Unreadable:
            return ""
        return found.group(1).decode("ascii", "replace") if found else ""

    return subject.memory.recall(("interpreter", subject.prefix, path), stamp(subject.root, path), read)


def _machine(root: Root, interpreter: Environment) -> str:
    """The architecture that the program is built for; empty where there is none that can be read."""
    for path in _binaries(interpreter):
        try:
            with root.regular(path) as descriptor:
                header = os.read(descriptor, 20)
        except (Unreadable, OSError):
            continue
        if found := elf_machine(header):
            return _MACHINES.get(found, "")
    return ""


def identify(subject: Subject, environment: Environment, reasons: set[str]) -> Interpreter:
    """The interpreter of an environment; adds the reason of what could not be read to `reasons`."""
    implementation = "pypy" if environment.library.rpartition("/")[2].startswith("pypy") else "cpython"
    attributes: dict[str, Value] = {"role": environment.role, "implementation": implementation}
    if environment.abi:
        attributes["abi"] = environment.abi
    if environment.role == "interpreter":
        attributes["version"] = version(subject, environment)
        return Interpreter(attributes, machine=_machine(subject.root, environment))
    if environment.role == "venv":
        return _of_venv(subject, environment, attributes, reasons)
    return Interpreter(attributes)


def _of_venv(
    subject: Subject, environment: Environment, attributes: dict[str, Value], reasons: set[str]
) -> Interpreter:
    try:
        configuration = read_configuration(subject.root, environment.prefix)
    except Unreadable as problem:
        reasons.add(problem.reason)
        return Interpreter(attributes | {"problem": f"pyvenv.cfg: {problem.reason}"})
    if configuration is None:
        return Interpreter(attributes | {"problem": "pyvenv.cfg has no home"})
    attributes |= {"creator": configuration.creator, "system_site": configuration.system_site}
    try:
        base = base_interpreter(subject.root, configuration, environment.abi)
    except Unreadable as problem:
        reasons.add(problem.reason)
        return Interpreter(attributes | {"base": configuration.home, "version": configuration.version})
    attributes["orphaned"] = base is None
    attributes["base"] = base.prefix if base else configuration.home
    # the longer of what the base's files and pyvenv.cfg tell: an interpreter may tell no more than X.Y
    told = version(subject, base) if base else ""
    attributes["version"] = told if told.count(".") > 1 else configuration.version or told
    machine = _machine(subject.root, base) if base else ""
    return Interpreter(attributes, base, configuration.system_site, machine)
