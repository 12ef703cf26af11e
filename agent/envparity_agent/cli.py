"""The command `envparity`: the agent's verbs, and those that plug in by the entry-point group `envparity.commands`."""

import sys
import traceback
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated

import typer

from envparity_agent import __version__, schema
from envparity_agent.cli_agent import agent
from envparity_agent.cli_options import Docker, Json, RootDirectory, Symbols, Verify, options
from envparity_agent.errors import CannotTell, EnvparityError, UsageError
from envparity_agent.fingerprint import Fingerprint, Section
from envparity_agent.gate import gate
from envparity_agent.targets import fingerprint
from envparity_agent.terminal import complain, printable, progress, say, say_json, say_table, styled

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(agent, name="agent")
app.command()(gate)

_OWN = frozenset({"agent", "gate", "show"})


def main() -> None:
    """Run the command line; an error is told in words and gives its exit code."""
    _plug_in(sys.argv[1:2])
    try:
        app()
    except EnvparityError as problem:
        sys.exit(complain(problem))
    except OSError as problem:  # of the output: what is read and asked has errors of its own
        sys.exit(complain(CannotTell(f"cannot write the result: {problem.strerror}")))
    except Exception:  # noqa: BLE001  # a bug of ours must not read as drift, which is exit 1
        traceback.print_exc()
        sys.exit(complain(CannotTell("internal error", "please report it with what is above")))


def _plug_in(words: list[str]) -> None:
    """Attach the verb that is asked for; all of them where help or an unknown verb is. Loading them costs time."""
    if set(words) & _OWN:
        return
    found = sorted(entry_points(group="envparity.commands"), key=lambda entry: entry.name)
    asked = [entry for entry in found if [entry.name] == words]
    for entry in asked or found:
        _attach(entry)


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


@app.command()
def show(
    target: Annotated[
        str, typer.Argument(help="local, root:DIR, container:NAME, a directory, a requirements or fingerprint file, -")
    ] = "local",
    json: Json = False,
    root: RootDirectory = "/",
    docker: Docker = None,
    verify: Verify = False,
    symbols: Symbols = False,
    print_schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of a fingerprint, and read nothing.")
    ] = False,
) -> None:
    """Fingerprint a target here and print it: exactly what would be sent. No server needed.

    envparity show --json > here.json

    envparity show container:web
    """
    if print_schema:
        say_json(schema.fingerprint())
        return
    with progress() as report:
        found = fingerprint(target, options(root, docker, report, verify, symbols))
    if json:
        say_json(found.document())
    else:
        _print(found)


def _print(found: Fingerprint) -> None:
    say(f"{found.target.kind} {found.target.name}", "bold")
    say(f"sha256:{found.root}  taken {found.taken_at}", "dim")
    say("")
    say_table(
        ("STATUS", "ITEMS", "SECTION"),
        (
            (_status(section), str(section.count), styled(path).append(f"  {printable(_gist(section))}", "dim"))
            for path, section in sorted(found.sections.items())
        ),
    )


def _status(section: Section) -> str:
    return f"{section.status} ({', '.join(section.reasons)})" if section.reasons else str(section.status)


def _gist(section: Section) -> str:
    """What a person would ask of a section first."""
    wanted = {
        "os": ("distribution.name", "libc.version", "architecture.machine"),
        "machine": ("kernel.release", "cpu.model", "virtualisation.kind"),
        "python": ("@python.role", "@python.version", "@python.creator"),
        "containers": ("engine.version", "engine.store"),
        "container": ("image.reference",),
    }
    names = (name.partition(".")[::2] for name in wanted.get(section.kind, ()))
    values = [section.items.get(item, {}).get(attribute) for item, attribute in names]
    return ", ".join(str(value) for value in values if value)
