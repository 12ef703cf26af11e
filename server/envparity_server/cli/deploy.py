"""The verbs of `envparity deploy`: a pipeline says when a deploy begins and ends, so that it is not told as drift."""

from typing import Annotated

import typer

from envparity_agent.cli_options import Json, Server, TokenFile
from envparity_agent.errors import UsageError
from envparity_agent.terminal import say, say_json
from envparity_server.cli.asking import asking, checked

app = typer.Typer(no_args_is_help=True, help="Mark deploys, so that they are not told as drift.", rich_markup_mode=None)

_HOSTS = "Where it goes: env:prod, env:prod,role=web or host:web-1."


@app.command()
def begin(
    hosts: Annotated[str, typer.Option(metavar="SELECTOR", help=_HOSTS)],
    name: Annotated[str, typer.Option(help="What is deployed.")] = "",
    link: Annotated[str, typer.Option(metavar="URL", help="Where to read about it: the pipeline's run.")] = "",
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Say that a deploy begins; prints its id. What changes on its hosts until its end is its doing.

    envparity deploy begin --hosts env:prod,role=web --name 'shop 1.5.0'
    """
    with asking(server, token_file) as client:
        made = client.ask("POST", "/deploys", body={"hosts": hosts, "name": name, "link": link})
    if json:
        say_json(made)
    else:
        say(made["id"])


@app.command()
def end(
    id: Annotated[str | None, typer.Argument(help="What `deploy begin` printed.")] = None,
    hosts: Annotated[str | None, typer.Option(metavar="SELECTOR", help="End the deploys to these instead.")] = None,
    json: Json = False,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Say that a deploy is over: hosts that it left behind are told once it settled.

    envparity deploy end 0d1e5b7a863f2a9c

    envparity deploy end --hosts env:prod,role=web
    """
    if (id is None) == (hosts is None):
        raise UsageError("name one deploy, or its hosts", "envparity deploy end ID, or --hosts SELECTOR")
    if id is not None:
        checked(id, "deploy", "give what `envparity deploy begin` printed")
    with asking(server, token_file) as client:
        if id is not None:
            ended = [client.ask("POST", f"/deploys/{id}/end", body={})]
        else:
            ended = list(client.ask("POST", "/deploys/end", body={"hosts": hosts})["deploys"])
    if json:
        say_json({"deploys": ended, "total": len(ended)})
        return
    for one in ended:
        say(" ".join(part for part in (one["id"], one["hosts"], one["name"], "ended") if part))
