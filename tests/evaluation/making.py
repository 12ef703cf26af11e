"""Makes the sides of a case as root directories, each once: they are kept in the cache of the tests."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from tests.evaluation.cases import Case, Side
from tests.system.cache import made_once

EDITED = ".lines"  # ends the name of a file that says which lines of another one are other ones
PLACE = "srv/app"  # of the application, below the root
_Held = TypeVar("_Held")
_UNIT = "etc/systemd/system/app.service"
# what every root has, so that neither side is a system that cannot be read
_SYSTEM = {
    f"{PLACE}/pyproject.toml": '[project]\nname = "app"\nversion = "1"\n',
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n',
    "etc/debian_version": "12.5\n",
    "var/lib/dpkg/status": "Package: base-files\nStatus: install ok installed\nArchitecture: amd64\nVersion: 12.4\n",
}


class CannotMake(Exception):
    """A side cannot be made on this machine; says why, and how it could."""


def made(case: Case, side: Side, cache: Path) -> Path:
    """The root directory of a side; raises CannotMake."""
    return made_once(cache / "evaluation" / f"{case.name}-{_hash(case, side)}", lambda root: _make(case, side, root))


def swapped(case: Case, onto: Side, source: Side, scratch: Path) -> Side:
    """The side `onto` with what is to blame as `source` has it; changed files are written into `scratch`."""
    for cause in case.swap:
        what, _, name = cause.partition(":")
        if what == "python":
            onto = replace(onto, python=source.python)
        elif what == "package":
            onto = replace(onto, packages=_moved(onto.packages, source.packages, name))
        elif what == "environment":
            onto = replace(onto, environment=_moved(onto.environment, source.environment, name))
        elif what == "file":
            without = onto.without - {name} | source.without & {name}
            onto = replace(onto, files=_moved(onto.files, source.files, name), without=without)
        elif what == "line":
            path, _, start = name.partition(":")
            text = _with_lines(onto.files[path].read_text(), source.files[path].read_text(), start)
            changed = scratch / str(len(list(scratch.iterdir())))
            changed.write_text(text)
            onto = replace(onto, files={**onto.files, path: changed})
    return onto


def interpreter(version: str) -> Path:
    """The program of a Python version X.Y on this machine: on PATH, of pyenv, or of uv; raises CannotMake."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return Path(getattr(sys, "_base_executable", sys.executable))
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which(f"python{version}")
    candidates = [*([on_path] if on_path else []), *sorted(map(str, pyenv.glob(f"{version}.*/bin/python")))]
    for one in candidates:
        if subprocess.run([one, "-c", ""], capture_output=True, check=False).returncode == 0:
            return Path(one)
    found = subprocess.run([uv(), "python", "find", version], capture_output=True, text=True, check=False)
    if found.returncode:
        raise CannotMake(f"no Python {version} here: uv python install {version}")
    return Path(found.stdout.strip())


def uv() -> Path:
    """The program uv of the environment that this runs in."""
    return Path(sys.executable).with_name("uv")


def _moved(onto: Mapping[str, _Held], source: Mapping[str, _Held], name: str) -> dict[str, _Held]:
    kept = {key: value for key, value in onto.items() if key != name}
    return {**kept, name: source[name]} if name in source else kept


def _make(case: Case, side: Side, root: Path) -> None:
    place = root / PLACE
    for path, text in _SYSTEM.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    _install(side, place / ".venv")
    for path, file in case.application.items():
        _copy(file, place / path)
    _write_unit(side, root / _UNIT)
    for path, file in side.files.items():
        if path.endswith(EDITED):
            _edit(file, root / path.removesuffix(EDITED))
        else:
            _copy(file, root / path)
    for path in side.without:
        (root / path).unlink()


def _install(side: Side, venv: Path) -> None:
    _uv("venv", "--quiet", "--python", str(interpreter(side.python)), str(venv))
    if side.packages:
        pins = [f"{name}=={version}" for name, version in side.packages.items()]
        _uv("pip", "install", "--quiet", "--no-deps", "--python", str(venv / "bin/python"), *pins)


def _uv(*command: str) -> None:
    ended = subprocess.run([uv(), *command], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise CannotMake(f"uv {command[0]} failed: {ended.stderr.strip()}")


def _write_unit(side: Side, unit: Path) -> None:
    variables = [f'Environment="{name}={value}"' for name, value in sorted(side.environment.items())]
    start = f"ExecStart=/{PLACE}/.venv/bin/python /{PLACE}/app.py"
    unit.parent.mkdir(parents=True)
    unit.write_text("\n".join(["[Service]", f"WorkingDirectory=/{PLACE}", *variables, start, ""]))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # a file of a package may be a hard link into uv's cache
    shutil.copy2(source, target)


def _edit(edits: Path, target: Path) -> None:
    """Put other lines into a file of a package: blocks of `@@ FIRST-LAST`, and what stands there then."""
    lines = target.read_text().splitlines(keepends=True)
    for block in reversed(re.split(r"^@@ ", edits.read_text(), flags=re.MULTILINE)[1:]):
        place, _, text = block.partition("\n")
        first, last = map(int, place.split("-"))
        lines[first - 1 : last] = [text]
    target.unlink()  # it may be a hard link into uv's cache
    target.write_text("".join(lines))


def _with_lines(text: str, source: str, start: str) -> str:
    """A text with the lines that begin so as another one has them, in the place of the first of its own."""
    wanted = [line for line in source.splitlines() if line.startswith(start)]
    kept: list[str] = []
    for line in text.splitlines():
        if line.startswith(start):
            kept += wanted
            wanted = []
        else:
            kept.append(line)
    return "\n".join([*kept, *wanted, ""])


def _hash(case: Case, side: Side) -> str:
    """Over all that a side is made of."""
    files = [*((f"{PLACE}/{path}", file) for path, file in case.application.items()), *side.files.items()]
    told = [repr((path, sha256(file.read_bytes()).hexdigest(), file.stat().st_mode)) for path, file in files]
    facts = (
        _SYSTEM,
        side.python,
        sorted(side.packages.items()),
        sorted(side.environment.items()),
        sorted(side.without),
    )
    return sha256("\n".join([repr(facts), *told]).encode()).hexdigest()[:16]
