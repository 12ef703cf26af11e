"""Reads files of shell assignments (os-release, locale.conf) as data: nothing in them is ever expanded or run."""

import re

# https://www.freedesktop.org/software/systemd/man/os-release: quoted, or one word
_ESCAPED = re.compile(r"\\(.)")


def assignments(content: bytes) -> dict[str, str]:
    """The value of each `NAME=value`, without its quotes; of a name that stands twice the last one, as in a shell."""
    found: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and name and not name.startswith("#"):
            found[name.rstrip()] = _unquoted(value)
    return found


def _unquoted(value: str) -> str:
    quote = value[:1] if value[:1] in ("'", '"') else ""
    inner = value[len(quote) :]
    before = inner.removesuffix(quote) if quote else inner
    # a quote that is escaped closes nothing, and one that does not stand there is not missed
    if (len(before) - len(before.rstrip("\\"))) % 2 == 0:
        inner = before
    return _ESCAPED.sub(r"\1", inner)
