"""The verbs of `envparity drifts`: the inbox of what differs in the fleet, and what people decide about it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Json, Server, TokenFile
from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, say, say_columns, say_json, say_table, styled
from envparity_server.cli.asking import asking, checked

app = typer.Typer(
    no_args_is_help=True, help="See what differs in the fleet, and decide about it.", rich_markup_mode=None
)

Id = Annotated[str, typer.Argument(help="The drift's id, as `list` tells it.")]
Ids = Annotated[list[str], typer.Argument(help="The ids of drifts, as `list` tells them.")]
_STATE = "open, all, settling, new, ongoing, acknowledged, snoozed, resolved or regressed."


@app.command("list")
def list_drifts(
    state: Annotated[str, typer.Option(help=_STATE)] = "open",
    severity: Annotated[str, typer.Option(help="The lowest: info, low, medium, high, critical.")] = "info",
    environment: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List what differs, one line for each cause: the most severe and then the newest first.

    envparity drifts list --environment prod --severity medium
    """
    query = {"state": state, "severity": severity, "limit": "1000"}
    if environment:
        query["environment"] = environment
    with asking(server, token_file) as client:
        found = client.ask("GET", "/drifts", query)
    if json:
        say_json(found)
        return
    if not found["drifts"]:
        note(f"no drift that is {state}" if state not in ("open", "all") else "no drift")
        return
    say_table(("id", "severity", "state", "what"), (_row(one) for one in found["drifts"]))
    if found["total"] > len(found["drifts"]):
        note(f"and {found['total'] - len(found['drifts'])} more: --severity, --environment")


@app.command()
def show(id: Id, json: Json = False, server: Server = None, token_file: TokenFile = None) -> None:
    """Show one drift with its hosts and items.

    envparity drifts show 5b7a863f2a9c0d1e
    """
    with asking(server, token_file) as client:
        found = client.ask("GET", f"/drifts/{_checked(id)}")
    if json:
        say_json(found)
        return
    say(f"{found['id']}  {found['words']}", "bold")
    say_columns((f"  {name}", value) for name, value in _facts(found) if value)
    if found["items"]:
        say_table(("  item", "attribute", "theirs", "reference", "hosts"), (_item(one) for one in found["items"]))


@app.command()
def acknowledge(
    ids: Ids,
    reason: Annotated[str, typer.Option(help="Why it is fine as it is.")],
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Say that drifts are known, and why. They are resolved by themselves when nothing of them is left.

    envparity drifts acknowledge 5b7a863f2a9c0d1e --reason 'a hotfix, released with shop 1.5'
    """
    _decide("acknowledge", ids, json, server, token_file, reason=reason)


@app.command()
def snooze(
    ids: Ids,
    until: Annotated[str, typer.Option(metavar="MOMENT", help="2026-12-01 or 2026-12-01T08:00 (UTC).")],
    reason: Annotated[str, typer.Option(help="Why it can wait.")],
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Take drifts out of the inbox until a moment.

    envparity drifts snooze 5b7a863f2a9c0d1e --until 2026-12-01 --reason 'after the release'
    """
    _decide("snooze", ids, json, server, token_file, reason=reason, until=_moment(until))


@app.command()
def reopen(ids: Ids, json: Json = False, server: Server = None, token_file: TokenFile = None) -> None:
    """Take back what was decided about drifts.

    envparity drifts reopen 5b7a863f2a9c0d1e
    """
    _decide("reopen", ids, json, server, token_file)


def _decide(decision: str, ids: list[str], json: bool, server: str | None, token_file: str | None, **more: str) -> None:
    """Decide about drifts as they are now; the server refuses if one moved on meanwhile."""
    with asking(server, token_file) as client:
        seen = [client.ask("GET", f"/drifts/{_checked(id)}") for id in dict.fromkeys(ids)]
        which = [{"id": one["id"], "version": one["version"]} for one in seen]
        done = client.ask("POST", "/drifts/decisions", body={"decision": decision, "drifts": which, **more})
    if json:
        say_json(done)
        return
    for one in done["drifts"]:
        say(f"{one['id']}  {one['state']}  {one['words']}")


def _checked(id: str) -> str:
    return checked(id, "drift", "list them: envparity drifts list")


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a moment", "a moment is 2026-12-01 or 2026-12-01T08:00 (UTC)") from None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).isoformat()


def _row(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return one["id"], styled(one["severity"], one["severity"]), one["state"], one["words"]


def _facts(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    decision = f"{one['reason']} ({one['decided_by']})" if one["reason"] else ""
    return [
        ("state", f"{one['state']} since {one['state_since']}" + (f", until {one['until']}" if one["until"] else "")),
        ("severity", one["severity"]),
        ("decided", decision),
        ("held against", one["reference"]),
        ("moved", one["moved"]),
        ("first seen", one["first_seen"]),
        ("last moved", one["last_moved"]),
        ("came again", f"{one['regressions']} times" if one["regressions"] else ""),
        ("hosts", ", ".join(one["hosts"])),
    ]


def _item(one: Mapping[str, Any]) -> tuple[str, ...]:
    name, attribute = one["item"] or "the whole section", one["attribute"] or ""
    return f"  {name}", attribute, _told(one["left"]), _told(one["right"]), str(len(one["hosts"]))


def _told(value: Any) -> str:
    if value is None:
        return "not there"
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)
