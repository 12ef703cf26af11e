"""The verbs of `envparity server channel`: where notifications go, a test of each, and what was delivered."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from envparity_agent.cli_options import Json
from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.terminal import note, say, say_json, say_table, styled
from envparity_server.cli.database import Database, local_actor, ready
from envparity_server.compare.model import Severity
from envparity_server.drift.severity import parse_severity
from envparity_server.notify import managing, queue
from envparity_server.notify.senders import WAYS, check_address, masked
from envparity_server.settings import server_settings
from envparity_server.storage import channels, deliveries
from envparity_server.storage.channels import Channel
from envparity_server.storage.database import reading, writing

app = typer.Typer(no_args_is_help=True, help="Where notifications go: webhooks, and Slack, mail and more by Apprise.")

_MOST = 1000

Name = Annotated[str, typer.Argument(help="The name of the channel.")]


@app.command("list")
def list_channels(json: Json = False, database_url: Database = None) -> None:
    """List the channels; of an address only as much as is no secret.

    envparity server channel list
    """
    with reading(ready(database_url)) as connection:
        found = channels.all_channels(connection)
    if json:
        shown = [
            {"name": one.name, "kind": one.kind, "address": masked(one.address), "hosts": one.hosts,
             "severity": Severity(one.severity).word, "enabled": one.enabled}
            for one in found
        ]  # fmt: skip
        return say_json({"channels": shown, "total": len(found)})
    if not found:
        return note("no channel: envparity server channel add tells how to make one")
    rows = ((one.name, one.kind, masked(one.address), one.hosts or "all", Severity(one.severity).word,
             "yes" if one.enabled else "no") for one in found)  # fmt: skip
    return say_table(("NAME", "KIND", "ADDRESS", "HOSTS", "FROM", "ENABLED"), rows)


@app.command()
def add(
    kind: Annotated[str, typer.Argument(help=f"How it is sent: {' or '.join(WAYS)}.")],
    name: Name,
    address_file: Annotated[
        str, typer.Option(metavar="FILE", help="The file that holds the address, which may be a secret; - for stdin.")
    ],
    hosts: Annotated[str, typer.Option(metavar="SELECTOR", help="Only for these hosts: env:prod,role=web")] = "",
    severity: Annotated[str, typer.Option(help="Tell nothing below this severity.")] = "medium",
    database_url: Database = None,
) -> None:
    """Add a channel; for a webhook the secret that signs what is sent is printed, once.

    echo https://hooks.example.com/envparity | envparity server channel add webhook ops --address-file -

    envparity server channel add apprise slack --address-file slack-url --hosts env:prod --severity high
    """
    settings, now = server_settings(database_url=database_url), datetime.now(UTC)
    engine, address = ready(database_url), _read(address_file)
    lowest = parse_severity(severity, f"{severity[:40]!r}")
    check_address(kind, address, settings.webhook_networks)
    new = managing.planned(local_actor(), name, kind, address, hosts, lowest, now)
    with writing(engine) as connection:
        managing.add(connection, local_actor(), new, now)
    note(f"added {name}: envparity server channel test {name}")
    if new.secret:
        note("the secret for the receiver, shown this once:")
        say(new.secret)


@app.command("test")
def try_channel(name: Name, database_url: Database = None) -> None:
    """Send a test to a channel at once, and say how it ended.

    envparity server channel test ops
    """
    settings = server_settings(database_url=database_url)
    engine = ready(database_url)
    with reading(engine) as connection:
        one = _found(connection, name)
    outcome = queue.send_test(engine, one, datetime.now(UTC), settings.webhook_networks, settings.public_url)
    if not outcome.delivered:
        raise CannotTell(outcome.words, "envparity server channel deliveries")
    say(outcome.words)


@app.command()
def remove(name: Name, database_url: Database = None) -> None:
    """Remove a channel with its log.

    envparity server channel remove ops
    """
    with writing(ready(database_url)) as connection:
        managing.remove(connection, local_actor(), _found(connection, name), datetime.now(UTC))
    note(f"removed {name}")


@app.command("deliveries")
def list_deliveries(
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this channel.")] = None,
    state: Annotated[str | None, typer.Option(help=f"Only those that are: {', '.join(deliveries.STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="How many of the newest.")] = 50,
    json: Json = False,
    database_url: Database = None,
) -> None:
    """List what was told to whom, the newest first: how often it was tried, and what went wrong.

    envparity server channel deliveries --state "given up"
    """
    if state is not None and state not in deliveries.STATES:
        raise UsageError(f"{state[:40]!r} is no state of a delivery", f"states: {', '.join(deliveries.STATES)}")
    with reading(ready(database_url)) as connection:
        named = [_found(connection, channel)] if channel else channels.all_channels(connection)
        found, total = deliveries.log(connection, [one.name for one in named], state, limit)
    if json:
        shown = [
            {"id": one.id, "channel": one.channel, "drift": one.drift, "event": one.event, "title": one.title,
             "state": one.state, "tries": one.tries, "problem": one.problem, "made_at": one.made_at.isoformat()}
            for one in found
        ]  # fmt: skip
        return say_json({"deliveries": shown, "total": total})
    if not found:
        return note("nothing was told yet")
    rows = ((f"{one.made_at:%Y-%m-%d %H:%M}", one.channel, styled(one.title), one.state, str(one.tries),
             one.problem or "") for one in found)  # fmt: skip
    return say_table(("MADE (UTC)", "CHANNEL", "WHAT", "STATE", "TRIES", "PROBLEM"), rows)


def _found(connection: Connection, name: str) -> Channel:
    one = channels.by_name(connection, name)
    if one is None:
        raise UsageError(f"there is no channel {name}", "envparity server channel list")
    return one


def _read(path: str) -> str:
    try:
        text = sys.stdin.read(4096) if path == "-" else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"cannot read {path}: {problem}") from None
    if not text.strip():
        raise UsageError(f"{path} holds no address")
    return text.strip()
