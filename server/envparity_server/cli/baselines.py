"""The verbs of `envparity baselines`: what hosts are held against, proposed, approved and taken back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Docker, Json, RootDirectory, Server, TokenFile, options
from envparity_agent.errors import UsageError
from envparity_agent.targets import fingerprint
from envparity_agent.terminal import progress, say, say_json, say_table
from envparity_server.cli.asking import asking, every
from envparity_server.compare.selectors import is_selector, parse_selector

app = typer.Typer(no_args_is_help=True, help="What hosts are held against: a reference that people agreed on.")

Name = Annotated[str, typer.Argument(help="The baseline's name.")]
Reason = Annotated[str, typer.Option(help="Why: it is kept beside the decision.")]
Version = Annotated[int | None, typer.Option(help="Which version; by default the one that is to be decided about.")]


@app.command("list")
def list_baselines(json: Json = False, server: Server = None, token_file: TokenFile = None) -> None:
    """The baselines, whom each is for, and which version is the reference.

    envparity baselines list
    """
    with asking(server, token_file) as client:
        found = every(client, "baselines")
    if json:
        say_json({"baselines": found, "total": len(found)})
    elif not found:
        say("no baseline; make one: envparity baselines today env:prod --reason 'the start of watching'")
    else:
        say_table(("name", "for", "approved", "newest", "state"), [_row(one) for one in found])


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    approved = str(one["approved"]) if one["approved"] else "none"
    return one["name"], one["applies_to"], approved, str(one["newest"]), one["versions"][0]["state"]


@app.command()
def show(name: Name, json: Json = False, server: Server = None, token_file: TokenFile = None) -> None:
    """The versions of a baseline: what each was taken of, who proposed and who approved it, and why.

    envparity baselines show shop
    """
    with asking(server, token_file) as client:
        found = client.ask("GET", f"/baselines/{_named(name)}")
    if json:
        say_json(found)
        return
    say(f"{found['name']}  for {found['applies_to']}", "bold")
    say_table(
        ("version", "state", "taken of", "proposed by", "decided by", "reason"),
        [
            (str(one["number"]), one["state"], one["source"], _who(one, "proposed"), _decided(one), one["reason"])
            for one in found["versions"]
        ],
    )


def _who(version: Mapping[str, Any], what: str) -> str:
    if not version[f"{what}_by"]:
        return ""
    return f"{version[f'{what}_by']} {datetime.fromisoformat(version[f'{what}_at']):%Y-%m-%d %H:%M}"


def _decided(version: Mapping[str, Any]) -> str:
    return _who(version, "withdrawn") or _who(version, "approved")


@app.command()
def pin(
    name: Name,
    of: Annotated[
        str,
        typer.Argument(help="env:NAME, host:NAME, with @MOMENT; or local, a venv, a lock, a file, image:REF, -"),
    ],
    reason: Reason,
    hosts: Annotated[
        str | None, typer.Option("--for", metavar="SELECTOR", help="Which hosts it is for; else those it was taken of.")
    ] = None,
    json: Json = False,
    root: RootDirectory = "/",
    docker: Docker = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Propose a reference: what hosts ran at a moment, or what a lock file or an image says. Approve it afterwards.

    envparity baselines pin shop env:prod,role=web@2026-11-01T02:00 --reason "release 4.2"

    envparity baselines pin shop uv.lock --for env:prod,role=web --reason "release 4.2"
    """
    body: dict[str, Any] = {"name": _named(name), "source": of, "reason": reason, "applies_to": hosts}
    if is_selector(of):
        parse_selector(of, datetime.now(UTC))  # a misspelt one is told before anything is asked
    else:
        with progress() as report:
            body["fingerprint"] = fingerprint(of, options(root, docker, report)).document()
    with asking(server, token_file) as client:
        made = client.pin(body)
    _told(made, json, f"version {made['version']} of {name} is proposed: envparity baselines approve {name}")


@app.command()
def today(
    of: Annotated[str, typer.Argument(help="Which hosts: env:NAME, env:NAME,role=web, role=web, env:*")],
    reason: Reason,
    name: Annotated[str, typer.Option(help="The baseline's name.")] = "today",
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Pin each host to what it runs now, approved in one go: a start without noise, only what moves is told.

    envparity baselines today env:prod --reason "the start of watching"
    """
    with asking(server, token_file) as client:
        made = client.ask("POST", f"/baselines/{_named(name)}/today", body={"of": of, "reason": reason})
    _told(made, json, f"{made['hosts']} hosts of {of} are pinned to what they run now: baseline:{name}")


@app.command()
def approve(
    name: Name,
    version: Version = None,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Make the newest version the reference.

    envparity baselines approve shop --version 3
    """
    with asking(server, token_file) as client:
        number = version or client.ask("GET", f"/baselines/{_named(name)}")["newest"]
        found = client.ask("POST", f"/baselines/{_named(name)}/approve", body={"version": number})
    _told(found, json, f"version {number} of {name} is the reference of {found['applies_to']}")


@app.command()
def withdraw(
    name: Name,
    reason: Reason,
    version: Version = None,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Take back a proposal, or the reference: then hosts are held against what most of their peers agree on.

    envparity baselines withdraw shop --reason "it was taken during an outage"
    """
    with asking(server, token_file) as client:
        number = version
        if number is None:
            found = client.ask("GET", f"/baselines/{_named(name)}")
            number = found["newest"] if found["versions"][0]["state"] == "proposed" else found["approved"]
        if number is None:
            raise UsageError(f"{name} has no version to withdraw", f"look at it: envparity baselines show {name}")
        found = client.ask("POST", f"/baselines/{_named(name)}/withdraw", body={"version": number, "reason": reason})
    _told(found, json, f"version {number} of {name} is withdrawn; approved is {found['approved'] or 'none'}")


@app.command()
def remove(name: Name, server: Server = None, token_file: TokenFile = None) -> None:
    """Remove a baseline with all its versions; who decided what stays in the audit log.

    envparity baselines remove shop
    """
    with asking(server, token_file) as client:
        newest = client.ask("GET", f"/baselines/{_named(name)}")["newest"]
        client.ask("DELETE", f"/baselines/{_named(name)}", {"version": str(newest)})
    say(f"baseline {name} is removed")


def _named(name: str) -> str:
    """The name of a baseline as a part of an address: also as a selector has it."""
    found = parse_selector(f"baseline:{name.removeprefix('baseline:')}", datetime.now(UTC))
    if found.text != f"baseline:{found.name}":
        raise UsageError(f"{name} is more than the name of a baseline", f"give {found.name}; a version by --version")
    return found.name


def _told(found: Mapping[str, Any], json: bool, words: str) -> None:
    if json:
        say_json(found)
    else:
        say(words)
