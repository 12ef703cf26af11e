"""The options that several verbs share, and how they become what the code below takes."""

from collections.abc import Callable
from typing import Annotated

import typer

from envparity_agent.config import agent_settings
from envparity_agent.targets import Options

_ROOT = "Where this host's root directory is, as an agent in a container sees it."
_DOCKER = "The container engine's socket: unix:///run/docker.sock"
_SERVER = "The address of the central server."
_TOKEN = "The file that holds the token; - for standard input."  # noqa: S105  # a help text
_STATE = "Where the agent keeps its credential and its unsent report."

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text.")]
RootDirectory = Annotated[str, typer.Option("--root", metavar="DIR", help=_ROOT)]
Docker = Annotated[str | None, typer.Option("--docker", metavar="URL", envvar="ENVPARITY_DOCKER", help=_DOCKER)]
Server = Annotated[str | None, typer.Option("--server", metavar="URL", envvar="ENVPARITY_SERVER", help=_SERVER)]
TokenFile = Annotated[
    str | None, typer.Option("--token-file", metavar="FILE", envvar="ENVPARITY_TOKEN_FILE", help=_TOKEN)
]
StateDirectory = Annotated[str | None, typer.Option("--state", metavar="DIR", envvar="ENVPARITY_STATE", help=_STATE)]


def options(root: str, docker: str | None, progress: Callable[[str], None]) -> Options:
    """How targets are read, from flags over environment over file."""
    settings = agent_settings()
    return Options(root, docker or settings.docker, settings.python, progress)
