"""The paths that differ: mounts, configuration files, an application's files, and what was changed in a container."""

import posixpath
from collections.abc import Iterable
from typing import NamedTuple

from envparity_agent.fingerprint import as_texts
from envparity_server.compare.model import DRIFT_STATES, Difference
from envparity_server.explain.model import Situation, Suspect


class Place(NamedTuple):
    """A path that differs, absolute or the end of one, and how surely it does."""

    path: str
    suspect: Suspect
    sure: float


def certainty(differences: Iterable[Difference]) -> float:
    """A difference counts in full; what could not be compared, such as a file that one side does not name, less."""
    return 1.0 if any(one.state in DRIFT_STATES for one in differences) else 0.6


def places_of(situation: Situation) -> list[Place]:
    """Every path that differs."""
    found = []
    for suspect, differences in situation.suspects.items():
        kind, sure = differences[0].kind, certainty(differences)
        if suspect.item.startswith("mount:"):
            found.append(Place(suspect.item.removeprefix("mount:"), suspect, sure))
        elif kind == "file" and suspect.item in ("", "@file"):
            found.append(Place(f"/{suspect.section.rpartition('config/')[2]}", suspect, sure))
        elif suspect.item.startswith("file:"):
            found.append(Place(suspect.item.removeprefix("file:"), suspect, sure))
        elif kind == "container" and suspect.item.startswith("/"):
            found.append(Place(suspect.item, suspect, sure))
        elif kind == "python-files":
            sides = (side.sections.get(suspect.section) for side in (situation.good, situation.bad))
            told = [section.items.get(suspect.item, {}).get("modified") for section in sides if section]
            paths = [path for value in told for path in as_texts(value)]
            found.extend(Place(path, suspect, sure) for path in dict.fromkeys(paths))
    return found


def nearness(path: str, place: str) -> float:
    """The points of a path in trouble against a place that differs; none where they have nothing to do with it."""
    if place.startswith("/"):
        if path == place:
            return 13.0
        if place != "/" and path.startswith(place.rstrip("/") + "/"):
            return 12.0
        if place.startswith(path.rstrip("/") + "/") and path.count("/") > 1:
            return 7.0
        return 9.0 if not path.startswith("/") and place.endswith(f"/{path}") else 0.0
    if path == place or path.endswith(f"/{place}"):
        return 12.0
    return 7.0 if posixpath.basename(path) == posixpath.basename(place) else 0.0
