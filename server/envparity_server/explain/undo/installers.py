"""Which tool made a Python environment, and how it is told to put in these distributions, or to take one out."""

import re
from dataclasses import dataclass

from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.explain.undo.sides import Sides, prefix_of, text_of
from envparity_server.explain.undo.words import command

_PIPX = re.compile(r"/pipx/venvs/([^/]+)$")
# what INSTALLER says -> how the tool is asked; both write what they are asked for into the project as well
_PROJECTS = {"pdm": ("pdm", "add", "pdm", "remove"), "poetry": ("poetry", "add", "poetry", "remove")}


@dataclass(frozen=True)
class Installer:
    """One tool on one environment: how its commands begin."""

    install: tuple[str, ...]
    uninstall: tuple[str, ...]
    afresh: tuple[str, ...] = ("--force-reinstall", "--no-deps")  # options: the same version once more
    stdin: str = "/dev/stdin"  # the requirements file that is a pipe
    note: str = ""

    def installed(self, requirements: list[str], *options: str) -> str:
        """The command that puts in exactly these."""
        return command(*self.install, *options, *requirements)

    def reinstalled(self, requirement: str, hashes: list[str], *options: str) -> str:
        """The command that puts in the same version once more, by the hash of its archive where that is known."""
        if not hashes:
            return self.installed([requirement], *self.afresh, *options)
        piped = " ".join((requirement, *(f"--hash={one}" for one in hashes)))
        return f"{command('echo', piped)} | {self.installed([], *self.afresh, *options)} -r {self.stdin}"

    def uninstalled(self, name: str) -> str:
        """The command that takes one out."""
        return command(*self.uninstall, name)


def installer_of(sides: Sides) -> Installer:
    """The tool of the bad side's environment: of pipx, uv, poetry and pdm by their traces, else pip."""
    section = sides.bad
    if section is None:
        return _pip("python")
    prefix = prefix_of(section, sides.situation.bad)
    items = section.items
    interpreter = items.get(INTERPRETER_ITEM)
    if pipx := _PIPX.search(prefix):
        run = ("pipx", "runpip", pipx[1])
        return Installer((*run, "install"), (*run, "uninstall", "-y"))
    told = text_of(sides.bad_body, "installer") or _usual([text_of(body, "installer") for body in items.values()])
    tool = told.split(" ")[0].lower()
    if tool in _PROJECTS:
        words = _PROJECTS[tool]
        return Installer(words[:2], words[2:], note=f"{tool} writes this into the project as well.")
    if tool == "uv" or (text_of(interpreter, "creator") == "uv" and "pip" not in items):
        return _uv(prefix)
    if not prefix:
        return _pip("python")
    named = f"python{text_of(interpreter, 'abi')}" if text_of(interpreter, "role") == "interpreter" else "python"
    return _pip(f"{prefix}/bin/{named}")


def _pip(python: str) -> Installer:
    run = (python, "-m", "pip")
    return Installer((*run, "install"), (*run, "uninstall", "-y"))


def _uv(prefix: str) -> Installer:
    where = ("--python", prefix) if prefix else ()
    # uv links files from its cache: what was changed in place may be changed there as well
    afresh = ("--no-cache", "--force-reinstall", "--no-deps")
    return Installer(("uv", "pip", "install", *where), ("uv", "pip", "uninstall", *where), afresh, stdin="-")


def _usual(told: list[str]) -> str:
    """The installer of the most distributions, the first by name of several."""
    counts = {one: told.count(one) for one in sorted(set(told)) if one}
    return max(counts, key=lambda one: counts[one], default="")
