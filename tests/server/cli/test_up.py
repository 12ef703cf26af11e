"""Tests of `envparity up`: a server, an agent and the dashboard of one host, in one process."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.forking import PROGRAM
from tests.server.cli.running import environment
from tests.server.dashboard.reading import Seen

DEADLINE = 120


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root directory of a small host."""
    path = tmp_path / "root"
    (path / "etc").mkdir(parents=True)
    (path / "etc/hostname").write_text("tiny\n")
    (path / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian of the test"\n')
    return path


@contextmanager
def up(home: Path, root: Path) -> Iterator[tuple[dict[str, str], "subprocess.Popen[str]"]]:
    """What `up` announces, line by line by its first word, until the block ends."""
    command: list[str | Path] = [PROGRAM, "up", "--state", home / "state", "--root", root, "--port", "0"]
    process = subprocess.Popen(
        command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(home, {"ENVPARITY_DOCKER": f"unix://{home}/nowhere.sock", "PYTHONUNBUFFERED": "1"}),
    )  # fmt: skip
    try:
        assert process.stdout
        said = {}
        for line in process.stdout:
            said[line.split()[0]] = line.rstrip()
            if line.startswith("Ctrl-C"):
                break
        yield said, process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE)


def reported(process: "subprocess.Popen[str]") -> str:
    """The first line that tells of a report."""
    assert process.stderr
    return next((line for line in process.stderr if line.startswith("reported")), "")


def hosts_page(said: dict[str, str]) -> Seen:
    """The page of the hosts, by the link that was printed, which logs in once."""
    link = said["log"].split()[2]
    with httpx.Client(base_url=said["dashboard"].split()[1], trust_env=False) as client:
        assert [client.get(link).status_code for _ in range(2)] == [303, 401]
        answer = client.get("/hosts")
        assert answer.status_code == 200
        return Seen(answer.text)


def test_one_command_shows_this_host_in_the_dashboard(tmp_path: Path, root: Path) -> None:
    with up(tmp_path, root) as (said, process):
        assert said["dashboard"].split()[1].startswith("http://127.0.0.1:")
        assert "reported tiny" in reported(process)
        page = hosts_page(said)
        assert "all 1 not compared 1" in page.text
        assert "tiny local" in page.text
        assert "Debian of the test" in page.text
    assert process.returncode == 0


def test_a_second_start_is_the_same_host(tmp_path: Path, root: Path) -> None:
    for _ in range(2):
        with up(tmp_path, root) as (said, process):
            assert "reported tiny" in reported(process)
            assert "all 1 not compared 1" in hosts_page(said).text
