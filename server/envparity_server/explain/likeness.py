"""Tells by their names which distribution a module is from, where nothing else tells it."""

import re
from functools import lru_cache

SURE = 0.9  # a likeness from which on a name alone is enough

_NORMAL = re.compile(r"[-_.]+")
_AFFIX = re.compile(r"^(?:python|py|lib)(?=\w{2})|(?<=\w{2})(?:python|py|lib|\d{1,3})$")
# what stands in a name because of what it is for, and not of which family it is
_COMMON = frozenset(
    {"python", "py", "lib", "types", "stubs", "core", "utils", "client", "api", "sdk", "base", "binary"}
)


def normal(name: str) -> str:
    """The name of a distribution, normalised.

    https://packaging.python.org/en/latest/specifications/name-normalization/
    """
    return _NORMAL.sub("-", name).lower()


@lru_cache(maxsize=65_536)
def likeness(module: str, name: str) -> float:
    """How much the name of a distribution is like that of a module: 1 for the same, 0 for nothing in common.

    By what people do when they name things: `python-dateutil` for dateutil, `PyYAML` for yaml, `google-auth` for
    google.auth, `psycopg2-binary` for psycopg2, `attrs` for attr, `beautifulsoup4` for bs4.
    """
    parts = [part.strip("_").replace("_", "") for part in module.lower().split(".")[:4]]
    top, flat, tokens = parts[0], name.replace("-", ""), name.split("-")
    if not top or not flat:
        return 0.0
    wholes = ["".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    if flat in wholes:
        return 1.0
    bare = core(flat)
    if bare in (top, core(top)):
        return 0.95
    if flat in parts[1:3] and len(flat) > 3:
        return 0.85
    if top in tokens and top not in _COMMON:
        return 0.6 if tokens[0] == top else 0.5
    if len(top) >= 4 and (flat.startswith(top) or flat.endswith(top) or bare.startswith(top)):
        return 0.45
    if len(flat) >= 4 and (top.startswith(flat) or top.endswith(flat)):
        return 0.4
    return 0.3 if len(top) >= 3 and top[0] == flat[0] and _is_abbreviation(top, flat) else 0.0


def kin(name: str, other: str) -> bool:
    """Whether two distributions are of one family by their names, as an extension and what it extends."""
    return bool((set(name.split("-")) & set(other.split("-"))) - _COMMON)


def core(flat: str) -> str:
    """A name without what only says of what kind it is: python, py, lib, a number at its end."""
    return _AFFIX.sub("", _AFFIX.sub("", flat))


def _is_abbreviation(short: str, long: str) -> bool:
    """Whether the letters of one stand in the other in their order, and are at least a fifth of them."""
    rest = iter(long)
    return len(short) * 5 >= len(long) and all(letter in rest for letter in short)
