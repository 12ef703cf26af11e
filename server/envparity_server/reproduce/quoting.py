"""Quotes foreign text for Dockerfiles, shells, comments and markdown, so that it stands for itself and nothing else.

https://docs.docker.com/reference/dockerfile/#environment-replacement
"""

import json
import re
import shlex
from collections.abc import Sequence

_SPECIAL = re.compile(r'(["\\$])')


def is_quotable(text: str) -> bool:
    """Whether a Dockerfile can hold a text: none of its forms has a way to write a line's end or a control character.

    Invisible characters go as well: whoever reads the file before it is built has to see what it does.
    """
    return all(char.isprintable() or char == "\t" for char in text)


def word(text: str) -> str:
    """A quotable text as one word of ENV, LABEL, WORKDIR or USER: in double quotes, where `$` begins no variable."""
    return '"' + _SPECIAL.sub(r"\\\1", text) + '"'


def shell(text: str) -> str:
    """A quotable text as one word of a RUN instruction, which a shell reads and the builder does not expand."""
    return shlex.quote(text)


def exec_form(words: Sequence[str]) -> str:
    """A command as CMD and ENTRYPOINT take it without a shell."""
    return json.dumps(list(words))


def one_line(text: str) -> str:
    """Foreign text on one line, for a comment; what cannot be seen is shown by its escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def code(text: str) -> str:
    """Foreign text as code of markdown, which holds whatever it says."""
    shown = one_line(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
