"""Tests of the verbs that ask a running server who has what, and what changed."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
import uvicorn
from sqlalchemy import Engine
from typer.testing import CliRunner

from envparity_agent.canonical import decode
from envparity_server.app import create_app
from envparity_server.cli.hosts_items import changes, having
from envparity_server.storage import access
from envparity_server.storage.database import writing
from tests.server.asking import LIFE
from tests.server.fleet import enrolled, report
from tests.server.making import NOON, SEARCHED, host, packages

Asked = Callable[..., str]


@pytest.fixture
def asked(sqlite: Engine, tmp_path: Path) -> Iterator[Asked]:
    """Runs a verb as a reader of a server that knows a host which changed."""
    with writing(sqlite) as connection:
        one = enrolled(connection, "web-1")
        for hours, version in enumerate(("3.4", "3.7")):
            fingerprint = host(SEARCHED, packages({"idna": version, "idna#old": "2.0"}))
            report(connection, one, fingerprint, NOON + timedelta(hours=hours))
        token = access.make_access_token(connection, "viewer", "tests", LIFE, datetime.now(UTC))
    (tmp_path / "token").write_text(token)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(sqlite), log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    app = typer.Typer()
    app.command()(having)
    app.command()(changes)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def run(*arguments: str) -> str:
        ended = CliRunner().invoke(app, [*arguments, "--server", address, "--token-file", str(tmp_path / "token")])
        assert ended.exit_code == 0, ended.output
        return ended.stdout

    yield run
    server.should_exit = True
    thread.join()
    listening.close()


def test_who_has_an_item_is_a_table_and_as_json_the_answer(asked: Asked) -> None:
    lines = asked("having", "idna").splitlines()
    assert lines[1].split(maxsplit=5)[:5] == ["web-1", "prod", "idna", "3.7", "python/srv/shop"]
    assert lines[1].endswith("between 2026-11-01 12:00 and 13:00 UTC")
    assert "idna#old (shadowed)" in lines[2]
    assert decode(asked("having", "idna", "3.7", "--json").encode())["total"] == 1
    assert asked("having", "idna", "3.4") == "no host has idna 3.4 now\n"


def test_the_values_in_use_are_a_table(asked: Asked) -> None:
    assert asked("having", "idna", "--values").splitlines()[1].split() == ["idna", "3.7", "python", "1", "in", "prod"]


def test_what_changed_is_a_table(asked: Asked) -> None:
    (line,) = asked("changes", "host:web-1").splitlines()[1:]
    assert line.startswith("between 2026-11-01 12:00 and 13:00 UTC  web-1  medium    python/srv/shop  idna")
    assert line.endswith("3.4 → 3.7  actor unknown")
    assert asked("changes", "env:prod", "--since", "2026-11-02") == "no change is known\n"
