"""The options that several verbs share, and how they become what the code below takes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import typer

from envparity_agent.collectors.interface import Options
from envparity_agent.config import agent_settings
from envparity_agent.targets.options import options as options_of

_ROOT = "Where this host's root directory is, as an agent in a container sees it."
_DOCKER = "The container engine's socket: unix:///run/docker.sock"
_SERVER = "The address of the central server."
_TOKEN = "The file that holds the token; - for standard input."  # noqa: S105  # a help text
_RULES = "The file with rules, instead of the project's envparity.toml or [tool.envparity] of pyproject.toml."
_STATE = "Where the agent keeps its credential and its unsent report."

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text.")]
RootDirectory = Annotated[str, typer.Option("--root", metavar="DIR", help=_ROOT)]
Docker = Annotated[str | None, typer.Option("--docker", metavar="URL", envvar="ENVPARITY_DOCKER", help=_DOCKER)]
Server = Annotated[str | None, typer.Option("--server", metavar="URL", envvar="ENVPARITY_SERVER", help=_SERVER)]
TokenFile = Annotated[
    str | None, typer.Option("--token-file", metavar="FILE", envvar="ENVPARITY_TOKEN_FILE", help=_TOKEN)
]
RulesFile = Annotated[str | None, typer.Option("--rules", metavar="FILE", help=_RULES)]
NoRules = Annotated[bool, typer.Option("--no-rules", help="Apply no rules of a project's file.")]
StateDirectory = Annotated[str | None, typer.Option("--state", metavar="DIR", envvar="ENVPARITY_STATE", help=_STATE)]
Verify = Annotated[bool, typer.Option("--verify", help="Hash the files of Python packages against their RECORD.")]
Symbols = Annotated[bool, typer.Option("--symbols", help="Tell the public names of Python packages.")]


def options(
    root: str, docker: str | None, progress: Callable[[str], None], verify: bool = False, symbols: bool = False
) -> Options:
    """How targets are read, from flags over environment over file."""
    found = options_of(agent_settings(), root, docker, progress)
    return replace(found, verify=found.verify or verify, symbols=found.symbols or symbols)
