"""Finds the source directory of an editable installation, from what installers leave beside the distribution.

What they leave is code that the interpreter runs at its start; here it is read as text and never run.
"""

import ast
import posixpath
import re
import warnings
from collections.abc import Callable, Iterator

from envparity_agent.collectors.paths import normal

# setuptools' names: https://setuptools.pypa.io/en/latest/userguide/development_mode.html
_HELPERS = re.compile(rb"^(__editable__[^,/\r\n]{1,200}\.(?:pth|py)),", re.MULTILINE)
_MAPPING = re.compile(r"^MAPPING[^=\n]*=[ \t]*(\{.*)$", re.MULTILINE)


def helpers(record: bytes) -> list[str]:
    """The names of the files in a RECORD that make an installation editable without a direct_url.json."""
    return sorted({name.decode("utf-8", "replace") for name in _HELPERS.findall(record)})


def source_directory(names: list[str], read: Callable[[str], bytes]) -> str | None:
    """The directory below the root that the helpers lead to, None where they lead to none; `read` raises Unreadable."""
    found = [path for name in names for path in _directories(name, read(name).decode("utf-8", "replace"))]
    return normal(posixpath.commonpath(found)) if found else None


def _directories(name: str, text: str) -> Iterator[str]:
    if name.endswith(".pth"):
        yield from (line.strip() for line in text.split("\n") if line.startswith("/"))
    else:
        yield from (posixpath.dirname(path) for path in finder_mapping(text).values() if path.startswith("/"))


def finder_mapping(text: str) -> dict[str, str]:
    """Module -> path, of a finder that setuptools wrote; empty where its text has no such literal."""
    found = _MAPPING.search(text)
    try:
        with warnings.catch_warnings():  # of the text's escapes, which are not ours to correct
            warnings.simplefilter("ignore")
            literal = ast.literal_eval(found.group(1)) if found else {}
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return {}
    if not isinstance(literal, dict):
        return {}
    return {key: path for key, path in literal.items() if isinstance(key, str) and isinstance(path, str)}


def egg_link(content: bytes) -> tuple[str, str]:
    """Of an .egg-link: the directory of the .egg-info, and that of the sources; both below the root."""
    lines = [line.strip() for line in content.decode("utf-8", "replace").split("\n")[:2]]
    place, below = (*lines, "")[:2]
    return normal(place), normal(f"{place}/{below}")
