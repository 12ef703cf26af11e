"""The syntax of systemd's unit files: settings, continued lines, and words with quotes and escapes.

https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html
"""

import re
from collections.abc import Iterable, Iterator

_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " ",
    "\\": "\\", '"': '"', "'": "'",
}  # fmt: skip
_CODED = re.compile(r"x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U(00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})")
# the pieces of a word: an escape, a quote, a space, or a run of other characters
_PIECE = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|[0-3][0-7]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|[\"']|\s+|[^\\\"'\s]+|\\", re.DOTALL
)


def settings(text: str, section: str) -> Iterator[tuple[str, str]]:
    """The settings of one section, key and value, in their order; what is no setting is left out, as systemd does."""
    current = ""
    for line in _lines(text):
        if line.startswith("["):
            current = line.removeprefix("[").removesuffix("]")
            continue
        key, separator, value = line.partition("=")
        if separator and current == section:
            yield key.strip(), value.strip()


def gathered(found: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Key -> its values in order; an empty value takes back what came before, be it from another file."""
    values: dict[str, list[str]] = {}
    for key, value in found:
        if value:
            values.setdefault(key, []).append(value)
        else:
            values[key] = []
    return values


def _lines(text: str) -> Iterator[str]:
    """The lines with what continues them; a comment between two such lines does not end them."""
    parts: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.lstrip().startswith(("#", ";")):
            continue
        parts.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            yield " ".join(parts).strip()
            parts = []
    if parts:
        yield " ".join(parts).strip()


def words(text: str) -> list[str]:
    """The words of a value; raises ValueError for a quote that does not end."""
    found: list[str] = []
    word: list[str] | None = None  # None: between two words
    quote = ""
    for piece in _PIECE.findall(text):
        if quote and piece == quote:
            quote = ""
        elif not quote and piece in ('"', "'"):
            quote, word = piece, word or []
        elif not quote and piece.isspace():
            found += [] if word is None else ["".join(word)]
            word = None
        else:
            word = word or []
            word.append(_unescaped(piece))
    if quote:
        raise ValueError("a quote that does not end")
    return found if word is None else [*found, "".join(word)]


def _unescaped(piece: str) -> str:
    if not piece.startswith("\\"):
        return piece
    coded = _CODED.fullmatch(piece, 1)
    if coded is None:
        return _ESCAPES.get(piece[1:], piece)  # an unknown one is kept as it stands
    octal = coded.group(2)
    return chr(int(octal, 8) if octal else int(next(filter(None, coded.groups())), 16))


def expanded(text: str, unit: str) -> str:
    """A value with the specifiers that the unit's name tells; the others need the running system."""
    name = unit.removesuffix(".service")
    prefix, _, instance = name.partition("@")
    known = {"i": instance, "I": instance, "n": f"{name}.service", "N": name, "p": prefix, "%": "%"}
    return re.sub(r"%(.)", lambda found: known.get(found.group(1), found.group()), text)
