"""The verb `gate`: holds what is here against a reference, and exits by what differs without anyone's word.

Against a selector the server judges: a pipeline's token may ask it that, and not what the fleet has. Against anything
else the judging is done here. Both give one report.
"""

import os
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Docker, Json, NoRules, RootDirectory, RulesFile, Server, TokenFile, options
from envparity_agent.collectors.interface import Options
from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.project import Project, read_project
from envparity_agent.terminal import note, progress
from envparity_server.cli.asking import asking
from envparity_server.cli.declarations import Asked, Files, accepted, locating
from envparity_server.cli.origin import Origin, origin
from envparity_server.cli.outputs import FORMATS, AllOutputs, deliver, parse_outputs
from envparity_server.cli.report_outputs import report_rendering
from envparity_server.cli.strictness import Strictness, strictness
from envparity_server.compare.scope import parse_scope
from envparity_server.compare.selectors import is_selector, parse_selector
from envparity_server.gating.model import DECLARING, Report, located, read_report
from envparity_server.reports.words import EXIT_CODES

_TARGETS = ("root", "container", "image")
_PROJECT_FILE = "envparity.toml"  # where a finding is shown that no file says


def gate(
    against: Annotated[
        str,
        typer.Option(help="The reference: env:prod,role=web, host:NAME, baseline:NAME; or a file, a venv, image:REF."),
    ],
    target: Annotated[str, typer.Option(help="What is judged: local, a venv, a lock, image:REF, ...")] = "local",
    app: Annotated[str, typer.Option(help="Only what belongs to this application.")] = "",
    only: Annotated[str, typer.Option(help="Only these kinds or paths: python,container or python/*.")] = "",
    fail_on: Annotated[
        str, typer.Option(help="Lowest severity that fails: info, low, medium, high, critical.")
    ] = "low",
    declared: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="A lock, Dockerfile or compose file: what it says is meant. Repeatable."),
    ] = None,
    min_coverage: Annotated[str, typer.Option(help="How much of what is asked about has to be compared.")] = "100%",
    max_age: Annotated[str | None, typer.Option(metavar="TIME", help="How old the reference may be: 6h.")] = None,
    new_only: Annotated[bool, typer.Option("--new-only", help="What the last accepted run had does not fail.")] = False,
    accepted_file: Annotated[
        str | None, typer.Option("--accepted", metavar="FILE", help="That run's JSON, where no server keeps it.")
    ] = None,
    on_unknown: Annotated[str, typer.Option(help="fail or warn, where too little could be compared.")] = "fail",
    rules: RulesFile = None,
    no_rules: NoRules = False,
    everything: Annotated[bool, typer.Option("--all", help="Tell every difference, with how it stands.")] = False,
    json: Json = False,
    output: AllOutputs = None,
    repository: Annotated[str, typer.Option(help="Where the run comes from, else what the pipeline says.")] = "",
    ref: Annotated[str, typer.Option(help="Its branch or tag.")] = "",
    commit: Annotated[str, typer.Option(help="Its commit.")] = "",
    link: Annotated[str, typer.Option(metavar="URL", help="Where to read about the run.")] = "",
    root: RootDirectory = "/",
    docker: Docker = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Stop a pipeline on what nobody declared: exit 0 parity, 1 drift, 2 wrong question, 3 cannot tell.

    envparity gate --against env:prod --only python,container

    envparity gate --against env:prod#container/shop.web --target image:shop:new --declared uv.lock

    envparity gate --against uv.lock --target .venv -o text -o sarif=envparity.sarif

    What a rule of the project's envparity.toml, or of the server, expects does not fail, and is counted.
    """
    outputs = parse_outputs(output, json, FORMATS)
    strict = strictness(fail_on, min_coverage, max_age, on_unknown)
    parse_scope(only, app)  # what is wrong is told before anything is read
    on_server = _is_on_server(against)
    known = accepted(accepted_file) if accepted_file is not None else None
    _check_new_only(new_only, known is not None, on_server)
    came_from = origin(Origin(repository, ref, commit, link), os.environ, os.getcwd())
    project = read_project(rules, not no_rules)
    with progress() as tell:
        how = options(root, docker, tell)
        asked = Asked(against, target, app, only, strict, project, tuple(declared or ()))
        if on_server:
            report, files = _on_server(asked, how, came_from, new_only, server, token_file)
        else:
            # here and not above: what compares takes longer to load than all that asks a server
            from envparity_server.cli.gate_here import judged

            report, files = judged(asked, how, known, accepted_file or "")
    if project.path:
        note(f"with the rules of {project.path}")
    if report.findings:
        report = located(report, locating(files))
    code = _exit_code(report, strict)
    deliver(outputs, report_rendering(report, everything, _shown_in(files, project), code), code)
    raise typer.Exit(code)


def _is_on_server(against: str) -> bool:
    """Whether the reference is a server's; raises UsageError for what is neither a selector nor a target's form."""
    kind, separator, _ = against.partition(":")
    no_target = bool(separator) and kind not in _TARGETS and not os.path.exists(against)
    if is_selector(against) or no_target:
        parse_selector(against, datetime.now(UTC))
        return True
    return False


def _check_new_only(new_only: bool, is_given: bool, on_server: bool) -> None:
    if on_server and is_given:
        raise UsageError("the server keeps its accepted runs itself", "give --new-only without --accepted")
    if new_only and not on_server and not is_given:
        raise UsageError(
            "--new-only needs an accepted run", "without a server, give the JSON of one: --new-only --accepted FILE"
        )


def _on_server(
    asked: Asked, how: Options, came_from: Origin, new_only: bool, server: str | None, token_file: str | None
) -> tuple[Report, Files]:
    """The server's judgement; raises CannotTell where it gives none."""
    strict = asked.strict
    with asking(server, token_file) as client:  # before anything is read: who asks nobody need not wait
        found, meant = asked.read(how)
        how.progress(f"asking for {asked.against}")
        question: dict[str, Any] = {
            "against": asked.against,
            "app": asked.app,
            "only": asked.only,
            "fail_on": strict.threshold.word,
            "rules": asked.project.rules,
            "severity": asked.project.severity,
            "declared": [one.document() for one in meant],
            "min_coverage": strict.min_coverage,
            "new_only": new_only,
            "origin": came_from.document(),
        }
        if strict.max_age is not None:
            question["max_age"] = int(strict.max_age.total_seconds())
        answer = client.gate(found, question)
    report = read_report(answer)
    if strict.max_age is not None and "verb" not in answer:
        raise CannotTell("this server does not look at --max-age", "upgrade the server, or leave --max-age out")
    return report, [*zip(asked.declared, meant, strict=True), (asked.target, found)]


def _exit_code(report: Report, strict: Strictness) -> int:
    """What the verdict says; a pipeline that is only to be warned goes on where nothing but coverage is wanting."""
    if report.verdict is None:
        raise CannotTell("there is no verdict")
    if strict.warns and report.is_uncovered:
        note(f"{report.verdict}, and not failed for it: --on-unknown warn")
        return 0
    return EXIT_CODES[report.verdict]


def _shown_in(files: Files, project: Project) -> str:
    """The file at which other tools show what no file says."""
    said = next((path for path, found in files if found.target.kind in DECLARING), "")
    return said or project.path or _PROJECT_FILE
