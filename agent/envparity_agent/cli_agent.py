"""The verbs of `envparity agent`: enrol this host, make a key, report once or at an interval, tell how it stands."""

import logging
import secrets
from typing import Annotated

import typer

from envparity_agent import state
from envparity_agent.cli_options import Docker, Json, RootDirectory, Server, StateDirectory, TokenFile
from envparity_agent.client import Client
from envparity_agent.collectors.memory import Memory
from envparity_agent.config import agent_settings, read_token, server_address, state_directory
from envparity_agent.errors import UsageError
from envparity_agent.reporting import report_once
from envparity_agent.root import Root
from envparity_agent.rotation import rotate
from envparity_agent.schedule import run_forever
from envparity_agent.spool import Spool
from envparity_agent.targets import host_name
from envparity_agent.terminal import note, progress, say, say_json

agent = typer.Typer(no_args_is_help=True, help="Report this host to a central server. Reads only, opens no port.")

Interval = Annotated[int | None, typer.Option("--interval", metavar="SECONDS", min=60, help="Time between reports.")]


@agent.command()
def enroll(
    server: Server = None,
    token_file: TokenFile = None,
    environment: Annotated[
        str | None, typer.Option(help="The host's environment; the token's own where it names one.")
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="A label for selectors, repeatable: role=web")] = None,
    name: Annotated[str | None, typer.Option(help="The host's name; its own by default.")] = None,
    root: RootDirectory = "/",
    docker: Docker = None,
    again: Annotated[bool, typer.Option(help="Enrol as a new host, and forget what this one is enrolled as.")] = False,
    directory: StateDirectory = None,
) -> None:
    """Trade an enrolment token for this host's own credential.

    envparity agent enroll --server https://envparity.example --token-file token --label role=web
    """
    place = state_directory(directory)
    if state.is_enrolled(place) and not again:
        raise UsageError(
            f"this agent is enrolled already, its credential is in {place}",
            "look at it: envparity agent status; to enrol as a new host, as after cloning a machine: --again",
        )
    with Root(root) as opened:
        called = name or host_name(opened)
    enrolment = state.Enrolment(server_address(server), root, docker)
    try:
        with state.exclusive(place), Client(enrolment.server, read_token(token_file)) as client:
            where = client.enrol(enrolment, called, environment, _labels(label or []))
            state.save(place, enrolment)
    except state.AlreadyRunning as problem:
        raise UsageError(str(problem), "stop that agent first, or give --state DIR") from None
    say(f"enrolled {called} in {where} as {enrolment.host_id}; its credential is in {place}")


def _labels(texts: list[str]) -> dict[str, str]:
    labels = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key or not value:
            raise UsageError(f"{text} is not a label", "a label is KEY=VALUE: role=web")
        labels[key] = value
    return labels


@agent.command("rotate")
def rotate_credential(directory: StateDirectory = None) -> None:
    """Take a new credential into use, and forget the old one. If it is interrupted, run it again.

    envparity agent rotate
    """
    place = state_directory(directory)
    try:
        with state.exclusive(place):
            enrolment = rotate(place, state.load(place))
    except state.AlreadyRunning as problem:
        raise UsageError(str(problem), "stop that agent for a moment, then start it again") from None
    say(f"{enrolment.host_id} has a new credential; it is in {place}")


@agent.command()
def once(directory: StateDirectory = None, interval: Interval = None, json: Json = False) -> None:
    """Fingerprint this host, report it, and end.

    envparity agent once
    """
    place = state_directory(directory)
    with state.exclusive(place), progress() as tell:
        found = report_once(place, interval or agent_settings().interval, tell)
    if json:
        say_json({"root": f"sha256:{found.root}", "sections": len(found.sections), "timings": found.timings})
    else:
        say(f"reported {len(found.sections)} sections, root sha256:{found.root[:12]}")


@agent.command()
def run(directory: StateDirectory = None, interval: Interval = None) -> None:
    """Report now and then at every interval, until it is stopped.

    envparity agent run --interval 900
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    for chatty in ("apscheduler", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    place = state_directory(directory)
    every = interval or agent_settings().interval
    with state.exclusive(place):
        memory = Memory(state.remembered(place))
        run_forever(state.load(place).host_id, every, lambda: report_once(place, every, lambda _: None, memory))


@agent.command()
def key() -> None:
    """Print a new random key, under which agents hash the values that they do not tell.

    (umask 077; envparity agent key > /etc/envparity/key)
    """
    say(secrets.token_hex(32))
    note("write it to a file that only the agents' user can read, the same on every host that is to be compared,")
    note('and name that file in agent.toml: key_file = "/etc/envparity/key"')
    note("never give it to the server: who has it can try out passwords against the hashes")


@agent.command()
def status(directory: StateDirectory = None, json: Json = False) -> None:
    """Tell where this agent reports to, and whether a report waits.

    envparity agent status
    """
    place = state_directory(directory)
    enrolment = state.load(place)
    waiting = Spool(place).waiting()
    facts = {
        "server": enrolment.server,
        "host": enrolment.host_id,
        "last_report": enrolment.seq,
        "waiting": waiting.seq if waiting else None,
        "state": str(place),
    }
    if json:
        say_json(facts)
    else:
        for key, value in facts.items():
            say(f"{key.replace('_', ' '):<12} {value if value is not None else 'none'}")
