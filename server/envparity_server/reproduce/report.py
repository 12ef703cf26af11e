"""Tells a person what is not reproduced, in markdown."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from envparity_server.reproduce.model import Gap
from envparity_server.reproduce.quoting import code, one_line

_HEAD = """\
# What is not reproduced

The Dockerfile beside this file rebuilds what a fingerprint tells. This is what a fingerprint does not tell, or what
an image cannot hold: where the rebuilt one behaves otherwise, begin here.
"""


def gaps_file(title: str, gaps: Iterable[Gap]) -> str:
    """GAPS.md: by section, and by reason the items."""
    lines = [_HEAD, f"Target: {code(title)}", ""]
    for section, group in groupby(gaps, key=lambda one: one.section):
        lines += [f"## {code(section)}", "", *_reasons(group), ""]
    return "\n".join(lines).rstrip() + "\n"


def _reasons(gaps: Iterable[Gap]) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for one in gaps:
        by_reason.setdefault(one.why, []).append(one.item)
    for why, items in by_reason.items():
        named = ", ".join(code(item) for item in items if item and not item.startswith("@"))
        yield f"- {named}: {one_line(why)}" if named else f"- {one_line(why)}"
