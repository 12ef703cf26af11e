"""Tests of `envparity reproduce`: a folder that loses nothing, exact JSON, and what is not reproduced in words."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.cli.running import envparity
from tests.server.cli.served import served
from tests.server.fleet import reported
from tests.server.reproduce.samples import SAMPLES


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with a fingerprint and a requirements file."""
    (tmp_path / "web.json").write_text(json.dumps(SAMPLES["container"].document()))
    (tmp_path / "pins.txt").write_text("idna==3.7\nflask==3.0.1\n")
    return tmp_path


def test_a_folder_is_written_and_what_it_lacks_is_told(home: Path) -> None:
    ended = envparity(home, "reproduce", "web.json", "-o", "web")
    assert ended.exit_code == 0, ended.complaint
    assert {path.name for path in (home / "web").iterdir()} == {"Dockerfile", "GAPS.md", "requirements.txt"}
    lines = ended.output.splitlines()
    assert lines[:4] == [
        "web/Dockerfile", "web/GAPS.md", "web/requirements.txt", "not reproduced: 19 (all of them: web/GAPS.md)",
    ]  # fmt: skip
    assert any("env:PASSWORD" in line and "its value is not told" in line for line in lines)


def test_without_a_name_the_folder_is_called_reproduced(home: Path) -> None:
    ended = envparity(home, "reproduce", "pins.txt")
    assert ended.exit_code == 0, ended.complaint
    assert (home / "reproduced" / "requirements.txt").read_text().splitlines()[1:] == ["flask==3.0.1", "idna==3.7"]


def test_json_has_the_files_and_the_gaps_and_writes_nothing(home: Path) -> None:
    ended = envparity(home, "reproduce", "web.json", "--json", "--lock", "pylock")
    assert ended.exit_code == 0, ended.complaint
    document = ended.document
    assert list(document) == ["schema", "files", "gaps"]
    assert document["schema"] == 1
    assert set(document["files"]) == {"Dockerfile", "GAPS.md", "pylock.toml", "requirements.txt"}
    assert {
        "section": "verify/opt/shop/.venv", "item": "flask",
        "why": "its files are not what it was installed with: flask/app.py",
    } in document["gaps"]  # fmt: skip
    assert {one["item"] for one in document["gaps"] if one["section"] == "container/web/app"} == {None}
    assert not list(home.glob("*/Dockerfile"))


def test_a_folder_that_has_something_is_left_alone_unless_forced(home: Path) -> None:
    (home / "web").mkdir()
    (home / "web" / "mine").write_text("precious")
    ended = envparity(home, "reproduce", "web.json", "-o", "web")
    assert (ended.exit_code, ended.output) == (2, "")
    assert "web is not empty" in ended.complaint
    assert "--force" in ended.complaint
    assert envparity(home, "reproduce", "web.json", "-o", "web", "--force").exit_code == 0
    assert (home / "web" / "mine").read_text() == "precious"
    assert (home / "web" / "Dockerfile").exists()


def test_a_file_is_no_folder(home: Path) -> None:
    ended = envparity(home, "reproduce", "web.json", "-o", "pins.txt")
    assert ended.exit_code == 2
    assert "pins.txt: Not a directory" in ended.complaint
    assert "Traceback" not in ended.complaint


def test_the_same_fingerprint_gives_the_same_files(home: Path) -> None:
    first, second = (envparity(home, "reproduce", "web.json", "--json").output for _ in range(2))
    assert first == second


def test_a_host_of_a_server_is_rebuilt_from_what_it_reported(home: Path, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        reported(connection, "web-1", SAMPLES["host"], datetime.now(UTC), "prod", {})
    token = small_api.as_role("viewer").headers["Authorization"].removeprefix("Bearer ")
    with served(small_api) as address:
        ended = envparity(home, "reproduce", "host:web-1", "--json", ENVPARITY_SERVER=address, ENVPARITY_TOKEN=token)
    assert ended.exit_code == 0, ended.complaint
    assert "ARG BASE=debian:bookworm-slim" in ended.document["files"]["Dockerfile"]
    assert "flask==3.0.3" in ended.document["files"]["requirements-opt-shop-venv.txt"].splitlines()


def test_a_selector_needs_a_server(home: Path) -> None:
    ended = envparity(home, "reproduce", "host:web-1")
    assert ended.exit_code == 2
    assert "server" in ended.complaint
    assert not (home / "reproduced").exists()
