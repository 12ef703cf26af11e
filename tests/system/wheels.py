"""The wheels that the hosts install: downloaded or built once, each at an exact version."""

import hashlib
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.system.cache import made_once
from tests.system.commands import run
from tests.system.components import C_COMPILER, PYTHON_311, require

IDNA = "idna==3.7"
IDNA_ON_DEV = "idna==3.4"
MARKUPSAFE = "MarkupSafe==2.1.5"
MARKUPSAFE_FOR_313 = "MarkupSafe==3.0.2"  # 2.1.5 has no wheel for Python 3.13
ONLY_ON_DEV = "tabulate==0.9.0"
PATCHED_INTO_WORKER = "six==1.17.0"

SHOP_PURE = (
    "certifi==2024.8.30",
    "charset-normalizer==3.4.0",
    "click==8.1.7",
    "jinja2==3.1.4",
    "requests==2.32.3",
    "urllib3==2.2.3",
)
SHOP = (*SHOP_PURE, IDNA, MARKUPSAFE)
SHOP_FOR_313 = (*SHOP_PURE, IDNA, MARKUPSAFE_FOR_313)
TOOLS = ("packaging==24.1", "pathspec==0.12.1")
# What one call of pip must not be asked for together with another version of the same package.
APART = (IDNA_ON_DEV,)


@dataclass(frozen=True)
class Wheels:
    """Directories for `pip install --find-links`; `built` has the package that dev compiled for itself."""

    python_3_9: Path
    python_3_11: Path
    python_3_13: Path
    built: Path


def cached_wheels(cache: Path) -> Wheels:
    """Return the wheels of the cache, with those that are missing fetched now."""
    return Wheels(
        python_3_9=downloaded(cache, "3.9", SHOP),
        python_3_11=wheels_of_311(cache),
        python_3_13=downloaded(cache, "3.13", SHOP_FOR_313),
        built=made_once(_place(cache, "built-3.11", (MARKUPSAFE,)), build_markupsafe),
    )


def wheels_of_311(cache: Path) -> Path:
    """Return the directory with the wheels for bookworm's Python."""
    return downloaded(cache, "3.11", (*SHOP, *TOOLS, ONLY_ON_DEV, PATCHED_INTO_WORKER), APART)


def downloaded(cache: Path, python: str, *groups: Sequence[str]) -> Path:
    """Return a directory with the wheels of all groups of packages for one version of Python."""

    def download(target: Path) -> None:
        for group in groups:
            run(
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"),
                *("--implementation", "cp", "--python-version", python, "--abi", f"cp{python.replace('.', '')}"),
                *("--platform", f"manylinux2014_{platform.machine()}", "--dest", str(target), *group),
            )

    return made_once(_place(cache, python, [pin for group in groups for pin in group]), download)


def build_markupsafe(target: Path) -> None:
    """Compile the source distribution, as pip does where it is told not to take the wheel of the index."""
    require(C_COMPILER)
    run(
        *(sys.executable, "-m", "pip", "--python", python_311(), "wheel", "--quiet", "--no-deps"),
        *("--no-binary", "markupsafe", "--wheel-dir", target, MARKUPSAFE),
    )


def python_311() -> Path:
    """Return the interpreter of the same version as bookworm's."""
    return Path(sys.executable) if sys.version_info[:2] == (3, 11) else require(PYTHON_311)


def wheel_file(directory: Path, pin: str) -> Path:
    """Return the one wheel of a pinned package."""
    name, _, version = pin.partition("==")
    [found] = directory.glob(f"{name}-{version}-*.whl")
    return found


def _place(cache: Path, name: str, pins: Sequence[str]) -> Path:
    # Another list of packages is another directory, so that a cache of an earlier version is not taken.
    digest = hashlib.sha256("\n".join(pins).encode()).hexdigest()[:12]
    return cache / "wheels" / f"{name}-{digest}"
