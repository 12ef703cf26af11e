"""The verb `envparity hosts tags`: where tags of images point now, and who runs something else."""

from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Json, Server, TokenFile
from envparity_agent.terminal import note, say, say_json, say_table
from envparity_server.cli.asking import asking, note_more


def tags(
    moved: Annotated[bool, typer.Option("--moved", help="Only tags of which somebody runs something else.")] = False,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Where the tags point that containers were started from, and which containers run something else.

    envparity hosts tags --moved
    """
    with asking(server, token_file) as client:
        found = client.ask("GET", "/tags", {"moved": str(moved).lower()})
    told = found["tags"]
    if json:
        say_json(found)
    elif not told:
        say("no tag has moved, as far as it is known" if moved else "no container was started from a tag")
    else:
        say_table(("tag", "points at", "asked", "same", "moved", "unknown"), [_row(one) for one in told])
        for one in told:
            _say_others(one)
    note_more(len(told), found["total"])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    counts = one["counts"]
    numbers = (str(counts[name]) for name in ("same", "moved", "unknown"))
    return one["reference"], _short(one), (one["asked_at"] or "no")[:16], *numbers


def _short(one: dict[str, Any]) -> str:
    digest = str(one["digest"] or "")
    return f"{one['kind']} {digest.removeprefix('sha256:')[:12]}" if digest else "not known"


def _say_others(one: dict[str, Any]) -> None:
    """The containers that run something else, each; why it is unknown of the others, once."""
    for container in one["containers"]:
        if container["moved"] == "moved":
            place = f"{container['name']} ({container['environment']}) {container['section']}"
            say(f"{one['reference']} moved: {place}: {container['why']}")
    for why in dict.fromkeys(each["why"] for each in one["containers"] if each["moved"] == "unknown"):
        note(f"{one['reference']}: {why}")
