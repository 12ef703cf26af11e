"""The root directories of Debian hosts: made once by debootstrap, then copied."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.system.cache import made_once
from tests.system.commands import run
from tests.system.components import DEBOOTSTRAP, require
from tests.system.mirror import debian_mirror

INCLUDED = ("python3", "python3-venv", "ca-certificates")
BUILT_AT_A_TIME = 2


@dataclass(frozen=True)
class Roots:
    """Pristine roots, never to be changed: Python 3.11, 3.9 and 3.13 in this order."""

    bookworm: Path
    bullseye: Path
    trixie: Path


def pristine_roots(cache: Path) -> Roots:
    """Return the roots of the cache, with those that are missing built now."""
    with ThreadPoolExecutor(BUILT_AT_A_TIME) as pool:
        return Roots(*pool.map(lambda suite: pristine_root(cache, suite), ("bookworm", "bullseye", "trixie")))


def pristine_root(cache: Path, suite: str) -> Path:
    """Return the root of one release."""
    require(DEBOOTSTRAP)
    mirror = debian_mirror()
    return made_once(cache / "roots" / suite, lambda target: build_root(suite, target, mirror))


def bare_root(cache: Path) -> Path:
    """Return a pristine root of bookworm that has no Python, as Debian's own images have none."""
    mirror = debian_mirror()
    return made_once(cache / "roots" / "bookworm-bare", lambda target: build_root("bookworm", target, mirror, ()))


def build_root(suite: str, target: Path, mirror: str, included: Sequence[str] = INCLUDED) -> None:
    """Install a minimal Debian, with Python unless nothing is included, into an empty directory."""
    more = (f"--include={','.join(included)}",) if included else ()
    run(require(DEBOOTSTRAP), "--variant=minbase", *more, suite, target, mirror)


def copy_root(source: Path, target: Path) -> Path:
    """Copy a root with its owners, modes, times and links into a directory that is not there yet."""
    run("cp", "--archive", "--reflink=auto", source, target)
    return target
