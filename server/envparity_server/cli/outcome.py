"""The verbs of `envparity outcome`: say what failed and what passed, and ask what separates the two."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Docker, Json, RootDirectory, Server, TokenFile, options
from envparity_agent.errors import UsageError
from envparity_agent.targets import fingerprint
from envparity_agent.terminal import note, progress, say, say_json, say_table
from envparity_server.cli.asking import asking, note_more
from envparity_server.compare.selectors import parse_selector
from envparity_server.explain.junit import read_junit

app = typer.Typer(
    no_args_is_help=True, help="Say where a check fails and passes, and ask what separates the two.",
    rich_markup_mode=None,
)  # fmt: skip

_SHOWN = 5  # suspects on the screen
_MOST_CHECKS = 20_000

Check = Annotated[str, typer.Argument(help="The name of the check: smoke, test_checkout, start.")]
Host = Annotated[
    str | None,
    typer.Option("--host", metavar="SELECTOR", help="What its hosts run: host:web-1, env:prod,role=web, with @MOMENT."),
]
JobName = Annotated[str | None, typer.Option("--job", metavar="NAME", help="A pipeline's job instead of hosts.")]
RunId = Annotated[str | None, typer.Option("--run", metavar="ID", help="Which run of the job.")]
Target = Annotated[str, typer.Option(help="What the job runs on: local, a venv, container:NAME, image:REF, ...")]
Environment = Annotated[str | None, typer.Option(help="Whose run of a job it is; ci by default.")]


@app.command("pass")
def passed(
    check: Check,
    host: Host = None,
    job: JobName = None,
    run: RunId = None,
    target: Target = "local",
    environment: Environment = None,
    json: Json = False,
    root: RootDirectory = "/",
    docker: Docker = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Say that a check passes on hosts, or in a job.

    envparity outcome pass smoke --host env:prod,role=web

    envparity outcome pass integration --job tests --run 512 --target .venv
    """
    ran = _ran(host, job, run, environment, target, root, docker)
    _tell({check: "pass"}, ran, json, server, token_file)


@app.command("fail")
def failed(
    check: Check,
    host: Host = None,
    job: JobName = None,
    run: RunId = None,
    target: Target = "local",
    environment: Environment = None,
    json: Json = False,
    root: RootDirectory = "/",
    docker: Docker = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Say that a check fails on hosts, or in a job.

    envparity outcome fail smoke --host host:web-1@2026-11-01T02:00

    envparity outcome fail integration --job tests --run 512 --target .venv
    """
    ran = _ran(host, job, run, environment, target, root, docker)
    _tell({check: "fail"}, ran, json, server, token_file)


@app.command()
def junit(
    file: Annotated[str, typer.Argument(help="The report that the test runner wrote.")],
    host: Host = None,
    job: JobName = None,
    run: RunId = None,
    target: Target = "local",
    environment: Environment = None,
    json: Json = False,
    root: RootDirectory = "/",
    docker: Docker = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Say what each test of a JUnit report did.

    envparity outcome junit report.xml --job tests --run 512 --target .venv
    """
    found = {check: "fail" if has_failed else "pass" for check, has_failed in read_junit(_text(file), file).items()}
    if len(found) > _MOST_CHECKS:
        raise UsageError(f"{file} has {len(found)} test cases, over {_MOST_CHECKS}", "split the report")
    _tell(found, _ran(host, job, run, environment, target, root, docker), json, server, token_file)


def _text(file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except (OSError, ValueError) as problem:  # ValueError: a name with NUL, or bytes that are no UTF-8
        raise UsageError(f"cannot read {file}: {problem}", "give the file that the test runner wrote") from None


def _ran(
    host: str | None,
    job: str | None,
    run: str | None,
    environment: str | None,
    target: str,
    root: str,
    docker: str | None,
) -> dict[str, Any]:
    """What the outcomes are about, as the server is told it."""
    if (host is None) == (job is None) or (job is None) != (run is None):
        raise UsageError("say what ran", "--host host:web-1 for what an agent reports, or --job NAME --run ID")
    if host is not None:
        parse_selector(host, datetime.now(UTC))  # a misspelt one is told before anything is asked
        return {"hosts": host}
    with progress() as report:
        found = fingerprint(target, options(root, docker, report))
    return {"job": job, "run": run, "environment": environment, "fingerprint": found.document()}


def _tell(
    outcomes: Mapping[str, str], ran: Mapping[str, Any], json: bool, server: str | None, token_file: str | None
) -> None:
    with asking(server, token_file) as client:
        told = client.tell_outcomes({**ran, "outcomes": dict(outcomes)})
    if json:
        say_json(told)
        return
    counted = {word: sum(one == word for one in outcomes.values()) for word in ("fail", "pass")}
    what = next(iter(outcomes)) if len(outcomes) == 1 else f"{len(outcomes)} checks"
    words = ", ".join(f"{count} {word}" for word, count in counted.items() if count)
    say(f"{what} on {', '.join(told['labelled'])}: {words if len(outcomes) > 1 else next(iter(outcomes.values()))}")
    for one in told["notes"]:
        note(one)


@app.command("list")
def list_outcomes(
    check: Annotated[str, typer.Argument(help="Only of this check.")] = "",
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """The newest outcomes that were told.

    envparity outcome list smoke
    """
    with asking(server, token_file) as client:
        found = client.ask("GET", "/outcomes", {"check": check, "limit": "200"})
    if json:
        say_json(found)
    elif not found["outcomes"]:
        say("no outcome was told; tell one: envparity outcome fail smoke --host host:NAME")
    else:
        say_table(
            ("check", "outcome", "on", "environment", "at"),
            [
                (one["check"], one["outcome"], one["subject"], one["environment"], one["at"][:16])
                for one in found["outcomes"]
            ],
        )
        note_more(len(found["outcomes"]), found["total"])


@app.command()
def explain(
    check: Check,
    of: Annotated[str, typer.Option(metavar="SELECTOR", help="Only these hosts, until the moment.")] = "",
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """What separates failing from passing runs.

    envparity outcome explain smoke --of env:prod
    """
    with asking(server, token_file) as client:
        found = client.ask("GET", "/explain/outcomes", {"check": check, "of": of})
    if json:
        say_json(found)
        return
    say(f"{check}: {found['failing']} failing, {found['passing']} passing", "bold")
    if found["doubt"]:
        say(found["doubt"])
    for one in found["suspects"][:_SHOWN]:
        _say_suspect(one)
    note_more(min(_SHOWN, len(found["suspects"])), len(found["suspects"]))
    if found["next"]:
        say("try next:", "bold")
    for one in found["next"]:
        say(f"  {one['words']} ({one['bits']} bits)")


def _say_suspect(one: Mapping[str, Any]) -> None:
    sure = "" if one["significant"] else ", not significant"
    say(f"{one['rank']}. {one['words']}", "" if one["significant"] else "dim")
    say(f"   probability {one['belief']}; by chance {one['corrected']} (Fisher, Holm){sure}", "dim")
    say(f"   in {', '.join(sorted({claim['section'] for claim in one['claims']}))}", "dim")
    for near in one["nearby"][:2]:
        say(f"   nearly the same: {near}", "dim")
