"""A PostgreSQL cluster of its own that listens on a Unix socket only."""

import os
import pwd
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.commands import CommandError, run
from tests.system.components import SET_PRIVILEGES, require
from tests.system.daemons import running, wait_until_ready
from tests.system.workspaces import workspace

DEBIAN_VERSIONS = Path("/usr/lib/postgresql")
# PostgreSQL refuses to run as root: the first of these users that exists owns the cluster.
OWNERS = ("postgres", "nobody")
ROLE = "envparity"
PORT = 5432  # part of the name of the socket, nobody listens on it
NEW_CLUSTER = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", f"--username={ROLE}")
MAINTENANCE_DATABASE = "postgres"


@dataclass(frozen=True)
class Cluster:
    """A running cluster that trusts whoever reaches its socket."""

    programs: Path
    socket_directory: Path

    def url(self, database: str = MAINTENANCE_DATABASE) -> str:
        """Return the address of a database as SQLAlchemy takes it."""
        return f"postgresql+psycopg://{ROLE}@/{database}?host={self.socket_directory}&port={PORT}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give the name of an empty database, and drop it even if somebody is still connected."""
        name = f"test_{secrets.token_hex(6)}"
        self.run("createdb", name)
        try:
            yield name
        finally:
            self.run("dropdb", "--force", name)

    def run(self, program: str, *arguments: str) -> None:
        """Run a client program of PostgreSQL against the cluster."""
        where = (f"--host={self.socket_directory}", f"--port={PORT}", f"--username={ROLE}")
        run(self.programs / program, *where, *arguments)

    def answers(self) -> bool:
        """Say whether the cluster takes connections."""
        try:
            self.run("pg_isready")
        except CommandError:
            return False
        return True


@contextmanager
def started_cluster() -> Iterator[Cluster]:
    """Run a fresh cluster for as long as the context lasts."""
    programs = postgres_programs()
    with workspace("postgres") as home:
        as_owner = owned_by_another_user(home)
        run(*as_owner, programs / "initdb", *NEW_CLUSTER, home / "data")
        # What a crash of the machine would lose is of no value here, so nothing waits for the disk.
        settings = ("-k", home, "-p", str(PORT), "-c", "listen_addresses=", "-c", "fsync=off")
        server = (*as_owner, programs / "postgres", "-D", home / "data", *settings)
        with running(server, home / "log") as process:
            cluster = Cluster(programs, home)
            wait_until_ready("postgres", process, home / "log", cluster.answers)
            yield cluster


def postgres_programs() -> Path:
    """Return the directory with the newest PostgreSQL of Debian, or skip."""
    found = [path.parent for path in DEBIAN_VERSIONS.glob("*/bin/initdb")]
    if not found:
        pytest.skip("PostgreSQL is missing: apt-get install postgresql")
    return max(found, key=lambda programs: int(programs.parent.name))


def owned_by_another_user(home: Path) -> tuple[str | Path, ...]:
    """Give the directory to a user other than root; return what runs a program as that user."""
    if os.geteuid() != 0:
        return ()
    owner = next(user for user in pwd.getpwall() if user.pw_name in OWNERS)
    os.chown(home, owner.pw_uid, owner.pw_gid)
    return (require(SET_PRIVILEGES), f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups")
