"""Reads the cases: applications that work on one side and fail on the other, and what is known to be the cause.

A case is a folder, named as the case, below `tuned/` or `heldout/`:

    case.toml       what the case is (below)
    app.py          what is run; or app/, of which app/app.py is run, for an application of several files
    traceback.txt   what the failing run printed, as it was; left out where it printed nothing
    good.txt        all packages of the side that works, a `name==version` a line; left out where it has none
    bad.txt         the same for the side that fails
    both/           files of both sides, by their path below the root directory: both/etc/app/app.toml
    good/, bad/     files that only this side has, or has with other content
    good.json       a fingerprint of the side, recorded by `envparity show`, where it cannot be made again here
    bad.json        (another operating system, a container); of the other files only the application is used then

case.toml:

    kind = "configuration-key"       # one of KINDS
    about = "A sentence: what differs, and why that breaks the application."
    python = "3.11"                  # of both sides unless one says otherwise; 3.11 if left out
    swap = ["line:etc/app/app.ini:pool_size"]   # the cause in terms of the files above (below), for the control
    files = ["/etc/app/*.ini"]       # configuration files that the operator named (agent.toml: files); left out: none
    verify = false                   # the operator asked for files to be hashed against RECORD (agent.toml: verify)
    target = ""                      # "compose.yaml": this file below the root is compared, and not the root
    control = ""                     # how the cause was established, where `swap` cannot: recorded sides

    [[culprits]]                     # one is enough to be found where there are several
    section = "config/etc/app/*"     # glob over the section's path; "*" where left out
    item = "pool_size"               # glob over the item: normalised name of a distribution, @python, env:NAME, ...

    [good]                           # both tables may be left out
    python = "3.9"
    [bad]
    python = "3.12"
    environment = {TZ = "UTC"}       # variables of the service that runs the application
    without = ["srv/app/data.csv"]   # what is removed at last: files of both/, of the application, of a package

`python -m tests.evaluation --record DIR` runs the bad side of each case below a directory and writes traceback.txt, in
which the root directory is `/`.

A side is made as a root directory: a venv at `srv/app/.venv` (Python and packages), the application at `srv/app/`,
a `pyproject.toml` beside it, the facts of a small Debian, the files of both/ and of the side laid over all that, and
the unit `etc/systemd/system/app.service` with the variables. A package is patched in place by
`bad/srv/app/.venv/lib/python3.11/site-packages/PATH.lines`: blocks of `@@ FIRST-LAST`, and what these lines are then.
The application is run in `srv/app`, with these variables, and ROOT as the root directory; it fails by ending with
another code than 0. Where a case has nothing but packages and Python, the venv is compared and not the root directory.

The control (`--verify`) makes two more sides: the bad one with what `swap` names as the good one has it (passes), and
the good one with that as the bad one has it (fails). It names `python`, `package:NAME`, `environment:NAME`,
`file:PATH` below the root, or `line:PATH:START` (those lines of a text file that begin so).

The folders of `culprits/` elsewhere (good.txt, bad.txt, app.py, traceback.txt, and case.json with `culprits`, names of
packages) are read as cases of kind `package`.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

PACKAGE = "package"
KINDS = (
    PACKAGE,
    "python",
    "os-library",
    "native-abi",
    "environment-variable",
    "configuration-key",
    "missing-file",
    "image-tag",
    "application-code",
    "patched-package",
)
DEFAULT_PYTHON = "3.11"
_TABLE = frozenset(
    {"kind", "about", "python", "swap", "files", "verify", "target", "control", "culprits", "good", "bad"}
)
_SIDE_TABLE = frozenset({"python", "environment", "without"})


@dataclass(frozen=True)
class Culprit:
    """What is to be found: globs over a section's path and over an item in it."""

    item: str
    section: str = "*"

    def matches(self, section: str, item: str) -> bool:
        """Whether a suspect is this culprit."""
        return fnmatchcase(section, self.section) and fnmatchcase(item, self.item)


@dataclass(frozen=True)
class Side:
    """One side of a case, as it is to be made."""

    python: str = DEFAULT_PYTHON
    packages: Mapping[str, str] = field(default_factory=dict)  # name -> version
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)  # path below the root -> file with its content
    without: frozenset[str] = frozenset()
    recorded: Path | None = None  # a fingerprint


@dataclass(frozen=True)
class Case:
    """A failure with a known cause."""

    name: str
    folder: Path
    kind: str
    about: str
    good: Side
    bad: Side
    culprits: Sequence[Culprit]
    application: Mapping[str, Path]  # path below the application's directory -> file
    traceback: str = ""
    swap: Sequence[str] = ()
    files: Sequence[str] = ()
    verify: bool = False
    target: str = ""
    control: str = ""

    @property
    def venv_only(self) -> bool:
        """Whether nothing can differ but the Python environment."""
        sides = (self.good, self.bad)
        return not any(side.files or side.environment or side.without for side in sides)


class BadCase(Exception):
    """A folder is no case; says which file, and what is wrong."""


def read_cases(directory: Path) -> Iterator[Case]:
    """Yield the cases below a directory by name; raises BadCase."""
    for folder in sorted(directory.iterdir()):
        if (folder / "case.toml").exists() or (folder / "case.json").exists():
            yield read_case(folder)


def read_case(folder: Path) -> Case:
    """Read one case, of either form; raises BadCase."""
    table = _table(folder)
    if unknown := table.keys() - _TABLE:
        raise BadCase(f"{folder}/case.toml: unknown {', '.join(sorted(unknown))}")
    if table.get("kind") not in KINDS:
        raise BadCase(f"{folder}/case.toml: kind is one of {', '.join(KINDS)}")
    culprits = [Culprit(one["item"], one.get("section", "*")) for one in table.get("culprits", ())]
    if not culprits:
        raise BadCase(f"{folder}/case.toml: no culprits")
    printed = folder / "traceback.txt"
    return Case(
        name=folder.name,
        folder=folder,
        kind=table["kind"],
        about=table.get("about", ""),
        good=_side(folder, table, "good"),
        bad=_side(folder, table, "bad"),
        culprits=culprits,
        application=_tree(folder / "app") or {"app.py": folder / "app.py"},
        traceback=printed.read_text() if printed.exists() else "",
        swap=table.get("swap", ()),
        files=table.get("files", ()),
        verify=table.get("verify", False),
        target=table.get("target", ""),
        control=table.get("control", ""),
    )


def _table(folder: Path) -> dict[str, Any]:
    own = folder / "case.toml"
    if own.exists():
        try:
            return tomllib.loads(own.read_text())
        except tomllib.TOMLDecodeError as problem:
            raise BadCase(f"{own}: {problem}") from None
    names = json.loads((folder / "case.json").read_text())["culprits"]
    culprits = [{"item": name} for name in names]
    return {"kind": PACKAGE, "culprits": culprits, "swap": [f"package:{name}" for name in names]}


def _side(folder: Path, table: Mapping[str, Any], name: str) -> Side:
    own = table.get(name, {})
    if unknown := own.keys() - _SIDE_TABLE:
        raise BadCase(f"{folder}/case.toml: unknown in [{name}]: {', '.join(sorted(unknown))}")
    recorded = folder / f"{name}.json"
    return Side(
        python=own.get("python", table.get("python", DEFAULT_PYTHON)),
        packages=_packages(folder / f"{name}.txt"),
        environment=own.get("environment", {}),
        files={**_tree(folder / "both"), **_tree(folder / name)},
        without=frozenset(own.get("without", ())),
        recorded=recorded if recorded.exists() else None,
    )


def _packages(file: Path) -> dict[str, str]:
    lines = file.read_text().split() if file.exists() else ()
    pairs = (line.partition("==") for line in lines)
    return {name: version for name, _, version in pairs}


def _tree(directory: Path) -> dict[str, Path]:
    found = (one for one in sorted(directory.rglob("*")) if one.is_file()) if directory.is_dir() else ()
    return {str(one.relative_to(directory)): one for one in found}
