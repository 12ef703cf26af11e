"""References of images by the grammar of registries, and where the API of each registry is.

https://github.com/distribution/reference/blob/main/reference.go
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# where the address of the API is not the name in references
_ELSEWHERE = {"docker.io": "https://registry-1.docker.io"}
_LONGEST = 512
_WORD = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"([A-Za-z0-9.-]+(?::[0-9]{{1,5}})?)/({_WORD}(?:/{_WORD})*):([A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})"
)


@dataclass(frozen=True)
class TagReference:
    """A tag in a registry."""

    registry: str
    name: str
    tag: str


def parsed(reference: str) -> TagReference | None:
    """A reference in full with a tag and no digest; None for any other text: an agent may send what it likes."""
    matched = _REFERENCE.fullmatch(reference) if len(reference) <= _LONGEST else None
    return TagReference(*matched.groups()) if matched else None


def addresses(registries: Iterable[str]) -> Mapping[str, str]:
    """Registry -> the address of its API, of the setting `registries`: `HOST`, or `HOST=URL`."""
    pairs = (text.partition("=") for text in registries)
    return {host: (url or _ELSEWHERE.get(host) or f"https://{host}").rstrip("/") for host, _, url in pairs}
