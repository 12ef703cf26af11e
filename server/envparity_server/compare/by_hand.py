"""Folds a package that was put into, replaced in or taken out of a running container: one cause is one line.

The container's writable layer tells of it (`layer:SITE#NAME`, `layer:deb:NAME`), and so does the list of packages that
it is missing from or additional in. The package is what differs; the layer says how it came to that.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from envparity_agent.fingerprint import FingerprintLike
from envparity_server.compare.covering import container_of
from envparity_server.compare.model import DRIFT_STATES, Difference, Pair, State

LAYER = "layer:"
_LIBRARY = re.compile(r"/lib(?:64)?/python\d[\d.t]*$")  # of an interpreter, whose prefix lies above

_Place = tuple[str, str]  # a container, and what is named in its layer


def folded(
    differences: Sequence[Difference], pairs: Sequence[Pair], left: FingerprintLike, right: FingerprintLike
) -> Iterator[Difference]:
    """The differences without those of layers that one of a package explains, which then says how it was made."""
    layers = {(one.section, one.item.removeprefix(LAYER)): one for one in differences if _is_layer(one)}
    counterparts = {pair.left: pair.right for pair in pairs}
    found: dict[Difference, Difference] = {}
    explained: set[_Place] = set()
    for one in differences if layers else ():
        for place in _places(one, (left, one.section), (right, counterparts.get(one.section, one.section))):
            if place in layers:
                found[one] = replace(one, origin=_origin(layers[place]))
                explained.add(place)
    for one in differences:
        if not (_is_layer(one) and (one.section, one.item.removeprefix(LAYER)) in explained):
            yield found.get(one, one)


def _is_layer(one: Difference) -> bool:
    return one.kind == "container" and one.item.startswith(LAYER) and one.state in DRIFT_STATES


def _origin(layer: Difference) -> str:
    if layer.state == State.CHANGED:
        return "changed in both containers"
    side, change = ("left", layer.left) if layer.state == State.ONLY_LEFT else ("right", layer.right)
    return f"{change} in the {side} container"


def _places(one: Difference, *sides: tuple[FingerprintLike, str]) -> Iterator[_Place]:
    """What the package of a difference may be called in the layer of its container."""
    if one.kind not in ("python", "os-packages") or one.state not in DRIFT_STATES:
        return
    container = next(filter(None, (_container(side, path) for side, path in sides)), "")
    for side, path in sides:
        body = side.sections[path].items.get(one.item) if path in side.sections else None
        if body is None:
            continue
        if one.kind == "os-packages":
            yield container, f"{body.get('manager')}:{one.item.partition(':')[0]}"
        else:
            prefix = _LIBRARY.sub("", path.removeprefix(f"{container}/").removeprefix("python"))
            site = posixpath.join(prefix, str(body.get("location", "")))
            yield container, f"{site}#{one.item.partition('#')[0]}"


def _container(side: FingerprintLike, path: str) -> str:
    """The container that a section is in; of a container or an image that was named, everything is."""
    if side.target.kind not in ("container", "image"):
        return container_of(side.sections, path)
    return next((own for own, section in side.sections.items() if section.kind == "container"), "")
