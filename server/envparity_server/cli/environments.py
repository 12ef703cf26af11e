"""The verbs of `envparity environments`: list, show and set them, by the server's API."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from envparity_agent.cli_options import Json, Server, TokenFile
from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, say_json, say_table
from envparity_server.cli.asking import asking, every
from envparity_server.cli.environments_pivot import pivot

environments = typer.Typer(no_args_is_help=True, help="The environments, and how their hosts stand.")
environments.command()(pivot)

_COUNTS = ("fresh", "stale", "never", "retired", "expired", "ephemeral")

EnvironmentName = Annotated[str, typer.Argument(metavar="ENVIRONMENT")]


@environments.command("list")
def list_environments(json: Json = False, server: Server = None, token_file: TokenFile = None) -> None:
    """List the environments with how many of their hosts are in which state.

    envparity environments list
    """
    with asking(server, token_file) as client:
        found = every(client, "environments")
    if json:
        say_json({"environments": found, "total": len(found)})
    else:
        _print(found)
        note(f"{len(found)} environments" if len(found) != 1 else "1 environment")


def _print(found: Iterable[dict[str, Any]]) -> None:
    say_table(
        ("ENVIRONMENT", *(count.upper() for count in _COUNTS), "AGAINST"),
        (
            (one["name"], *(str(one["hosts"][count]) for count in _COUNTS), one["against"] or "nobody said")
            for one in found
        ),
    )


@environments.command()
def show(name: EnvironmentName, json: Json = False, server: Server = None, token_file: TokenFile = None) -> None:
    """Tell how the hosts of one environment stand.

    envparity environments show prod
    """
    with asking(server, token_file) as client:
        one = client.ask("GET", f"/environments/{_checked(name)}")
    _tell(one, json)


def _checked(name: str) -> str:
    if not name or "/" in name or name in (".", ".."):
        raise UsageError(f"{name!r} is no name of an environment", "use letters, digits, dot, dash, underscore")
    return name


def _tell(one: dict[str, Any], json: bool) -> None:
    if json:
        say_json(one)
    else:
        _print([one])


@environments.command("set")
def set_environment(
    name: EnvironmentName,
    against: Annotated[
        str | None, typer.Option(help="The selector that it is meant to be like: env:prod; none forgets it.")
    ] = None,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Make an environment, or say what it is meant to be like.

    envparity environments set test --against env:prod
    """
    with asking(server, token_file) as client:
        _tell(client.ask("PUT", f"/environments/{_checked(name)}", body={"against": against}), json)
