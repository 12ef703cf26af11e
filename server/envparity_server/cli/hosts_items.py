"""Two verbs of `envparity hosts`: who has an item and since when, and what changed on hosts."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Json, Server, TokenFile
from envparity_agent.terminal import note, say, say_json, say_table, styled
from envparity_server.cli.asking import asking, note_more

_MOST = "1000"


def having(
    item: Annotated[str, typer.Argument(help="An item's name, or a glob of * and ?: openssl, 'libssl*'")],
    value: Annotated[str | None, typer.Argument(help="Only in this version.")] = None,
    kind: Annotated[str, typer.Option(help="Only in sections of this kind: python, os-packages, ...")] = "",
    values: Annotated[bool, typer.Option("--values", help="Only which versions there are, and on how many.")] = False,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Who has an item now, in which version, where, and since when.

    envparity hosts having openssl 3.0.11-1~deb12u2

    envparity hosts having 'libssl*' --values
    """
    query = {"name": item, "limit": _MOST, **({"kind": kind} if kind else {})}
    if value is not None and not values:
        query["value"] = value
    with asking(server, token_file) as client:
        found = client.ask("GET", "/items/values" if values else "/items", query)
    told = found["values" if values else "items"]
    if json:
        say_json(found)
    elif not told:
        say(f"no host has {item}{f' {value}' if value else ''} now")
    elif values:
        say_table(("item", "value", "kind", "hosts"), [_value(one) for one in told])
    else:
        say_table(("host", "environment", "item", "value", "section", "since"), [_item(one) for one in told])
    note_more(len(told), found["total"])


def _item(one: Mapping[str, Any]) -> tuple[str, ...]:
    name = f"{one['item']} (shadowed)" if one["shadowed"] else one["item"]
    return one["name"], one["environment"], name, one["value"] or "", one["section"], one["since"]["words"]


def _value(one: Mapping[str, Any]) -> tuple[str, ...]:
    hosts = ", ".join(f"{count} in {environment}" for environment, count in sorted(one["hosts"].items()))
    return one["item"], one["value"] or "", one["kind"], hosts


def changes(
    of: Annotated[str, typer.Argument(metavar="SELECTOR", help="env:prod, env:prod,role=web or host:web-1")],
    since: Annotated[str, typer.Option(help="From this moment on: 2026-11-01T02:00 (UTC), or yesterday.")] = "",
    until: Annotated[str, typer.Option(help="Up to this moment.")] = "",
    section: Annotated[str, typer.Option(help="Only in this section and below it: os-packages, python.")] = "",
    item: Annotated[str, typer.Option(help="Only of this item, or a glob of * and ?.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 50,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """What changed on hosts, between which reports and by whom, the newest first.

    envparity hosts changes host:web-1

    envparity hosts changes env:prod --since 2026-11-01T02:00 --section os-packages
    """
    asked = {"of": of, "since": since, "until": until, "section": section, "item": item, "limit": str(limit)}
    with asking(server, token_file) as client:
        found = client.ask("GET", "/changes", {name: text for name, text in asked.items() if text})
    if json:
        say_json(found)
    elif not found["changes"]:
        say("no change is known")
    else:
        say_table(
            ("when", "host", "severity", "section", "item", "what", "who"),
            [
                (
                    one["when"]["words"], one["name"], styled(one["severity"], one["severity"]), one["section"] or "",
                    _what(one), one["words"], one["actor"],
                )
                for one in found["changes"]
            ],
        )  # fmt: skip
    note_more(len(found["changes"]), found["total"])
    for text in found["notes"]:
        note(text)


def _what(change: Mapping[str, Any]) -> str:
    return str(change["item"] or ("the whole section" if change["section"] else "the whole report"))
