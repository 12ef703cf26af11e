"""Checks where a container engine is looked for, and what is said where none answers."""

import gc
import socket
import warnings
from contextlib import ExitStack
from pathlib import Path

import pytest

from envparity_agent.collectors.containers.engine import NotInstalled, endpoints, locate
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.collectors.answers import (
    CONFIG_DIGEST,
    INFO_GRAPHDRIVER,
    INFO_PODMAN,
    VERSION_PODMAN,
    container,
    image,
    podman_container,
    running_engine,
)
from tests.agent.roots import fingerprint_of
from tests.agent.trees import put
from tests.agent.unprivileged import told_without_privileges


def asked(root: Path, url: str | None = None) -> Section:
    """The engine's own section; the docker SDK does not close a socket that was refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        section = fingerprint_of(root, url).sections["containers"]
        gc.collect()
    return section


def refusal(root: Path, url: str | None = None) -> tuple[Status, tuple[str, ...]]:
    section = asked(root, url)
    assert set(section.items) == {"consent"}
    return section.status, section.reasons


def test_a_host_without_an_engine_is_said_to_have_none(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (Status.ABSENT, (Reason.NOT_INSTALLED,))
    with Root(str(tmp_path)) as root, pytest.raises(NotInstalled):
        locate(root, None)


@pytest.mark.parametrize("trace", ["usr/bin/dockerd", "usr/local/bin/dockerd", "var/lib/docker/image/overlay2/x"])
def test_an_engine_without_a_socket_is_out_of_reach_and_not_absent(tmp_path: Path, trace: str) -> None:
    put(tmp_path, trace)
    assert refusal(tmp_path) == (Status.FAILED, (Reason.UNREACHABLE,))
    with Root(str(tmp_path)) as root, pytest.raises(Unreadable):
        locate(root, None)


@pytest.mark.parametrize("path", ["run/docker.sock", "var/run/docker.sock", "run/podman/podman.sock"])
def test_a_socket_is_found_where_engines_put_it(tmp_path: Path, path: str) -> None:
    put(tmp_path, path)
    with Root(str(tmp_path)) as root:
        assert locate(root, None) == f"unix://{tmp_path}/{path}"


def test_the_engine_that_is_named_is_asked(tmp_path: Path) -> None:
    put(tmp_path, "run/docker.sock")
    with Root(str(tmp_path)) as root:
        assert locate(root, "unix:///elsewhere") == "unix:///elsewhere"


def test_the_variable_of_the_environment_is_for_the_running_system_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///named/by/the/environment")
    with Root("/") as system, Root(str(tmp_path)) as other:
        assert locate(system, None) == "unix:///named/by/the/environment"
        with pytest.raises(NotInstalled):
            locate(other, None)


def test_a_link_to_a_socket_is_followed_inside_the_root(short_path: Path) -> None:
    """An absolute link names the root's own socket, also where the host has one at the same path."""
    place = put(short_path, "run/user/1000/other").parent / "docker.sock"
    (short_path / "run/docker.sock").symlink_to("/run/user/1000/docker.sock")
    with running_engine(place):
        assert asked(short_path).status is Status.OK


def test_a_socket_in_a_closed_directory_is_not_taken_for_none(tmp_path: Path) -> None:
    put(tmp_path, "run/podman/podman.sock").parent.chmod(0)
    script = "\ntry: print(locate(root, None))\nexcept Exception as problem: print(problem.reason)"
    assert told_without_privileges(tmp_path, script) == "permission"


def test_a_socket_that_may_not_be_used_is_a_matter_of_permission(short_path: Path) -> None:
    short_path.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(short_path / "docker.sock"))
        listening.listen()
        (short_path / "docker.sock").chmod(0)
        script = (
            "\ntry:"
            "\n    with connect(f'unix://{root.path}/docker.sock'): print('connected')"
            "\nexcept Exception as problem: print(problem.reason)"
        )
        assert told_without_privileges(short_path, script) == "permission"


def test_a_socket_that_nobody_listens_at_is_out_of_reach(short_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(short_path / "docker.sock"))
    assert refusal(short_path, f"unix://{short_path}/docker.sock") == (Status.FAILED, (Reason.UNREACHABLE,))


def test_an_address_that_is_none_fails_and_takes_nothing_with_it(tmp_path: Path) -> None:
    assert refusal(tmp_path, "nonsense://engine") == (Status.FAILED, (Reason.UNREACHABLE,))


def both(root: Path) -> ExitStack:
    """A Docker of the system and a Podman of a user, each with one container called web."""
    stack = ExitStack()
    (root / "run/user/1000/podman").mkdir(parents=True)
    docker = stack.enter_context(running_engine(root / "run/docker.sock"))
    docker.has(container("a", "web"))
    podman = stack.enter_context(running_engine(root / "run/user/1000/podman/podman.sock"))
    podman.answers |= {"/version": VERSION_PODMAN, "/info": INFO_PODMAN}
    podman.answers[f"/images/{CONFIG_DIGEST}/json"] = image(CONFIG_DIGEST[7:])  # libpod omits the prefix
    podman.answers["/images/registry.example:5000/shop/web:1.4/json"] = image(CONFIG_DIGEST[7:])
    podman.has(podman_container("b", "db"))
    return stack


def test_every_engine_is_asked(short_path: Path) -> None:
    with both(short_path):
        sections = fingerprint_of(short_path).sections
    section = sections["containers"]
    assert section.status is Status.OK
    assert (section.items["engine"]["version"], section.items["engine"]["rootless"]) == ("20.10.24", False)
    other = section.items["engine:/run/user/1000/podman/podman.sock"]
    assert (other["version"], other["rootless"], other["store"]) == ("4.3.1", True, "graphdriver")
    assert sections["container/web"].items["image"] == sections["container/db"].items["image"]
    assert sections["container/db"].items["tag"] == {"moved": False, "points_at": CONFIG_DIGEST}


def test_an_engine_that_does_not_answer_leaves_the_containers_of_the_others(short_path: Path) -> None:
    with both(short_path):
        (short_path / "run/docker.sock").unlink()
        put(short_path, "run/docker.sock")
        sections = fingerprint_of(short_path).sections
    section = sections["containers"]
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.UNREACHABLE,))
    assert set(section.items) == {"consent", "engine:/run/user/1000/podman/podman.sock"}
    assert sections["container/db"].status is Status.OK


def test_one_engine_with_two_sockets_is_one(short_path: Path) -> None:
    """By a link, as /var/run is to /run; and by a second socket, where the engine's own id tells."""
    (short_path / "run").mkdir()
    (short_path / "var").mkdir()
    (short_path / "var/run").symlink_to("../run")
    with running_engine(short_path / "run/docker.sock") as engine:
        with Root(str(short_path)) as root:
            assert [one.place for one in endpoints(root, None)[0]] == ["/run/docker.sock"]
        (short_path / "run/podman").mkdir()
        with running_engine(short_path / "run/podman/podman.sock"):
            assert set(asked(short_path).items) == {"consent", "engine"}
        assert engine.requests


def test_two_engines_of_one_id_are_two_where_their_data_lie_apart(short_path: Path) -> None:
    """Docker before 25 keeps its id in /etc/docker/key.json, which two engines of one host share."""
    (short_path / "run/podman").mkdir(parents=True)
    with running_engine(short_path / "run/docker.sock"), running_engine(short_path / "run/podman/podman.sock") as other:
        other.answers["/info"] = {**INFO_GRAPHDRIVER, "DockerRootDir": "/srv/docker"}
        assert set(asked(short_path).items) == {"consent", "engine", "engine:/run/podman/podman.sock"}


def test_a_users_closed_directory_matters_only_where_an_engine_may_be(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    put(tmp_path, "run/user/1000/bus").parent.chmod(0)
    script = "\ntry: print(locate(root, None))\nexcept Exception as problem: print(problem.reason)"
    assert told_without_privileges(tmp_path, script) == "not-installed"
    put(tmp_path, "usr/bin/podman")
    assert told_without_privileges(tmp_path, script) == "permission"
