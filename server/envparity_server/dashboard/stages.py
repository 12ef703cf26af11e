"""Puts environments into the order in which changes go through them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

_STAGES = ("dev", "test", "qa", "int", "stag", "uat", "pre", "prod")  # as people promote; each begins several names


def in_order(environments: Iterable[str]) -> list[str]:
    """Environments as changes go through them: those of one family (`demo-dev`, `demo-prod`) together, dev first."""
    return sorted(environments, key=lambda name: (_family(name), _stage(name), name))


def pairs(environments: Sequence[str]) -> list[tuple[str, str]]:
    """Each environment with the next one of its family, or with the next one where no two are of one."""
    neighbours = list(pairwise(environments))
    return [(one, other) for one, other in neighbours if _family(one) == _family(other)] or neighbours


def _stage(name: str) -> int:
    return next((rank for rank, stage in enumerate(_STAGES) if stage in name.lower()), len(_STAGES))


def _family(name: str) -> str:
    """What is before the stage in a name: `demo-` of demo-dev."""
    found = [name.lower().find(stage) for stage in _STAGES if stage in name.lower()]
    return name[: min(found)] if found else ""
