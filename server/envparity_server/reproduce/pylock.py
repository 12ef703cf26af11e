"""Writes a pylock.toml of what is known with its address and hash; the format takes nothing else.

https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

import re
from collections.abc import Iterator

from envparity_server.reproduce.environments import Environment
from envparity_server.reproduce.model import PYLOCK_ITEM, Gap
from envparity_server.reproduce.requirements import Line

_PLAIN = re.compile(r'[^\x00-\x1f\x7f"\\]')


def pylock(one: Environment) -> tuple[str, tuple[Gap, ...]]:
    """The lock of an environment, and a gap that counts what it cannot hold."""
    lines = one.requirements.lines
    blocks = ['lock-version = "1.0"', 'created-by = "envparity"']
    if one.abi:
        blocks.insert(1, "requires-python = " + _text(f"=={one.abi.removesuffix('t')}.*"))
    packages = []
    without = 0
    for line in lines:
        found = list(_package(line))
        packages += found
        without += not found
    head = "\n".join(blocks) + ("\n" if packages else "\npackages = []\n")
    why = f"of {without} of {len(lines)} distributions no address is known: they are in the requirements file only"
    gaps = (Gap(one.section, PYLOCK_ITEM, why),) if without else ()
    return "\n".join([head, *packages]), gaps


def _package(line: Line) -> Iterator[str]:
    """The table of a package, where it comes from a commit, or from an archive whose hash is known."""
    if line.commit and line.address:
        repository = line.address.removeprefix("git+")
        yield _table(line, f'vcs = {{type = "git", url = {_text(repository)}, commit-id = {_text(line.commit)}}}')
    elif line.address and line.hashes:
        pairs = (one.partition(":") for one in line.hashes)
        hashes = ", ".join(f"{algorithm} = {_text(digest)}" for algorithm, _, digest in pairs)
        yield _table(line, f"archive = {{url = {_text(line.address)}, hashes = {{{hashes}}}}}")


def _table(line: Line, source: str) -> str:
    marker = [f"marker = {_text(line.marker)}"] if line.marker else []
    return "\n".join(["[[packages]]", f"name = {_text(line.name)}", *marker, source, ""])


def _text(text: str) -> str:
    """A basic string of TOML."""
    return '"' + "".join(char if _PLAIN.fullmatch(char) else f"\\u{ord(char):04x}" for char in text) + '"'
