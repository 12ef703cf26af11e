"""The verb that writes a Dockerfile and a lock which rebuild a target; runs on a lean install."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from envparity_agent.cli_options import Docker, Json, RootDirectory, Server, TokenFile, Verify, options
from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.terminal import note, progress, say, say_columns, say_json
from envparity_server.cli.sides import side
from envparity_server.reproduce.model import Gap, Reproduction
from envparity_server.reproduce.os_packages import Packages
from envparity_server.reproduce.reproducing import GAPS, Lock
from envparity_server.reproduce.reproducing import reproduce as reproduce_fingerprint

_USUAL = "reproduced"
_MOST = 20  # gaps that a terminal shows


def reproduce(
    target: Annotated[
        str,
        typer.Argument(
            help="local, a venv, root:DIR, container:NAME, image:REF, a file, -, env:NAME, host:NAME, baseline:NAME"
        ),
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="DIR", help=f"Where the files go; {_USUAL} by default.")
    ] = None,
    lock: Annotated[
        Lock, typer.Option(help="A pylock.toml as well, of what that format can hold.")
    ] = Lock.REQUIREMENTS,
    packages: Annotated[
        Packages, typer.Option(help="Which OS packages are pinned: what Python environments load, or all.")
    ] = Packages.NEEDED,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
    verify: Verify = False,
    json: Json = False,
    root: RootDirectory = "/",
    docker: Docker = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Write a Dockerfile and the requirements that rebuild a target, and say what they do not reproduce.

    envparity reproduce container:web -o web

    envparity reproduce host:web-1@2026-11-01T02:00 --server https://envparity.example.org

    envparity reproduce .venv --verify --json

    Nothing is built: that is `docker build web`. With --json the files are printed, and written only with -o.
    """
    place = output or (None if json else _USUAL)
    if place is not None:
        _check(place, force)
    with progress() as report:
        found, _ = side(target, options(root, docker, report, verify=verify), server, token_file)
    made = reproduce_fingerprint(found, lock, packages)
    if place is not None:
        _write(place, made)
    if json:
        say_json(made.document())
    else:
        _tell(str(place), made)


def _check(place: str, force: bool) -> None:
    """Raise UsageError for a place that is no folder, or has something that could be lost."""
    try:
        there = os.listdir(place)
    except FileNotFoundError:
        return
    except OSError as problem:
        raise UsageError(f"{place}: {problem.strerror}", "name a folder: -o DIR") from None
    if there and not force:
        raise UsageError(f"{place} is not empty", "name another folder with -o, or give --force to write into it")


def _write(place: str, made: Reproduction) -> None:
    try:
        os.makedirs(place, exist_ok=True)
        for name, text in made.files.items():
            Path(place, name).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise CannotTell(f"{place}: {problem.strerror}", "name a folder that can be written to: -o DIR") from None


def _tell(place: str, made: Reproduction) -> None:
    for name in made.files:
        say(os.path.join(place, name))
    if not made.gaps:
        note("nothing that was read is left out")
        return
    say(f"not reproduced: {len(made.gaps)} (all of them: {os.path.join(place, GAPS)})", "bold")
    shown: Sequence[Gap] = made.gaps[:_MOST]
    say_columns((f"  {one.section}", "" if one.item.startswith("@") else one.item, one.why) for one in shown)
    if len(shown) < len(made.gaps):
        say(f"  and {len(made.gaps) - len(shown)} more")
