"""The verb `up`: server, agent and dashboard of this machine in one go: the first five minutes."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import platformdirs
import typer
import uvicorn
from sqlalchemy import Engine

from envparity_agent import state
from envparity_agent.cli_options import Docker, RootDirectory
from envparity_agent.client import Client
from envparity_agent.errors import UsageError
from envparity_agent.reporting import report_once
from envparity_agent.root import Root
from envparity_agent.schedule import run_forever
from envparity_agent.targets import host_name
from envparity_agent.terminal import note, progress, say
from envparity_server import logs
from envparity_server.app import create_app
from envparity_server.serving import configuration
from envparity_server.settings import DEFAULTS
from envparity_server.storage import access, backups
from envparity_server.storage.database import migrate, open_database, writing

ADDRESS = "127.0.0.1"
INTERVAL = 300


def up(
    directory: Annotated[
        Path | None, typer.Option("--state", metavar="DIR", help="Where database and credentials are kept.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; another free one if it is taken.")] = 8765,
    root: RootDirectory = "/",
    docker: Docker = None,
) -> None:
    """Try envparity: a server, an agent and this host's real fingerprint, on this machine only. Ctrl-C ends it.

    envparity up
    """
    logs.configure(logs.LogFormat.TEXT, logging.WARNING)
    place = (directory or Path(platformdirs.user_state_dir("envparity")) / "up").resolve()
    with _alone(place):
        engine = open_database(f"sqlite:///{place / 'server.db'}")
        copied = backups.copied_before_migrating(engine, datetime.now(UTC))
        if copied:
            note(f"{copied[0]}: the database as it was before this version")
        migrate(engine)
        listening = _listen(port)
        address = f"http://{ADDRESS}:{listening.getsockname()[1]}"
        with _serving(engine, listening):
            host_id = _enrolled(engine, place, address, root, docker)
            _announce(engine, place, address)
            run_forever(host_id, INTERVAL, lambda: _report(place))
    note("stopped; what was collected is kept in " + str(place))


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    try:
        with state.exclusive(place):
            yield
    except state.AlreadyRunning:
        advice = "its address was printed where it was started; stop it there, or give --state DIR"
        raise UsageError(f"envparity up runs already with {place}", advice) from None


def _listen(port: int) -> socket.socket:
    """A listening socket on the wanted port, or on a free one where that is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((ADDRESS, port))
    except OSError:
        listening.bind((ADDRESS, 0))
        note(f"port {port} is taken, using {listening.getsockname()[1]}")
    return listening


class _serving:  # noqa: N801  # a context manager, used like a function
    """Serve in a thread until the block ends, so that the agent can have the main thread and its signals."""

    def __init__(self, engine: Engine, listening: socket.socket) -> None:
        self._server = uvicorn.Server(configuration(create_app(engine), DEFAULTS))
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="server")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()


def _enrolled(engine: Engine, place: Path, address: str, root: str, docker: str | None) -> str:
    """Give this host's id; enrolled on the first start, and told the port of this one."""
    enrolment = state.Enrolment(address, root, docker)
    with suppress(UsageError):  # none yet, or one that cannot be read
        enrolment = replace(state.load(place), server=address, root=root, docker=docker)
    with writing(engine) as connection:
        token = access.make_enrolment_token(connection, None, 1, timedelta(minutes=10), datetime.now(UTC))
    with Root(root) as opened, Client(address, token) as client:
        client.enrol(enrolment, host_name(opened), "local", {})
    state.save(place, enrolment)
    return enrolment.host_id


def _announce(engine: Engine, place: Path, address: str) -> None:
    now = datetime.now(UTC)
    token_file = place / "token"
    with writing(engine) as connection:
        code = access.make_login(connection, now)
        token = access.make_access_token(connection, "operator", "up", timedelta(days=30), now)
    state.write_durably(token_file, token.encode())
    say(f"dashboard  {address}", "bold")
    say(f"log in     {address}/login?code={code}  (once, within an hour)")
    say(f"terminal   export ENVPARITY_SERVER={address} ENVPARITY_TOKEN_FILE={token_file}")
    say(f"state      {place}")
    say("Ctrl-C ends it.")


def _report(place: Path) -> None:
    with progress() as tell:
        found = report_once(place, INTERVAL, tell)
    note(f"reported {found.target.name}: {len(found.sections)} sections")
