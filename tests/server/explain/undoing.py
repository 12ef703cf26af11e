"""Makes two sides as agents tell them, and asks for the remedy of what differs between them."""

from collections.abc import Iterable, Mapping
from typing import Any

from envparity_agent.fingerprint import Attributes, Fingerprint, Section, Target
from envparity_server.compare.differences import compare
from envparity_server.explain.model import Cause, Remedy, Situation
from envparity_server.explain.remedies import remedy
from tests.server.making import NOON, SEARCHED

VENV = "python/srv/app/.venv"
PYTHON = {"version": "3.11.2", "abi": "3.11", "implementation": "cpython", "role": "venv", "creator": "venv"}


def dist(version: str, *requires: str, **facts: Any) -> Attributes:
    """A distribution that pip installed."""
    return {"version": version, "requires": requires, "installer": "pip", "form": "dist-info", **facts}


def venv(items: Mapping[str, Attributes], path: str = VENV, **interpreter: Any) -> Section:
    """A Python environment with its interpreter."""
    return Section(path, "python", 2, {"@python": {**PYTHON, **interpreter}, **items})


def side(*sections: Section, kind: str = "host", name: str = "web-1") -> Fingerprint:
    """A fingerprint of these sections, with the list of Python environments."""
    every = (*sections, *([SEARCHED] if kind == "host" else []))
    return Fingerprint(Target(kind, name), NOON.isoformat(), {one.path: one for one in every})


def undone(good: Fingerprint, bad: Fingerprint, item: str, section: str = "") -> Remedy | None:
    """The remedy for the item that differs."""
    situation = Situation(good, bad, compare(good, bad))
    suspect = next(one for one in situation.suspects if one.item == item and section in one.section)
    differences = situation.suspects[suspect]
    return remedy(situation, Cause(1, suspect, differences[0].kind, 0, (), differences))


def both(sides: Iterable[Fingerprint]) -> tuple[Fingerprint, Fingerprint]:
    """Two sides that are made in one go."""
    good, bad = sides
    return good, bad


def steps(good: Fingerprint, bad: Fingerprint, item: str, section: str = "") -> list[str]:
    """The steps of that remedy; empty where there are none."""
    found = undone(good, bad, item, section)
    return list(found.steps) if found else []


def note(good: Fingerprint, bad: Fingerprint, item: str, section: str = "") -> str:
    """What its note says."""
    found = undone(good, bad, item, section)
    return found.note if found else ""
