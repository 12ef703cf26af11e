"""The verbs of `envparity hosts`: list, show, rename, label, move and retire hosts, by the server's API."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Json, Server, TokenFile
from envparity_agent.client import Client
from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, say, say_json, say_table
from envparity_server.cli.asking import asking, every
from envparity_server.cli.hosts_items import changes, having
from envparity_server.cli.hosts_tags import tags

hosts = typer.Typer(no_args_is_help=True, help="The hosts that report: list them, name them, retire them.")
hosts.command()(having)
hosts.command()(changes)
hosts.command()(tags)

HostName = Annotated[str, typer.Argument(metavar="HOST", help="The host's name, or its id.")]


@hosts.command("list")
def list_hosts(
    words: Annotated[list[str] | None, typer.Argument(help="Words of the name, environment or labels.")] = None,
    environment: Annotated[str, typer.Option(help="Those of one environment.")] = "",
    label: Annotated[list[str] | None, typer.Option(help="Those with a label, repeatable: role=web")] = None,
    state: Annotated[
        str, typer.Option(help="fresh, stale, never reported, expired or retired; the last two only so.")
    ] = "",
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List hosts with their last report.

    envparity hosts list --environment prod --label role=web --state stale
    """
    query: dict[str, str | Sequence[str]] = {
        "environment": environment,
        "label": label or [],
        "q": " ".join(words or []),
    }
    if state:
        query["state"] = state
    with asking(server, token_file) as client:
        found = every(client, "hosts", query)
    if json:
        say_json({"hosts": found, "total": len(found)})
        return
    if found:
        say_table(
            ("HOST", "ENVIRONMENT", "LABELS", "STATE", "LAST REPORT", "ID"),
            (
                (
                    one["name"], one["environment"], _labels(one), _state(one), one["seen_at"] or "none", one["id"],
                )
                for one in found
            ),
        )  # fmt: skip
    _note_all(found)
    note(f"{len(found)} hosts" if len(found) != 1 else "1 host")


def _labels(one: dict[str, Any]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(one["labels"].items()))


def _state(one: dict[str, Any]) -> str:
    return f"{one['state']}, ephemeral" if one["ephemeral"] else str(one["state"])


def _note_all(found: list[dict[str, Any]]) -> None:
    for one in found:
        for text in one["notes"]:
            note(f"{one['name']} ({one['id']}) {text}")


def _known(client: Client, name: str) -> dict[str, Any]:
    """The one host of a name or id; raises UsageError where there is none, or several."""
    found: list[dict[str, Any]] = list(client.ask("GET", "/hosts", {"name": name})["hosts"])
    if not found:
        raise UsageError(f"no host {name}", "look at them: envparity hosts list; a retired one is named by its id")
    if len(found) > 1:
        ids = ", ".join(one["id"] for one in found)
        raise UsageError(f"several hosts are called {name}", f"name one by its id: {ids}")
    return found[0]


@hosts.command()
def show(name: HostName, json: Json = False, server: Server = None, token_file: TokenFile = None) -> None:
    """Tell how one host stands.

    envparity hosts show web-1
    """
    with asking(server, token_file) as client:
        one = _known(client, name)
    if json:
        say_json(one)
        return
    facts = {
        **{key: one[key] for key in ("name", "id", "environment")},
        "labels": _labels(one) or "none",
        "state": _state(one),
        "last report": one["seen_at"] or "none",
        "interval": f"{one['interval']} s",
        "clock": "not known" if one["skew"] is None else f"{one['skew']:+d} s",
        "agent": one["agent"] or "not told",
        "root": one["root"] or "none",
        "enrolled": one["enrolled_at"],
        "expires": one["expires_at"] or "never",
        "retired": one["retired_at"] or "no",
    }
    for key, value in facts.items():
        say(f"{key:<12} {value}")
    _note_all([one])


@hosts.command()
def rename(
    name: HostName,
    new: Annotated[str, typer.Argument(help="What it is called from now on.")],
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Give a host another name; its history stays with it.

    envparity hosts rename web-1 web-01
    """
    _change(name, {"name": new}, json, server, token_file)


def _change(name: str, body: dict[str, Any], json: bool, server: str | None, token_file: str | None) -> None:
    with asking(server, token_file) as client:
        one = client.ask("PATCH", f"/hosts/{_known(client, name)['id']}", body=body)
    _tell(one, json)


def _tell(one: dict[str, Any], json: bool) -> None:
    if json:
        say_json(one)
    else:
        say(f"{one['name']}  {one['environment']}  {_labels(one) or 'no label'}  {_state(one)}")


@hosts.command()
def label(
    name: HostName,
    labels: Annotated[list[str], typer.Argument(help="KEY=VALUE sets one, KEY- takes one away.")],
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Set labels of a host, or take them away; the others stay.

    envparity hosts label web-1 role=web zone-
    """
    wanted: dict[str, str | None] = {}
    for text in labels:
        key, separator, value = text.partition("=")
        if separator and key and value:
            wanted[key] = value
        elif not separator and len(text) > 1 and text.endswith("-"):
            wanted[text[:-1]] = None
        else:
            raise UsageError(f"{text} is neither KEY=VALUE nor KEY-", "role=web sets it, role- takes it away")
    _change(name, {"labels": wanted}, json, server, token_file)


@hosts.command()
def move(
    name: HostName,
    environment: Annotated[str, typer.Argument(help="The environment that it belongs to from now on.")],
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Move a host to another environment, with its history.

    envparity hosts move web-1 prod
    """
    _change(name, {"environment": environment}, json, server, token_file)


@hosts.command()
def retire(
    names: Annotated[list[str], typer.Argument(metavar="HOST...", help="Names or ids.")],
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """End hosts: their credentials are revoked, no selector names them, their history stays.

    envparity hosts retire web-1 web-2
    """
    with asking(server, token_file) as client:
        known = [_known(client, name)["id"] for name in names]  # nothing is done where one of them is misspelt
        for host_id in known:
            _tell(client.ask("POST", f"/hosts/{host_id}/retire"), json)
