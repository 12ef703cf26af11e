"""Which file beside a Dockerfile a file of the image was copied from."""

import os
from collections.abc import Sequence
from typing import TypeAlias

Copied: TypeAlias = tuple[tuple[str, ...], str]  # paths of the context, and where they go: `/x/` for into it


def origins(place: str, copies: Sequence[Copied]) -> list[str]:
    """The paths beside the Dockerfile that a file of the image may have been copied from, the last copy first."""
    found = []
    for sources, target in reversed(copies):
        inside = os.path.relpath(place, target.rstrip("/") or "/")
        for source in sources:
            local = source.lstrip("/") or "."
            if any(character in local for character in "*?["):
                found += [inside] if inside == os.path.basename(inside) and not inside.startswith("..") else []
            elif place == target:
                found.append(local)
            elif not inside.startswith(".."):
                same = os.path.basename(local) == inside
                found += [local] if same else [os.path.join(local, inside)]
    return [one for one in found if not os.path.normpath(one).startswith("..")]
