"""A package index on the loopback interface that serves a directory of wheels.

https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from packaging.utils import parse_wheel_filename


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *_: object) -> None:
        """Say nothing: pip tells what it did not find."""


@contextmanager
def served_index(home: Path, wheels: Path) -> Iterator[str]:
    """Serve the wheels for as long as the context lasts; give the index's address."""
    for wheel in wheels.glob("*.whl"):
        project = home / "simple" / parse_wheel_filename(wheel.name)[0]
        project.mkdir(parents=True, exist_ok=True)
        (project / wheel.name).symlink_to(wheel)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(home))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple/"
        finally:
            server.shutdown()
