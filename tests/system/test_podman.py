"""What is read of a container that Podman runs, by the interface that it shares with Docker."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.commands import CommandError, run
from tests.system.components import C_COMPILER, PODMAN, RUNC, require
from tests.system.daemons import running, wait_until_ready
from tests.system.serving import envparity
from tests.system.workspaces import workspace

pytestmark = pytest.mark.system

IMAGE = "localhost/waiting:1"
# the one program of the image: it waits, and ends when it is told to
PROGRAM = """
#include <signal.h>
#include <unistd.h>
static void end(int number) { _exit(0); }
int main(void) { signal(SIGTERM, end); for (;;) pause(); }
"""


@dataclass(frozen=True)
class Podman:
    """A Podman with data of its own; neither its runtime nor its limits take more than a plain kernel gives."""

    home: Path

    @property
    def url(self) -> str:
        return f"unix://{self.home / 'podman.sock'}"

    def command(self, *arguments: str | Path) -> list[str | Path]:
        return [
            *(
                require(PODMAN),
                "--root",
                self.home / "root",
                "--runroot",
                self.home / "run",
                "--runtime",
                require(RUNC),
            ),
            *("--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none", *arguments),
        ]

    def podman(self, *arguments: str | Path) -> str:
        return run(*self.command(*arguments))

    def answers(self) -> bool:
        return (self.home / "podman.sock").exists()


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    with ExitStack() as stack:
        require(PODMAN)
        home = stack.enter_context(workspace("podman"))
        made = Podman(home)
        (home / "tree/bin").mkdir(parents=True)
        (home / "tree/etc").mkdir()
        (home / "tree/etc/os-release").write_text("ID=waiting\nVERSION_ID=1\n")
        compiler = (require(C_COMPILER), "-static", "-x", "c", "-o", home / "tree/bin/wait", "-")
        subprocess.run(compiler, input=PROGRAM.encode(), check=True)
        run("tar", "-C", home / "tree", "-cf", home / "image.tar", ".")
        changes = ("--change", 'CMD ["/bin/wait"]', "--change", "EXPOSE 8000", "--change", "ENV A=1")
        made.podman("import", *changes, home / "image.tar", IMAGE)
        limits = ("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1000:1000")
        for name in ("one", "two"):
            try:
                made.podman(
                    *("run", "--detach", "--name", name, "--network", "none", *limits),
                    *("--volume", "/data", "--env", "TZ=UTC", "--restart", "on-failure:2", IMAGE),
                )
            except CommandError as problem:
                pytest.skip(f"Podman runs no container here: {problem}")
            stack.callback(made.podman, "rm", "--force", "--time", "1", name)
        service = made.command("system", "service", "--time", "0", made.url)
        process = stack.enter_context(running(service, home / "log"))
        wait_until_ready("podman", process, home / "log", made.answers)
        yield made


def test_a_container_of_podman_is_read_like_any_other(podman: Podman) -> None:
    (podman.home / "host").mkdir(exist_ok=True)
    shown = envparity("show", "--json", "--root", podman.home / "host", "--docker", podman.url)
    assert shown.exit_code == 0, shown.complaint
    sections = shown.document["sections"]
    inspected = json.loads(podman.podman("inspect", "one"))[0]
    assert sections["containers"]["status"] == "ok"
    assert (
        sections["containers"]["items"]["engine"]["version"]
        == json.loads(podman.podman("version", "--format", "json"))["Client"]["Version"]
    )
    image = sections["container/one"]["items"]["image"]
    assert image["config"] == f"sha256:{inspected['Image']}"
    assert image["reference"] == IMAGE
    assert sections["container/one"]["items"]["tag"]["moved"] is False
    assert sections["container/one"]["observed"]["read_through"] == "proc"
    assert sections["container/one/os"]["items"]["distribution"]["id"] == "waiting"
    config = sections["container/one/config"]["items"]
    assert config["env:TZ"] == {"value": "UTC"}
    assert {item for item in config if item.startswith("env:")} == {"env:A", "env:TZ"}
    assert config["port:8000/tcp"] == {"exposed": True, "published": []}
    assert config["mount:/data"] == {"type": "volume", "writable": True}
    assert config["restart"] == {"value": "on-failure:2"}


def test_two_containers_of_one_command_have_the_same_facts(podman: Podman) -> None:
    (podman.home / "host").mkdir(exist_ok=True)
    sections = envparity("show", "--json", "--root", podman.home / "host", "--docker", podman.url).document["sections"]
    for below in ("", "/config", "/os", "/os-packages", "/python"):
        assert sections[f"container/one{below}"]["hash"] == sections[f"container/two{below}"]["hash"]
