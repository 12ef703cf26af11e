"""Counts once what is one thing under two names: a Python distribution, and the OS package that brought it."""

from collections.abc import Callable, Iterable

from envparity_agent.fingerprint import Attributes
from envparity_server.compare.model import DRIFT_STATES, Difference


def owner(left: Attributes | None, right: Attributes | None) -> str:
    """What an item belongs to, on both sides where that is not the same: `deb:python3-yaml 6.0-3`; empty for none."""
    told = (str(body.get("owner") or "") for body in (left, right) if body)
    return " → ".join(dict.fromkeys(filter(None, told)))


def counted_once(differences: Iterable[Difference], container: Callable[[str], str]) -> list[Difference]:
    """The differences without those of OS packages whose Python distribution differs: that says more of one cause.

    `container` is the path of the container that a section is in, empty for a host's own.
    """
    every = list(differences)
    owning = {
        (container(one.section), name)
        for one in every
        if one.kind == "python" and one.state in DRIFT_STATES
        for name in _packages(one.owner)
    }
    return [
        one
        for one in every
        if one.kind != "os-packages"
        or one.state not in DRIFT_STATES
        or (container(one.section), one.item.partition(":")[0]) not in owning
    ]


def _packages(told: str) -> set[str]:
    """The names of OS packages in what `owner` told: conda's are no OS packages."""
    packages = (part.partition(" ")[0].partition(":") for part in told.split(" → ") if part)
    return {name for manager, _, name in packages if manager in ("deb", "rpm", "apk")}
