"""The verbs of `envparity gates`: what gates answered, what an operator accepts, and badges that show it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Json, Server, TokenFile
from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, say, say_columns, say_json, say_table, styled
from envparity_server.cli.asking import asking, note_more
from envparity_server.gating.model import Finding, Report, Standing, read_report

app = typer.Typer(
    no_args_is_help=True, help="See what gates answered in pipelines, and decide about it.", rich_markup_mode=None
)

_VERDICTS = {"parity": "green", "drift": "red", "unknown": "magenta"}
_SHOWN = 20  # differences that fail
_OTHERS = {
    Standing.DECLARED: "declared",
    Standing.EXPECTED: "expected by rules",
    Standing.KNOWN: "known from the last accepted run",
    Standing.BELOW: "under the threshold",
    Standing.UNKNOWN: "could not be told",
}

Id = Annotated[str, typer.Argument(help="The run's number, as `list` and the gate itself tell it.")]
Repository = Annotated[str, typer.Option(help="As the pipeline tells it: acme/shop.")]
Ref = Annotated[str, typer.Option(help="The branch or tag.")]


@app.command("list")
def list_runs(
    repository: Repository = "",
    ref: Ref = "",
    verdict: Annotated[str, typer.Option(help="parity, drift or unknown.")] = "",
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 50,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List runs of gates, the newest first.

    envparity gates list --repository acme/shop --verdict drift
    """
    asked = {"repository": repository, "ref": ref, "verdict": verdict, "limit": str(limit)}
    with asking(server, token_file) as client:
        found = client.ask("GET", "/gate-runs", {name: value for name, value in asked.items() if value})
    if json:
        say_json(found)
        return
    if not found["runs"]:
        note("no run of a gate")
        return
    say_table(("run", "verdict", "repository", "ref", "against", "when", "what"), map(_row, found["runs"]))
    note_more(len(found["runs"]), found["total"])


@app.command()
def show(
    id: Id,
    all: Annotated[bool, typer.Option("--all", help="Every difference, also what is accounted for.")] = False,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Show one run: what fails, the likely causes with their remedies, and what could not be told.

    envparity gates show 41
    """
    with asking(server, token_file) as client:
        found = client.ask("GET", f"/gate-runs/{_checked(id)}")
    if json:
        say_json(found)
        return
    say(f"run {found['id']}  {found['verdict']}  {found['summary']}", "bold")
    say_columns((f"  {name}", value) for name, value in _facts(found) if value)
    _say_report(read_report(found["report"]), all)


@app.command()
def accept(
    id: Id,
    reason: Annotated[str, typer.Option(help="Why it is fine as it is.")],
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Accept what a run found: `envparity gate --new-only` counts only what comes beside it.

    envparity gates accept 41 --reason 'the new base image is meant'
    """
    with asking(server, token_file) as client:
        done = client.ask("POST", f"/gate-runs/{_checked(id)}/accept", body={"reason": reason})
    if json:
        say_json(done)
        return
    taken = done["accepted"]
    say(f"run {done['id']} was accepted by {taken['by']}: {taken['reason']}")


@app.command()
def badge(
    repository: Repository = "",
    ref: Ref = "",
    against: Annotated[str, typer.Option(metavar="SELECTOR", help="The reference: env:prod.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take it away: its address ends.")] = False,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Make a badge of the newest verdict; prints its address, which nobody can guess. Without options, list badges.

    Whoever has the address sees the verdict and its age, without a login. Made again, the earlier address ends.

    envparity gates badge --repository acme/shop --ref main --against env:prod

    envparity gates badge --repository acme/shop --ref main --against env:prod --remove
    """
    shown = {"repository": repository, "ref": ref, "against": against}
    if bool(repository) != bool(against) or (not repository and (ref or remove)):
        raise UsageError("a badge is of a repository against a reference", "give --repository and --against")
    with asking(server, token_file) as client:
        if not repository:
            _say_badges(client.ask("GET", "/gate-badges", {"limit": "1000"})["badges"], json)
            return
        query, body = (shown, None) if remove else (None, shown)
        done = client.ask("DELETE" if remove else "PUT", "/gate-badges", query, body)
    if json:
        say_json(done)
    elif remove:
        say(f"{done['removed']}: the badge was removed")
    else:
        say(done["address"])
        note("the server tells it this once; whoever has it sees the newest verdict and its age")


def _say_badges(found: list[Mapping[str, Any]], json: bool) -> None:
    if json:
        say_json({"badges": found, "total": len(found)})
    elif not found:
        note("no badge")
    else:
        rows = ((one["repository"], one["ref"], one["against"], one["created_by"]) for one in found)
        say_table(("repository", "ref", "against", "made by"), rows)


def _checked(id: str) -> str:
    """A number as part of an address; raises UsageError for what is none."""
    text = id.removeprefix("run ").strip()
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{id!r} is no number of a run", "list them: envparity gates list")
    return text


def _row(one: Mapping[str, Any]) -> tuple[Any, ...]:
    verdict = one["verdict"] + (", accepted" if one["accepted"] else "")
    told = styled(verdict, _VERDICTS[one["verdict"]])
    return one["id"], told, one["repository"], one["ref"], one["against"], _minute(one["at"]), one["summary"]


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _facts(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    taken = one["accepted"]
    return [
        ("repository", " ".join(part for part in (one["repository"], one["ref"], one["commit"]) if part)),
        ("pipeline", one["link"]),
        ("subject", f"{one['subject']} against {one['against']}" + (f", {one['scope']}" if one["scope"] else "")),
        ("asked by", f"{one['told_by']}, {_minute(one['at'])} UTC"),
        ("accepted", f"by {taken['by']}, {_minute(taken['at'])} UTC: {taken['reason']}" if taken else ""),
    ]


def _say_report(report: Report, everything: bool) -> None:
    for cause in report.causes:
        say(f"{cause.rank}. {cause.item or cause.section}: {'; '.join(cause.reasons)}")
        for step in cause.steps:
            say(f"     {step}")
    failing = report.standing(Standing.FAILS)
    shown = failing if everything else failing[:_SHOWN]
    _say_findings(shown)
    if len(failing) > len(shown):
        note(f"{len(failing) - len(shown)} more differences fail: --all")
    for standing, words in _OTHERS.items():
        found = report.standing(standing)
        if found:
            say(f"{len(found)} {words}")
        if everything:
            _say_findings(found)
    for reason in report.reasons:
        say(f"not told: {reason}")


def _say_findings(found: Sequence[Finding]) -> None:
    if found:
        say_columns(_finding(one) for one in found)


def _finding(one: Finding) -> tuple[Any, ...]:
    name = one.item or "the whole section"
    why = "; ".join(part for part in (one.origin, one.why) if part)
    return styled(f"  {one.severity:<8}", one.severity), one.section, name, one.words, why
