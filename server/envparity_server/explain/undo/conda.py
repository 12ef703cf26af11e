"""How a package of conda's goes back: name, version and build string together say which it is."""

import re

from envparity_agent.fingerprint import Attributes
from envparity_server.explain.undo.sides import Sides, prefix_of, text_of
from envparity_server.explain.undo.words import command, line

CONDA = "conda:"  # before an item that is no Python distribution, and an owner
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._!+/-]*")


def is_conda(sides: Sides, body: Attributes | None) -> bool:
    """Whether a distribution is a package of conda's, and the bad side's environment is one of conda's."""
    if not text_of(body, "owner").startswith(CONDA) or sides.bad is None or sides.bad.kind != "python":
        return False
    return any(
        name.startswith(CONDA) or text_of(one, "owner").startswith(CONDA) for name, one in sides.bad.items.items()
    )


def conda_step(sides: Sides, item: str, body: Attributes | None) -> str | None:
    """The command, or the line of an environment.yml, that makes a package what `body` tells; None takes it out."""
    owner = text_of(body or sides.bad_body, "owner").removeprefix(CONDA).split(" ")
    name, version, build = (*owner, "", "")[:3] if owner != [""] else (item.removeprefix(CONDA), "", "")
    version, build = version or text_of(body, "version"), build or text_of(body, "build")
    if not all(_PART.fullmatch(one) for one in (name, version, build) if one):
        return None
    spec = "=".join(filter(None, (name, version, build)))
    if sides.bad is not None and sides.bad.kind == "declared":
        number = (sides.bad_body or {}).get("line")
        return line(sides.situation.bad.target.name, f"- {spec}" if body else f"# - {name}", number)
    where = prefix_of(sides.bad, sides.situation.bad) if sides.bad else ""
    at = ("-p", where) if where else ()
    if body is None:
        return command("conda", "remove", *at, name)
    channel = text_of(body, "channel")
    return command("conda", "install", *at, f"{channel}::{spec}" if _PART.fullmatch(channel) else spec)
