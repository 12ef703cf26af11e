"""How the interpreter of an environment goes back to the version that the good side has."""

import re

from envparity_agent.fingerprint import Attributes
from envparity_server.explain.model import Remedy
from envparity_server.explain.undo.installers import installer_of
from envparity_server.explain.undo.sides import Sides, prefix_of, text_of
from envparity_server.explain.undo.system import of_package
from envparity_server.explain.undo.words import command, line, note

_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?(?:(?:a|b|rc)\d+)?")
_PYENV = "/.pyenv/versions/"
_FROZEN = "frozen.txt"


def of_interpreter(sides: Sides) -> Remedy | None:
    """Undo what differs in the interpreter: its version, or how the environment uses it."""
    good, bad = sides.good_body, sides.bad_body
    if good is None or bad is None:
        return None
    attributes = {one.attribute for one in sides.differences}
    if sides.bad is not None and sides.bad.kind == "declared":
        told = text_of(good, "specifier") or f"=={text_of(good, 'version')}"
        return Remedy((line(sides.situation.bad.target.name, f'requires-python = "{told}"'),))
    if attributes & {"version", "abi", "implementation"}:
        return _of_version(sides, text_of(good, "version") or text_of(good, "abi").rstrip("t"), good)
    prefix = prefix_of(sides.bad, sides.situation.bad) if sides.bad else ""
    if "orphaned" in attributes and bad.get("orphaned") and prefix:
        python = f"python{text_of(bad, 'abi')}"
        return Remedy((command(python, "-m", "venv", "--upgrade", prefix),),
                      "The interpreter that it was made from is gone: one of its version has to be there.")  # fmt: skip
    if "system_site" in attributes:
        told = str(bool(good.get("system_site"))).lower()
        return Remedy((line(f"{prefix}/pyvenv.cfg", f"include-system-site-packages = {told}"),))
    if "restart_needed" in attributes and bad.get("restart_needed"):
        return Remedy((), "Restart what runs from it: something was installed since it started.")
    return None


def _of_version(sides: Sides, version: str, good: Attributes) -> Remedy | None:
    if not _VERSION.fullmatch(version) or sides.bad is None:
        return None
    prefix = prefix_of(sides.bad, sides.situation.bad)
    home = sides.home
    if home.is_built:
        told = f"With what follows the version in the present name of the image, such as -slim. {home.to_be_rebuilt()}"
        return Remedy((home.in_dockerfile(f"FROM python:{version}"), *home.rebuilt()), note(told))
    if _is_conda(sides):
        at = ("-p", prefix) if prefix else ()
        return Remedy((command("conda", "install", *at, f"python={version}"),))
    if text_of(sides.bad_body, "role") == "venv" and prefix:
        return _venv_anew(sides, prefix, version, good)
    if _PYENV in prefix:
        return Remedy((command("pyenv", "install", version),))
    if "/uv/python/" in prefix:
        return Remedy((command("uv", "python", "install", version),))
    return _of_system(sides, version)


def _venv_anew(sides: Sides, prefix: str, version: str, good: Attributes) -> Remedy:
    """A venv stays with its interpreter: it is made once more, with all that it has."""
    installer = installer_of(sides)
    told = "What was built for the other Python is installed again, in the versions that are there."
    if installer.install[0] == "uv":
        return Remedy((
            f"{command('uv', 'pip', 'freeze', '--python', prefix)} > {_FROZEN}",
            command("uv", "venv", "--clear", "--python", version, prefix),
            installer.installed([], "--no-deps", "-r", _FROZEN),
        ), told)  # fmt: skip
    python = f"{prefix}/bin/python"
    abi = text_of(good, "abi") or ".".join(version.split(".")[:2])
    return Remedy((
        f"{command(python, '-m', 'pip', 'freeze')} > {_FROZEN}",
        command(f"python{abi}", "-m", "venv", "--clear", prefix),
        command(python, "-m", "pip", "install", "--no-deps", "-r", _FROZEN),
    ), note(told, f"python{abi} has to be {version}." if version.count(".") > 1 else ""))  # fmt: skip


def _is_conda(sides: Sides) -> bool:
    items = sides.bad.items if sides.bad else {}
    return "conda:python" in items


def _of_system(sides: Sides, version: str) -> Remedy | None:
    """The interpreter of the operating system, by the package that brings it on the good side."""
    name = f"python{'.'.join(version.split('.')[:2])}"
    packages = sides.situation.good.sections.get("os-packages")
    if packages is None or name not in packages.items:
        return Remedy((), note(f"Install Python {version} on the bad side: no package of the good side's brings it."))
    return of_package(sides.of_other("os-packages", name))
