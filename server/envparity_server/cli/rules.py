"""The verbs of `envparity rules`: what is expected, kept on a server; and whether a project's own file is right."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Json, Server, TokenFile
from envparity_agent.errors import UsageError
from envparity_agent.project import Project, read_project
from envparity_agent.terminal import note, say, say_columns, say_json, say_table
from envparity_server.cli.asking import asking, checked, every
from envparity_server.drift.globs import is_broad
from envparity_server.drift.rules import Rule, Severities, document_of, of_project, rule_of

app = typer.Typer(no_args_is_help=True, help="Say which differences are expected, and why.", rich_markup_mode=None)

Id = Annotated[str, typer.Argument(help="The rule's id, as `list` and `diff` tell it.")]
Match = Annotated[
    str, typer.Argument(help="SECTION, SECTION/ITEM or SECTION/ITEM#ATTRIBUTE with *, ?, []: os-packages/linux-image-*")
]
Hosts = Annotated[str, typer.Option(help="On these hosts only: env:dev, env:dev,role=web, host:web-1.")]
Severity = Annotated[str | None, typer.Option(help="Not expected, but this severe: info, low, medium, high, critical.")]
Expires = Annotated[str | None, typer.Option(metavar="DATE", help="When it ends: 2027-03-01.")]
File = Annotated[str | None, typer.Argument(help="The file; the project's envparity.toml by default.")]
State = Annotated[str | None, typer.Option(help="Only these: active, expired, never-hit.")]


@app.command("list")
def list_rules(state: State = None, json: Json = False, server: Server = None, token_file: TokenFile = None) -> None:
    """List the server's rules, in the order in which they are tried.

    envparity rules list --state never-hit
    """
    with asking(server, token_file) as client:
        found = every(client, "rules", {"state": state} if state else {})
    if json:
        say_json({"rules": found, "total": len(found)})
        return
    if not found:
        note("no rules" + (f" that are {state}" if state else ""))
        return
    say_table(("id", "match", "hosts", "does", "reason", "owner", "ends", "hits"), (_row(one) for one in found))


@app.command()
def show(id: Id, json: Json = False, server: Server = None, token_file: TokenFile = None) -> None:
    """Show one rule.

    envparity rules show 3f2a9c0d1e5b7a86
    """
    with asking(server, token_file) as client:
        _say(client.ask("GET", f"/rules/{_checked(id)}"), json)


@app.command()
def add(
    match: Match,
    reason: Annotated[str, typer.Option(help="Why it is expected.")],
    hosts: Hosts = "",
    owner: Annotated[str, typer.Option(help="Whom to ask about it.")] = "",
    expires: Expires = None,
    severity: Severity = None,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Make a rule on the server; what it hides is told.

    envparity rules add 'os-packages/linux-image-*' --hosts env:dev --reason 'kernels differ by design on laptops'
    """
    wanted = _document(match, hosts, reason, owner, expires, severity)
    with asking(server, token_file) as client:
        made = client.ask("POST", "/rules", body=wanted)
    for warning in made["warnings"]:
        note(warning)
    _say(made["rule"], json)


@app.command()
def preview(
    match: Match,
    hosts: Hosts = "",
    severity: Severity = None,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Tell what a rule would hide of what differs now, and make nothing.

    envparity rules preview 'python/*/setuptools' --hosts env:dev
    """
    wanted = _document(match, hosts, "preview", "", None, severity)
    question = {key: wanted[key] for key in ("match", "hosts", "severity")}
    with asking(server, token_file) as client:
        found = client.ask("POST", "/rules/preview", body=question)
    if json:
        say_json(found)
        return
    say(found["words"], "bold")
    if found["examples"]:
        say_columns(
            (f"  {one['section']}", one["item"], one["words"], f"on {one['hosts']} hosts") for one in found["examples"]
        )
    for warning in found["warnings"]:
        note(warning)


@app.command()
def change(
    id: Id,
    reason: Annotated[str | None, typer.Option(help="Why it is expected.")] = None,
    owner: Annotated[str | None, typer.Option(help="Whom to ask about it.")] = None,
    expires: Expires = None,
    no_end: Annotated[bool, typer.Option("--no-end", help="It does not end.")] = False,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Change a rule's reason, owner or end; what it matches is what it is: for that, make another one.

    envparity rules change 3f2a9c0d1e5b7a86 --expires 2027-06-01
    """
    if expires and no_end:
        raise UsageError("--expires and --no-end exclude each other", "give one of them")
    given = {"reason": reason, "owner": owner, "expires": expires}
    changes = {key: value for key, value in given.items() if value is not None} | ({"expires": None} if no_end else {})
    if not changes:
        raise UsageError("nothing to change", "give --reason, --owner, --expires or --no-end")
    with asking(server, token_file) as client:
        seen = client.ask("GET", f"/rules/{_checked(id)}")
        _say(client.ask("PATCH", f"/rules/{id}", body={"version": seen["version"], **changes}), json)


@app.command()
def remove(id: Id, json: Json = False, server: Server = None, token_file: TokenFile = None) -> None:
    """Remove a rule: what it covered is drift again.

    envparity rules remove 3f2a9c0d1e5b7a86
    """
    with asking(server, token_file) as client:
        _say(client.ask("DELETE", f"/rules/{_checked(id)}"), json)


@app.command("import")
def import_file(file: File = None, json: Json = False, server: Server = None, token_file: TokenFile = None) -> None:
    """Make a file's rules on the server. Again changes nothing; rules that left the file stay: `remove` them.

    envparity rules import envparity.toml
    """
    project, rules, severities = _read(file)
    documents = [{key: value for key, value in document_of(rule).items() if key != "id"} for rule in rules]
    with asking(server, token_file) as client:
        done = client.ask("POST", "/rules/import", body={"rules": documents})
    for warning in done["warnings"]:
        note(warning)
    if severities.entries:
        note(f"[severity] of {project.path} is the project's alone: write a [[rule]] with a severity for the server")
    if json:
        say_json(done)
    else:
        say(f"{done['added']} added, {done['changed']} changed, {done['unchanged']} unchanged")


@app.command()
def check(file: File = None, json: Json = False) -> None:
    """Say whether a project's file is right, and what to look at in it; needs no server.

    envparity rules check envparity.toml
    """
    project, rules, severities = _read(file)
    if json:
        say_json(
            {"file": project.path, "rules": [document_of(one) for one in rules], "severities": len(severities.entries)}
        )
        return
    say(f"{project.path}: {len(rules)} rules, {len(severities.entries)} severities")
    now = datetime.now(UTC)
    for number, rule in enumerate(rules):
        place = project.place("match", number)
        if rule.is_expired(now):
            say(f"{place}: {rule.match} expired on {rule.expires:%Y-%m-%d} and covers nothing")
        if is_broad(rule.match):
            say(f"{place}: {rule.match} fits whatever differs: name a section")


def _read(file: str | None) -> tuple[Project, tuple[Rule, ...], Severities]:
    project = read_project(file)
    if not project.path:
        raise UsageError("no envparity.toml here or above", "name it: envparity rules check FILE")
    return project, *of_project(project)


def _document(
    match: str, hosts: str, reason: str, owner: str, expires: str | None, severity: str | None
) -> dict[str, Any]:
    """A rule as it is sent; what is wrong with it is told before anything is asked."""
    given = {
        "match": match,
        "hosts": hosts,
        "reason": reason,
        "owner": owner,
        "expires": expires,
        "severity": severity,
    }
    return {key: value for key, value in document_of(rule_of(given)).items() if key != "id"}


def _checked(id: str) -> str:
    return checked(id, "rule", "list them: envparity rules list")


def _say(rule: Mapping[str, Any], json: bool) -> None:
    if json:
        say_json(rule)
        return
    told = {
        "does": _does(rule),
        "hosts": rule["hosts"] or "all",
        "reason": rule["reason"],
        "owner": rule["owner"] or "nobody named",
        "ends": _ends(rule),
        "made": f"by {rule['created_by']} at {rule['created_at']}",
        "hits": f"{rule['hits']}" + (f", the last at {rule['last_hit_at']}" if rule["last_hit_at"] else ""),
    }
    say(f"{rule['id']}  {rule['match']}", "bold")
    say_columns((f"  {name}", value) for name, value in told.items())


def _row(rule: Mapping[str, Any]) -> tuple[str, ...]:
    where, hits = rule["hosts"] or "all", str(rule["hits"] or "never")
    return rule["id"], rule["match"], where, _does(rule), rule["reason"], rule["owner"], _ends(rule), hits


def _does(rule: Mapping[str, Any]) -> str:
    return f"is {rule['severity']}" if rule["severity"] else "is expected"


def _ends(rule: Mapping[str, Any]) -> str:
    if not rule["expires"]:
        return "never"
    return f"{rule['expires'][:10]}{' (expired)' if rule['state'] == 'expired' else ''}"
