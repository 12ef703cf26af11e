"""What the commands of a build install: pip and uv, apt, apk and dnf, as far as their words say it."""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement

from envparity_agent.collectors.declared.dockerfile_syntax import Lookup, Unknown, expand
from envparity_agent.collectors.declared.entries import Entry, entry
from envparity_agent.collectors.redaction import url
from envparity_agent.fingerprint import Value

MAX_WORDS = 20_000
_ENDS = frozenset({"&&", "||", ";", "|", "&", "(", ")", ";;"})
_BEFORE = frozenset({"sudo", "exec", "time", "env", "command", "!", "{", "then", "do", "else"})
_PERHAPS = frozenset({"if", "for", "while", "until", "case", "elif"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PIP = re.compile(r"pip3?(?:\.\d+)?")
_PYTHON = re.compile(r"(?:pypy|python)3?(?:\.\d+)?")
_PIP_VALUES = frozenset({
    "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target", "--prefix", "--root", "--python",
    "-p", "--no-binary", "--only-binary", "--platform", "--python-version", "--implementation", "--abi",
    "--trusted-host", "--timeout", "--retries", "--cache-dir", "--proxy", "--cert", "--client-cert",
    "--upgrade-strategy", "--progress-bar", "-C", "--config-settings", "--global-option", "--src", "--report", "--log",
    "--default-index", "--index", "--link-mode", "--index-strategy", "--extra", "--group", "--exclude-newer",
    "--torch-backend", "-P", "--upgrade-package", "--reinstall-package", "--no-binary-package", "--use-feature",
    "-r", "--requirement", "-c", "--constraint", "-e", "--editable",
})  # fmt: skip
_PIP_ELSEWHERE = frozenset({"-t", "--target", "--prefix", "--root"})
_APT_VALUES = frozenset({"-t", "--target-release", "-o", "--option", "-c", "--config-file", "-a"})
_APK_VALUES = frozenset({"-t", "--virtual", "-X", "--repository", "-p", "--root", "--arch", "--keys-dir"})
_DNF_VALUES = frozenset({"-x", "--exclude", "--enablerepo", "--disablerepo", "--repo", "--setopt", "--installroot",
                         "--releasever", "-c", "--config", "-d", "-e"})  # fmt: skip
_PROJECT_INSTALLERS = {
    **dict.fromkeys(("uv", "poetry", "pipenv", "pdm"), frozenset({"sync", "install", "add"})),
    **dict.fromkeys(("conda", "mamba", "micromamba"), frozenset({"install", "create", "env", "update"})),
}
_UPGRADES = frozenset({"dist-upgrade", "full-upgrade", "safe-upgrade", "upgrade"})  # to what, the file does not tell
_OS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,200}")
_RPM = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.+-]*?)-(?P<version>(?:\d+:)?\d[\w+~^]*\.[\w.+~^*]*)(?:-(?P<release>[\w.+~^*]+?))?"
    r"(?:\.(?:x86_64|aarch64|noarch|i686|ppc64le|s390x))?"
)


@dataclass
class Installed:
    """What the commands so far have installed; `unread` counts those that could not be followed."""

    python: list[Entry] = field(default_factory=list)
    system: dict[str, Entry] = field(default_factory=dict)
    virtual: dict[str, list[str]] = field(default_factory=dict)  # apk's names for sets of packages
    unread_python: int = 0
    unread_system: int = 0

    def copy(self) -> "Installed":
        """The same, for a build stage that begins with it."""
        return Installed(
            list(self.python), dict(self.system), dict(self.virtual), self.unread_python, self.unread_system
        )


Included = Callable[[str, bool], Sequence[Entry] | None]  # a requirements file of the image; None: not to be had


def run(script: str, line: int, lookup: Lookup, included: Included, into: Installed) -> None:
    """Note what a shell script installs; `included` reads the requirements file that a command names."""
    try:
        lexer = shlex.shlex(script, posix=True, punctuation_chars=";&|()\n")
        lexer.whitespace = " \t\r"
        lexer.whitespace_split = True
        commands = list(_commands(lexer))
    except ValueError:  # a quote that does not end
        into.unread_python += "pip" in script or "uv " in script
        into.unread_system += any(name in script for name in ("apt", "apk", "dnf", "yum"))
        return
    for command in commands:
        execute(command, line, lookup, included, into)


def _commands(lexer: shlex.shlex) -> Iterator[list[str]]:
    command: list[str] = []
    for number, word in enumerate(lexer):
        if number > MAX_WORDS:
            raise ValueError("too many words")
        if not word.strip("\n") or word in _ENDS or not word.strip(";&|()\n"):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def execute(command: Sequence[str], line: int, lookup: Lookup, included: Included, into: Installed) -> None:
    """Note what one command installs."""
    rest = list(command)
    perhaps = False
    while rest and (rest[0] in _BEFORE or rest[0] in _PERHAPS or _ASSIGNMENT.match(rest[0])):
        perhaps |= rest.pop(0) in _PERHAPS
    if not rest:
        return
    program = rest[0].rpartition("/")[2]
    if _PYTHON.fullmatch(program) and rest[1:3] == ["-m", "pip"]:
        program, rest = "pip", rest[2:]
    if program == "uv" and rest[1:2] == ["pip"]:
        program, rest = "pip", rest[1:]
    known = [_expanded(one, lookup) for one in rest[1:]]
    if _PIP.fullmatch(program):
        _pip(known, line, included, into)
        into.unread_python += perhaps
    elif set(rest[1:3]) & _PROJECT_INSTALLERS.get(program, frozenset()):
        into.unread_python += 1  # from the project's own files
    elif program in _SYSTEM:
        _SYSTEM[program](known, line, into)
        into.unread_system += perhaps
    elif program in ("dpkg", "rpm") and any(one in ("-i", "--install", "-U", "-ivh", "-Uvh") for one in rest):
        into.unread_system += 1


def _expanded(word: str, lookup: Lookup) -> str | None:
    """A word with the values of its variables; None where the shell alone knows them."""
    if "`" in word or "$(" in word:
        return None
    if "$" not in word:
        return word
    try:
        return expand(word.replace("'", "\\'").replace('"', '\\"'), lookup, "\\")
    except Unknown:
        return None


def _arguments(words: Sequence[str | None], valued: frozenset[str]) -> Iterator[tuple[str, str | None]]:
    """The options and the others of a command line: ("-r", "file"), ("", "package"); None is not known."""
    waiting = ""
    for word in words:
        if waiting:
            yield waiting, word
            waiting = ""
        elif word is None or not word.startswith("-"):
            yield "", word
        elif word in valued:
            waiting = word
        elif word.startswith("--") and "=" in word:
            name, _, value = word.partition("=")
            yield name, value
        else:
            yield word, None


def _pip(words: Sequence[str | None], line: int, included: Included, into: Installed) -> None:
    given = list(_arguments(words, _PIP_VALUES))
    verb = next((value for option, value in given if not option), None)
    if verb == "uninstall":
        into.unread_python += 1
    if verb != "install":
        return
    if any(option in _PIP_ELSEWHERE for option, _ in given):
        into.unread_python += 1
        return
    first = True
    for option, value in given:
        if option in ("-r", "--requirement", "-c", "--constraint"):
            found = included(value, option in ("-c", "--constraint")) if value else None
            into.python += found or []
            into.unread_python += found is None
        elif option in ("-e", "--editable"):
            into.unread_python += 1
        elif not option and first:
            first = False  # the verb
        elif not option:
            one = _requirement(value, line)
            into.python += [one] if one else []
            into.unread_python += one is None


def _requirement(text: str | None, line: int) -> Entry | None:
    """One requirement of a command line; None for a path, or what is not known."""
    try:
        requirement = Requirement(text or "")
    except (InvalidRequirement, RecursionError, ValueError):
        return None
    pins = [one.version for one in requirement.specifier if one.operator in ("==", "===") and "*" not in one.version]
    pinned = len(requirement.specifier) == 1 and len(pins) == 1
    facts: dict[str, Value] = {
        "version": pins[0] if pinned else "",
        "specifier": "" if pinned else str(requirement.specifier),
        "marker": str(requirement.marker or ""),
        "source": url(requirement.url) if requirement.url else "",
    }
    return entry(requirement.name, line, **facts)


def _apt(words: Sequence[str | None], line: int, into: Installed) -> None:
    verb = ""
    for option, word in _arguments(words, _APT_VALUES):
        if option:
            continue
        if not verb:
            verb = word or "?"
            into.unread_system += verb in _UPGRADES
        elif verb in ("remove", "purge"):
            into.system.pop(word or "", None)
        elif verb == "install":
            name, _, version = (word or "").partition("=")
            name = name.partition("/")[0].partition(":")[0]
            _note(name, "=" if version else "", version, line, into)


def _apk(words: Sequence[str | None], line: int, into: Installed) -> None:
    verb, group = "", ""
    for option, word in _arguments(words, _APK_VALUES):
        if option in ("-t", "--virtual"):
            group = word or ""
        if option:
            continue
        if not verb:
            verb = word or "?"
            into.unread_system += verb in _UPGRADES
        elif verb == "del":
            for name in into.virtual.pop(word or "", [word or ""]):
                into.system.pop(name, None)
        elif verb == "add" and not (word or "").startswith("!"):
            name, operator, version = _split_apk(word or "")
            _note(name, operator, version, line, into)
            into.virtual.setdefault(group, []).append(name)


def _split_apk(word: str) -> tuple[str, str, str]:
    found = re.match(r"([^=<>~@]*)(@[^=<>~]*)?([=<>~]*)(.*)", word, re.DOTALL)
    return (found[1], found[3], found[4]) if found else (word, "", "")


def _dnf(words: Sequence[str | None], line: int, into: Installed) -> None:
    verb = ""
    for option, word in _arguments(words, _DNF_VALUES):
        if option:
            continue
        if not verb:
            verb = word or "?"
            into.unread_system += verb in _UPGRADES | {"update"}
        elif verb in ("remove", "erase", "autoremove"):
            into.system.pop(word or "", None)
        elif verb == "install":
            found = _RPM.fullmatch((word or "")[:300])
            if found is None:
                _note(word or "", "", "", line, into)
            else:
                exact = found["release"] and "*" not in found["release"]
                version = f"{found['version']}-{found['release'] or '*'}"
                _note(found["name"], "=" if exact else "=*", version, line, into)


def _note(name: str, operator: str, version: str, line: int, into: Installed) -> None:
    """Note one OS package: its exact version, or what its range says as it is written."""
    if not _OS_NAME.fullmatch(name):
        into.unread_system += 1
        return
    exact = operator == "=" and "*" not in version
    facts: dict[str, Value] = {"line": line, "version": version if exact else ""}
    if version and not exact:
        facts["specifier"] = f"{operator.rstrip('*')}{version}"
    into.system[name] = Entry(name, facts)


_SYSTEM: dict[str, Callable[[Sequence[str | None], int, Installed], None]] = {
    **dict.fromkeys(("apt", "apt-get", "aptitude"), _apt),
    "apk": _apk,
    **dict.fromkeys(("dnf", "microdnf", "tdnf", "yum"), _dnf),
}
