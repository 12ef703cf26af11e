"""A real server process with one job that runs often and leaves a line in a file: python -m tests.system.beating."""

import fcntl
import os
import sys
from datetime import timedelta
from pathlib import Path

from envparity_server.app import create_app
from envparity_server.jobs import Job
from envparity_server.serving import serve
from envparity_server.settings import ServerSettings
from envparity_server.storage.database import open_database


def main(url: str, port: str, lines: str) -> None:
    """Serve a database on a port."""

    def beat(*_: object) -> None:
        with Path(lines).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails, and leaves no line, where another run is at it
            file.write(f"{os.getpid()}\n")

    settings = ServerSettings(database_url=url, listen_port=int(port))
    job = Job("beat", timedelta(milliseconds=100), beat, lease=timedelta(seconds=1))
    serve(create_app(open_database(url), settings, [job]), settings)


if __name__ == "__main__":
    main(*sys.argv[1:])
