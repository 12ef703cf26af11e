"""The verbs that compare on this machine: they run on a lean install and need no server."""

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from envparity_agent.cli_options import Docker, Json, NoRules, RootDirectory, RulesFile, Server, TokenFile, options
from envparity_agent.errors import CannotTell
from envparity_agent.project import FILE, read_project
from envparity_agent.terminal import note, progress
from envparity_server.cli.outputs import FORMATS, AllOutputs, Rendering, deliver, parse_outputs
from envparity_server.cli.report_outputs import formats_for_tools
from envparity_server.cli.sides import keyed, side
from envparity_server.compare.differences import compare
from envparity_server.compare.scope import parse_scope
from envparity_server.drift.rules import applied, of_project
from envparity_server.drift.severity import rate
from envparity_server.reports.comparisons import report_of
from envparity_server.reports.html import comparison_html
from envparity_server.reports.markdown import comparison_markdown
from envparity_server.reports.text import print_comparison


def diff(
    a: Annotated[
        str,
        typer.Argument(
            help="local, a venv, root:DIR, container:NAME, image:REF, a file, -, env:NAME, host:NAME, baseline:NAME"
        ),
    ],
    b: Annotated[str, typer.Argument(help="the same; env:, role=web, host: and baseline: need --server")],
    app: Annotated[str, typer.Option(help="Only what belongs to this application.")] = "",
    only: Annotated[str, typer.Option(help="Only these kinds or paths: python,container or python/*.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Fold nothing: list every difference.")] = False,
    rules: RulesFile = None,
    no_rules: NoRules = False,
    json: Json = False,
    output: AllOutputs = None,
    root: RootDirectory = "/",
    docker: Docker = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Compare any two targets: only what differs, and what was not examined.

    envparity diff .venv container:web

    envparity diff uv.lock .venv

    envparity diff Dockerfile container:web

    envparity diff env:dev env:prod --json

    envparity diff .venv container:web -o text -o html=diff.html

    What a rule of the project's envparity.toml expects is counted, and listed with --all.
    """
    outputs = parse_outputs(output, json, FORMATS)
    project = read_project(rules, not no_rules)
    own_rules, severities = of_project(project)
    scope = parse_scope(only, app)
    with progress() as report:
        how = keyed(options(root, docker, report), (a, b))
        sides = [side(text, how, server, token_file) for text in (a, b)]
    (left, one), (right, other) = sides
    comparison = applied(rate(compare(left, right, scope)), own_rules, (one, other), datetime.now(UTC), severities)
    if project.path:
        note(f"with the rules of {project.path}")
    result = Rendering(
        text=lambda: print_comparison(comparison, everything),
        document=comparison.document,
        markdown=lambda: comparison_markdown(comparison),
        html=lambda: comparison_html(comparison),
        for_tools=formats_for_tools(lambda: report_of(comparison), _file(a, b)),
    )
    deliver(outputs, result)
    if not comparison.examined:
        raise CannotTell("nothing in scope could be compared", "look at what there is: envparity show")


def _file(*targets: str) -> str:
    """Where a finding is shown that no file says: the file that is compared, or what tells the project's rules."""
    return next((one for one in targets if os.path.isfile(one)), FILE)
