"""Builds native libraries with the system's compiler, and asks readelf what is in them."""

import re
import subprocess
from pathlib import Path

from tests.system.components import C_COMPILER, Component, require

READELF = Component("readelf", "binutils")


def library(
    root: Path, path: str, *options: str, needs: tuple[Path, ...] = (), text: str = "", build_id: str | None = "sha1"
) -> Path:
    """Compile a shared library below a root, whose soname is its name unless an option says otherwise."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    words = "".join(
        f'__attribute__((used)) static const char told{i}[] = "{one}";' for i, one in enumerate(text.split("|"))
    )
    given = "none" if build_id is None else build_id
    subprocess.run(
        (
            require(C_COMPILER), "-x", "c", "-", "-shared", "-fPIC", "-nostdlib", "-o", place,
            f"-Wl,-soname,{place.name}", f"-Wl,--build-id={given}", "-Wl,--no-as-needed", *options,
            "-x", "none", *needs,
        ),
        input=words.encode(), check=True,
    )  # fmt: skip
    return place


def told_by_readelf(path: Path) -> tuple[tuple[str, ...], str | None, tuple[str, ...], tuple[str, ...], str | None]:
    """What readelf says: needed names, soname, RPATH, RUNPATH, build id."""
    # it ends with 1 where a note is of a kind that it does not know
    told = subprocess.run(
        (require(READELF), "-dnW", path), capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    ).stdout

    def bracketed(tag: str) -> list[str]:
        return re.findall(rf"\({tag}\).*\[(.*)\]", told)

    build_id = re.search(r"Build ID: (\w+)", told)
    return (
        tuple(bracketed("NEEDED")),
        next(iter(bracketed("SONAME")), None),
        tuple(part for one in bracketed("RPATH") for part in one.split(":")),
        tuple(part for one in bracketed("RUNPATH") for part in one.split(":")),
        build_id.group(1) if build_id else None,
    )
