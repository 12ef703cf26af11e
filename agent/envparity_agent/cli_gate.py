"""The verb `gate`: fingerprints here, asks the server for its verdict, and exits by it."""

from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Docker, Json, NoRules, RootDirectory, RulesFile, Server, TokenFile, options
from envparity_agent.client import Client
from envparity_agent.config import read_token, server_address
from envparity_agent.errors import CannotTell
from envparity_agent.project import read_project
from envparity_agent.targets import fingerprint
from envparity_agent.terminal import progress, say, say_json

EXIT_CODES = {"parity": 0, "drift": 1, "unknown": 3}
_MOST = 20  # lines of one kind on the screen


def gate(
    against: Annotated[str, typer.Option(help="The reference: env:prod,role=web, host:NAME or baseline:NAME.")],
    target: Annotated[str, typer.Option(help="What is judged: local, a venv, container:NAME, ...")] = "local",
    app: Annotated[str, typer.Option(help="Only what belongs to this application.")] = "",
    only: Annotated[str, typer.Option(help="Only these kinds or paths: python,container or python/*.")] = "",
    fail_on: Annotated[
        str, typer.Option(help="Lowest severity that fails: info, low, medium, high, critical.")
    ] = "low",
    rules: RulesFile = None,
    no_rules: NoRules = False,
    json: Json = False,
    root: RootDirectory = "/",
    docker: Docker = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Stop a pipeline on drift: exit 0 parity, 1 drift, 2 wrong question, 3 cannot tell.

    envparity gate --against env:prod --only python,container

    envparity gate --against env:prod --target .venv --fail-on medium

    What a rule of the project's envparity.toml, or of the server, expects does not fail, and is counted.
    """
    project = read_project(rules, not no_rules)
    address, token = server_address(server), read_token(token_file)
    with progress() as report:
        found = fingerprint(target, options(root, docker, report))
        report(f"asking {address}")
        question = {
            "against": against,
            "app": app,
            "only": only,
            "fail_on": fail_on,
            "rules": project.rules,
            "severity": project.severity,
        }
        with Client(address, token) as client:
            verdict = client.gate(found, question)
    if verdict.get("verdict") not in EXIT_CODES:
        raise CannotTell(f"{address} gave no verdict", "check that it is an envparity server of this version")
    if json:
        say_json(verdict)
    else:
        _print(verdict)
    raise typer.Exit(EXIT_CODES[verdict["verdict"]])


def _print(verdict: dict[str, Any]) -> None:
    outcome = verdict["verdict"]
    say(f"{outcome}: {verdict.get('summary', '')}", {"parity": "bold green"}.get(outcome, "bold red"))
    for difference in verdict["differences"][:_MOST]:
        place = " ".join(filter(None, (difference["section"], difference["item"])))
        say(f"  {difference['severity']:<8}  {place}: {difference.get('words', difference['state'])}")
    _more(len(verdict["differences"]), "all of them: --json")
    for rule in verdict.get("rules", ()):
        say(f"  expected: {rule['expected']} by the rule {rule['rule']}: {rule['reason']}", "dim")
    for remark in verdict.get("remarks", ()):
        say(f"  {remark}")
    for pair in verdict.get("paired", ()):
        say(f"  {pair['left']} was held against {pair['right']}: {pair['why']}", "dim")
    if verdict["reasons"]:
        say("cannot tell:" if outcome == "unknown" else "not examined:")
    for reason in verdict["reasons"][:_MOST]:
        say(f"  {reason}")
    _more(len(verdict["reasons"]), "all of them: --json")


def _more(count: int, how: str) -> None:
    if count > _MOST:
        say(f"  and {count - _MOST} more ({how})")
