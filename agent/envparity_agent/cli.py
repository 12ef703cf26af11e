"""The command `envparity`: attaches the verb that is asked for, and tells errors in words.

The agent's own verbs are listed here; the others plug in by the entry-point group `envparity.commands`: those of this
distribution are looked for first, as all the others of an environment take long to ask. Only what is asked for is
loaded: a gate in a pipeline and a look at one venv must start at once.
"""

import os
import sys
import traceback
from errno import EPIPE
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from typing import Annotated

import typer

from envparity_agent import __version__
from envparity_agent.errors import CannotTell, EnvparityError, NotWritten, UsageError
from envparity_agent.terminal import complain, say, silence

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)

_GROUP = "envparity.commands"
_OWN = (
    EntryPoint("agent", "envparity_agent.cli_agent:agent", _GROUP),
    EntryPoint("show", "envparity_agent.cli_show:show", _GROUP),
)


def main() -> None:
    """Run the command line; an error is told in words and gives its exit code."""
    _plug_in(sys.argv[1:2])
    sys.exit(_flushed(_ended()))


def _ended() -> int:
    """Run the verb; returns its exit code."""
    try:
        app()
    except SystemExit as ended:
        if _is_broken_pipe(ended.__context__):  # typer exits 1 for one, and that is drift
            return _not_written(EPIPE)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except EnvparityError as problem:
        return complain(problem)
    except OSError as problem:  # of the output: what is read and asked has errors of its own
        return _not_written(problem.errno)
    except Exception:  # noqa: BLE001  # a bug of ours must not read as drift, which is exit 1
        traceback.print_exc()
        return complain(CannotTell("internal error", "please report it with what is above"))
    return 0


def _flushed(code: int) -> int:
    """The exit code, once all of the result is out: what is left to the interpreter's end would exit 120."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has left, and that is no error
        silence()
    except OSError as problem:
        return _not_written(problem.errno, code)
    return code


def _is_broken_pipe(problem: BaseException | None) -> bool:
    return isinstance(problem, OSError) and problem.errno == EPIPE


def _not_written(errno: int | None, code: int = 0) -> int:
    silence()
    reason = os.strerror(errno) if errno else "it failed"
    return complain(NotWritten(f"cannot write the result: {reason}", found=code))


def _plug_in(words: list[str]) -> None:
    """Attach the verb that is asked for; all of them where help or an unknown verb is."""
    if words == ["--version"]:
        return
    own = [*_OWN, *_of_this_distribution()]
    for entry in [one for one in own if [one.name] == words] or _every(words):
        _attach(entry)


def _of_this_distribution() -> list[EntryPoint]:
    try:
        return list(distribution("envparity").entry_points.select(group=_GROUP))
    except PackageNotFoundError:  # run from its sources
        return []


def _every(words: list[str]) -> list[EntryPoint]:
    others = sorted(entry_points(group=_GROUP), key=lambda entry: entry.name)
    return [one for one in others if [one.name] == words] or [*_OWN, *others]


def _attach(entry: EntryPoint) -> None:
    try:
        command = entry.load()
    except ModuleNotFoundError as problem:
        app.command(
            entry.name,
            help='Needs the server\'s libraries: pip install "envparity[server]"',
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
        )(_missing(entry.name, problem.name or ""))
        return
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=entry.name)
    else:
        app.command(entry.name)(command)


def _missing(verb: str, module: str):  # type: ignore[no-untyped-def]  # typer reads the inner function's signature
    def refuse(_: typer.Context) -> None:
        raise UsageError(
            f"`envparity {verb}` needs libraries that a lean install leaves out ({module} is not there)",
            'install them: pip install "envparity[server]"',
        )

    return refuse


def _version(wanted: bool) -> None:
    if wanted:
        say(f"envparity {__version__}")
        raise typer.Exit


@app.callback()
def envparity(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Why does it work here and not there? Fingerprint, compare, and stop on drift. It only ever reads.

    envparity up                        a server, an agent and this host's dashboard in one go

    envparity show                      what would be sent about this host

    envparity diff .venv container:web  any two targets, no server needed

    envparity gate --against env:prod   exit 1 on drift, 3 where it cannot tell
    """
