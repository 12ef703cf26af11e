"""The verb `envparity environments pivot`: several environments side by side, as a table."""

from typing import Annotated, Any

import typer
from rich.text import Text

from envparity_agent.cli_options import Json, Server, TokenFile
from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, say, say_json, say_table, styled
from envparity_server.cli.asking import asking

_STYLES = {"changed": "medium", "missing": "high", "split": "low", "unknown": "dim"}


def pivot(
    of: Annotated[list[str], typer.Argument(help="The columns: two or more selectors.")],
    reference: Annotated[
        str, typer.Option(help="The column that the others are held against; the last by default.")
    ] = "",
    kind: Annotated[str, typer.Option(help="Only these kinds or paths: python,os-packages or python/*.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also what is the same in all columns.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many rows.")] = 100,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Several environments side by side: what each has, and how it stands against the reference.

    envparity environments pivot env:dev env:test env:prod --reference env:prod
    """
    if len(of) < 2:
        raise UsageError("one column has nothing to be held against", "name two or more: env:dev env:prod")
    query: dict[str, str | list[str]] = {
        "of": of, "reference": reference, "kind": kind, "only_different": str(not everything).lower(),
        "limit": str(limit),
    }  # fmt: skip
    with asking(server, token_file) as client:
        found = client.ask("GET", "/pivot", query)
    if json:
        say_json(found)
        return
    for column in found["columns"]:
        for one in column["notes"]:
            note(f"{column['of']}: {one}")
    _print(found)


def _print(found: dict[str, Any]) -> None:
    columns = found["columns"]
    if not found["rows"]:
        say("nothing differs: " + ", ".join(f"{one['of']} ({one['hosts']} hosts)" for one in columns))
        return
    heads = [f"{one['of']}{' = reference' if place == found['reference'] else ''}" for place, one in enumerate(columns)]
    say_table(
        ("section", "item", *heads),
        [(one["section"], one["item"] or "the whole section", *map(_cell, one["cells"])) for one in found["rows"]],
    )
    if len(found["rows"]) < found["total"]:
        say(f"{found['total'] - len(found['rows'])} more rows (--limit)")


def _cell(cell: dict[str, Any]) -> Text:
    """The value, with its share where not all hosts have it, or what there is instead."""
    holders, _, voters = (cell["share"] or "").partition(" of ")
    partly = f" ({cell['share']})" if holders != voters else ""
    words = f"{cell['value'] or cell['state']}{partly}"
    return styled(words, _STYLES.get(cell["state"], ""))
