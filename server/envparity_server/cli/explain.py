"""The verb `explain`: which difference is to blame for what works here and not there."""

from typing import Annotated

import typer

from envparity_agent.cli_options import Docker, Json, NoRules, RootDirectory, RulesFile, Server, TokenFile, options
from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.project import read_project
from envparity_agent.terminal import note, progress
from envparity_server.cli.explaining import explain_targets, read_failure
from envparity_server.cli.outputs import Outputs, Rendering, deliver, parse_outputs
from envparity_server.compare.scope import parse_scope
from envparity_server.reports.explanation_text import print_explanation
from envparity_server.reports.html import explanation_html
from envparity_server.reports.markdown import explanation_markdown

_TARGET = "local, a venv, root:DIR, container:NAME, image:REF, a file, -, env:NAME, host:NAME, baseline:NAME"


def explain(
    good: Annotated[str, typer.Argument(help=f"Where it works: {_TARGET}")],
    bad: Annotated[str, typer.Argument(help="Where it does not; env:, role=web, host: and baseline: need --server")],
    traceback: Annotated[
        str | None, typer.Option(metavar="FILE", help="What the failing run printed; - for standard input.")
    ] = None,
    app_source: Annotated[
        str | None, typer.Option(metavar="DIR", help="The application's own source; it is read, never run.")
    ] = None,
    app: Annotated[str, typer.Option(help="Only what belongs to this application.")] = "",
    only: Annotated[str, typer.Option(help="Only these kinds or paths: python,container or python/*.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Tell every difference, with all its reasons.")] = False,
    output: Outputs = None,
    rules: RulesFile = None,
    no_rules: NoRules = False,
    json: Json = False,
    root: RootDirectory = "/",
    docker: Docker = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Rank what differs by how likely it is the cause of a failure, with reasons that you can check.

    envparity explain dev/.venv prod/.venv --traceback error.log --app-source src

    envparity explain good.txt bad.txt --json

    envparity explain env:dev env:prod --app shop -o markdown=comment.md

    Exit 0: explained; 2: a wrong question; 3: nothing could be compared.
    """
    outputs = parse_outputs(output, json)
    scope = parse_scope(only, app)
    project = read_project(rules, not no_rules)
    if "-" in (good, bad) and traceback == "-":
        raise UsageError("standard input cannot be both a target and the traceback", "put one of them into a file")
    failure = read_failure(traceback)
    with progress() as report:
        how = options(root, docker, report)
        found = explain_targets(
            good, bad, failure, app_source, how,
            scope=scope, project=project, server=server, token_file=token_file,
        )  # fmt: skip
    if project.path:
        note(f"with the rules of {project.path}")
    result = Rendering(
        text=lambda: print_explanation(found, everything),
        document=found.document,
        markdown=lambda: explanation_markdown(found, everything),
        html=lambda: explanation_html(found, everything),
    )
    deliver(outputs, result)
    if not found.comparison.examined:
        raise CannotTell("nothing in scope could be compared", "look at what there is: envparity show")
