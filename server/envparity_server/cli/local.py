"""The verbs that compare on this machine: they run on a lean install and need no server."""

import os
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from envparity_agent.cli_options import Docker, Json, NoRules, RootDirectory, RulesFile, Server, TokenFile, options
from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.values import Key
from envparity_agent.errors import CannotTell
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.project import read_project
from envparity_agent.targets import fingerprint
from envparity_agent.terminal import note, progress, say_json
from envparity_server.cli.asking import asking
from envparity_server.cli.text import print_comparison
from envparity_server.compare.differences import compare
from envparity_server.compare.scope import parse_scope
from envparity_server.compare.selectors import is_selector, parse_selector
from envparity_server.drift.rules import Subject, applied, of_project, subject_of
from envparity_server.drift.severity import rate


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

    What a rule of the project's envparity.toml expects is counted, and listed with --all.
    """
    project = read_project(rules, not no_rules)
    own_rules, severities = of_project(project)
    scope = parse_scope(only, app)
    with progress() as report:
        how = options(root, docker, report)
        if _is_read_here(a) and _is_read_here(b):
            how = _keyed(how)
        sides = [_side(text, how, server, token_file) for text in (a, b)]
    (left, one), (right, other) = sides
    comparison = applied(rate(compare(left, right, scope)), own_rules, (one, other), datetime.now(UTC), severities)
    if project.path:
        note(f"with the rules of {project.path}")
    if json:
        say_json(comparison.document())
    else:
        print_comparison(comparison, everything)
    if not comparison.examined:
        raise CannotTell("nothing in scope could be compared", "look at what there is: envparity show")


def _is_read_here(text: str) -> bool:
    """Whether a target is fingerprinted by this run: not a selector, a pipe, or a file that may hold a fingerprint."""
    if text == "local":
        return True
    return not is_selector(text) and text != "-" and (os.path.isdir(text) or not os.path.exists(text))


def _keyed(how: Options) -> Options:
    """With a key: the operator's, else one of this run, so that values which are not told can be told apart."""
    key = how.disclosure.key or Key(secrets.token_bytes(32))
    return replace(how, disclosure=replace(how.disclosure, key=key))


def _side(text: str, how: Options, server: str | None, token_file: str | None) -> tuple[Fingerprint, Subject]:
    """A side, and what rules may know it by."""
    if not is_selector(text):
        found = fingerprint(text, how)
        return found, Subject(found.target.name)
    parse_selector(text, datetime.now(UTC))  # a misspelt one is told before anything is asked
    how.progress(f"asking for {text}")
    with asking(server, token_file) as client:
        found, notes, subject = client.fingerprint(text)
    for one in notes:
        note(f"{text}: {one}")
    return found, subject_of(subject, text)
