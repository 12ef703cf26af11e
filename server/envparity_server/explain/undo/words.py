"""How steps are written: one line each, foreign text without control characters, quoted for where it goes."""

import json
import re
import shlex

from envparity_agent.fingerprint import Value
from envparity_agent.terminal import printable

_PLAIN = re.compile(r"[\w@%+=:,./-]+")


def word(text: str) -> str:
    """One word of a command for a shell, as `shlex` takes it apart again."""
    return shlex.quote(printable(text))


def command(*words: str) -> str:
    """A command line."""
    return " ".join(map(word, words))


def line(file: str, text: str, number: Value = None) -> str:
    """A line that a file is to have: `requirements.txt:12: urllib3==1.26.18`; without a number it is to be added."""
    place = f"{file}:{number}" if isinstance(number, int) and number else file
    return f"{word(place)}: {_balanced(printable(text))}"


def _balanced(text: str) -> str:
    """The text; where its quotes do not end, quoted as a whole, so that they cannot swallow what follows."""
    try:
        shlex.split(text)
    except ValueError:
        return shlex.quote(text)
    return text


def quoted(text: str) -> str:
    """A value in a file: as it is, or in double quotes, which YAML, TOML, systemd and dotenv files read alike."""
    shown = printable(text)
    return shown if _PLAIN.fullmatch(shown) else json.dumps(shown, ensure_ascii=False)


def note(*sentences: str) -> str:
    """The sentences that there are, in one line."""
    return printable(" ".join(filter(None, sentences)))


def listed(texts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))
