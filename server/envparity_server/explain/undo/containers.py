"""How a container goes back to the image that the good side runs, by the digest that no push can move."""

import re

from envparity_agent.fingerprint import Attributes
from envparity_server.explain.model import Remedy
from envparity_server.explain.undo.python import recreated
from envparity_server.explain.undo.sides import COMPOSE, DOCKERFILE, Sides, text_of
from envparity_server.explain.undo.words import command, line, note

_LAYER = "layer:"
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*(?:@sha256:[0-9a-f]{64})?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_USUAL = ("docker.io/library/", "docker.io/")  # what nobody writes


def of_container(sides: Sides) -> Remedy | None:
    """Undo another image, a tag that moved, or what was changed in a container in place."""
    good = sides.good_body
    if sides.item.startswith(_LAYER):
        return _layer(sides)
    if sides.item == "tag":
        return recreated(sides) if (sides.bad_body or {}).get("moved") else None
    if sides.item != "image" or good is None:
        return None
    exact = by_digest(good)
    if sides.home.form == DOCKERFILE:
        base = exact or _tagged(good, "base")
        return Remedy((sides.home.in_dockerfile(f"FROM {base}"),)) if base else None
    platform = text_of(good, "platform") if _differs_in(sides, "platform") else ""
    return _pulled(sides, exact, _tagged(good, "reference"), platform)


def by_digest(image: Attributes) -> str:
    """The image's name with a digest that a registry knows it by; empty where none is told.

    https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
    """
    reference = _tagged(image, "reference")
    name = reference.partition("@")[0]
    name = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
    told = image.get("repo_digests")
    digests = [one for one in told if _TAG.fullmatch(one) and "@" in one] if isinstance(told, tuple) else []
    own = [one for one in digests if short(one.partition("@")[0]) == name]
    if found := own or digests:
        return short(found[0])
    if "@" in reference:
        return reference
    manifest = text_of(image, "manifest")
    return f"{name}@{manifest}" if name and _DIGEST.fullmatch(manifest) else ""


def _pulled(sides: Sides, exact: str, tagged: str, platform: str) -> Remedy | None:
    wanted = exact or tagged
    if not wanted:
        return Remedy((), "The good side's image has no name that it could be pulled by: push it from there first.")
    home = sides.home
    chosen = ("--platform", platform) if platform else ()
    pull = command("docker", "pull", *chosen, wanted)
    file = home.name if home.form == COMPOSE else "compose.yaml"
    if home.form == COMPOSE or home.service:
        steps: tuple[str, ...] = (
            pull,
            line(file, f"image: {wanted}"),
            command("docker", "compose", "up", "-d", home.service),
        )
        told = ""
    else:
        steps = (pull,)
        told = f"Then start the container {home.name} anew from {wanted}." if home.name else ""
    unsure = "" if exact else "No digest of it is known: the tag may lead to another image by now, or to none."
    return Remedy(steps, note(told, unsure))


def _layer(sides: Sides) -> Remedy | None:
    """A change in the writable layer: of the bad side's container it goes with the container."""
    if sides.bad_body is not None:
        return recreated(sides)
    change = text_of(sides.good_body, "change")
    what = text_of(sides.good_body, "owner") or sides.item.removeprefix(_LAYER)
    told = f"On the good side {what} was {change} in the container, and in no image: take it into the Dockerfile."
    return Remedy((), note(told))


def _tagged(image: Attributes, attribute: str) -> str:
    """A name as a person writes it; empty for a text that is none, and could be anything in a command."""
    told = text_of(image, attribute).partition(" ")[0]
    return short(told) if _TAG.fullmatch(told) else ""


def short(name: str) -> str:
    """The name of an image as people write it: debian, and not docker.io/library/debian."""
    start = next((one for one in _USUAL if name.startswith(one)), "")
    return name.removeprefix(start)


def _differs_in(sides: Sides, attribute: str) -> bool:
    return any(one.attribute == attribute for one in sides.differences)
