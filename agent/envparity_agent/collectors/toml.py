"""Parses TOML that anybody may have written: what makes the standard library's parser swell is refused before.

For each key with n dots it keeps n tuples of up to n parts: half a million dots in one line take more than all memory.
https://github.com/python/cpython/blob/3.13/Lib/tomllib/_parser.py (key_value_rule)
"""

import re
import tomllib
from collections.abc import Callable
from typing import Any

MAX_PARTS = 32

_PART = r"(?:[A-Za-z0-9_-]++|\"(?:[^\"\\\n]|\\.)*+\"|'[^'\n]*+')"
# starts where a key can start, so that no text is looked at again and again
_LONG_KEY = re.compile(
    rf"(?:(?<![A-Za-z0-9_-])(?=[A-Za-z0-9_-])|(?<!\\)(?=[\"'])){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_PARTS}}}"
)


class LongKey(ValueError):
    """A key of more than MAX_PARTS parts."""

    def __init__(self, line: int) -> None:
        super().__init__(f"a key of more than {MAX_PARTS} parts")
        self.line = line


def loads(text: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """The document; raises TOMLDecodeError or another ValueError for what is none, and LongKey.

    RecursionError is one of the outcomes: arrays may be nested.
    """
    if found := _LONG_KEY.search(text):
        raise LongKey(text.count("\n", 0, found.start()) + 1)
    return tomllib.loads(text, parse_float=parse_float)
