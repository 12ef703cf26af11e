"""The verb `ci init`: writes the gate into a project's pipeline, from the files that `examples/` shows."""

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, say, write

app = typer.Typer(no_args_is_help=True, help="Put the gate into a pipeline.", rich_markup_mode=None)

_SECRETS = (
    "make a token for it on the server: envparity server token ci",
    "then: envparity gate --help, and edit what is held against what (--target, --against, --declared)",
)


@dataclass(frozen=True)
class Pipeline:
    """A kind of pipeline: its file in a project, the one it is made from, what tells that it is used, what is next."""

    file: str
    content: str
    mark: str
    next: tuple[str, ...]

    def text(self) -> str:
        """The content of the file."""
        return files("envparity_server.cli").joinpath("pipelines", self.content).read_text("utf-8")


PIPELINES = {
    "github": Pipeline(
        ".github/workflows/envparity.yml",
        "github.yml",
        ".github",
        (
            *_SECRETS[:1],
            "Settings > Secrets and variables > Actions: the secret ENVPARITY_TOKEN, the variable ENVPARITY_SERVER",
            *_SECRETS[1:],
        ),
    ),
    "gitlab": Pipeline(
        ".gitlab/envparity.yml",
        "gitlab.yml",
        ".gitlab-ci.yml",
        (
            "in .gitlab-ci.yml: include: {local: .gitlab/envparity.yml}",
            *_SECRETS[:1],
            "Settings > CI/CD > Variables: ENVPARITY_TOKEN (masked), ENVPARITY_SERVER",
            *_SECRETS[1:],
        ),
    ),
    "pre-commit": Pipeline(
        ".pre-commit-config.yaml",
        "pre-commit.yaml",
        ".pre-commit-config.yaml",
        ("pre-commit install --hook-type pre-push", *_SECRETS[1:]),
    ),
}


@app.callback()
def ci() -> None:
    """Put the gate into a pipeline."""


@app.command()
def init(
    kind: Annotated[str | None, typer.Argument(help=f"{', '.join(PIPELINES)}; by default what is used here.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    print_only: Annotated[bool, typer.Option("--print", help="Print it, and write nothing.")] = False,
) -> None:
    """Write a GitHub workflow, a GitLab job or a pre-commit hook with the gate, and say what to do next.

    envparity ci init github

    envparity ci init pre-commit --print
    """
    pipeline = _pipeline(kind)
    if print_only:
        write(pipeline.text())
        return
    _write(pipeline, force)
    say(pipeline.file)
    note("next:")
    for step in pipeline.next:
        note(f"  {step}")


def _pipeline(kind: str | None) -> Pipeline:
    """The kind that is named, else the only one that is used here; raises UsageError."""
    advice = f"envparity ci init {' | '.join(PIPELINES)}"
    if kind is not None:
        if kind not in PIPELINES:
            raise UsageError(f"{kind[:40]} is no pipeline that is known", advice)
        return PIPELINES[kind]
    used = [one for one in PIPELINES.values() if os.path.exists(one.mark)]
    if len(used) != 1:
        raise UsageError(f"{'several pipelines are' if used else 'no pipeline is'} used here", f"name one: {advice}")
    return used[0]


def _write(pipeline: Pipeline, force: bool) -> None:
    path = Path(pipeline.file)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(pipeline.text())
    except FileExistsError:
        raise UsageError(
            f"{pipeline.file} is there already", "add what `--print` shows, or give --force to write over it"
        ) from None
    except OSError as problem:
        raise UsageError(f"cannot write {pipeline.file}: {problem.strerror}", "run it at the project's root") from None
