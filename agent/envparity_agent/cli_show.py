"""The verb `show`: fingerprints a target here and prints what would be sent."""

from typing import Annotated

import typer

from envparity_agent import schema
from envparity_agent.cli_options import Docker, Json, RootDirectory, Symbols, Verify, options
from envparity_agent.fingerprint import Fingerprint, Section, in_words
from envparity_agent.targets import fingerprint
from envparity_agent.terminal import printable, progress, say, say_json, say_table, styled


def show(
    target: Annotated[
        str,
        typer.Argument(help="local, root:DIR, container:NAME, image:REF, a directory, a lock or another file, -"),
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
            (in_words(section), str(section.count), styled(path).append(f"  {printable(_gist(section))}", "dim"))
            for path, section in sorted(found.sections.items())
        ),
    )


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
