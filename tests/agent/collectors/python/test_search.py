"""Checks which Python environments are found below a root, and what is said where one cannot look."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Options, Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.python.search import Environment, Found, search, site_directories
from envparity_agent.fingerprint import Reason, Status
from envparity_agent.root import Root
from tests.agent.roots import fingerprint_of
from tests.agent.trees import distribution, interpreter, put, venv
from tests.agent.unprivileged import told_without_privileges


def found_in(root: Path, budget: float = 60.0) -> Found:
    with Root(str(root)) as opened:
        return search(Subject(opened), budget)


def roles(root: Path) -> dict[str, str]:
    return {one.name: one.role for one in found_in(root).environments}


def sites(root: Path, environment: Environment) -> list[str]:
    with Root(str(root)) as opened:
        return site_directories(opened, environment)


@pytest.mark.parametrize(
    "configuration",
    [
        "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n",
        "home = /usr/bin\nimplementation = CPython\nversion_info = 3.11.2.final.0\nvirtualenv = 20.26.6\n",
        "home = /usr/bin\nimplementation = CPython\nuv = 0.4.20\nversion_info = 3.11.2\n",
    ],
    ids=["venv", "virtualenv", "uv"],
)
def test_a_virtual_environment_is_found_wherever_it_lies(tmp_path: Path, configuration: str) -> None:
    venv(tmp_path, "srv/deep/er/.venv", configuration=configuration)
    assert roles(tmp_path) == {"srv/deep/er/.venv": "venv"}


def test_a_virtual_environment_may_be_the_root_itself(tmp_path: Path) -> None:
    venv(tmp_path, ".")
    assert [(one.prefix, one.library, one.role) for one in found_in(tmp_path).environments] == [
        ("", "lib/python3.11", "venv")
    ]


@pytest.mark.parametrize(
    ("path", "abi"),
    [
        ("usr/lib/python3.11", "3.11"),
        ("usr/local/lib/python3.13t", "3.13t"),
        ("opt/pypy/lib/pypy3.10", "3.10"),
        ("usr/lib64/python3.9", "3.9"),
        ("root/.pyenv/versions/2.7.18/lib/python2.7", "2.7"),
    ],
)
def test_an_interpreter_is_found_by_its_standard_library(tmp_path: Path, path: str, abi: str) -> None:
    put(tmp_path, f"{path}/os.py")
    [one] = found_in(tmp_path).environments
    assert (one.name, one.abi, one.role) == (path, abi, "interpreter")


@pytest.mark.parametrize("path", ["usr/lib/python3", "srv/python3.11", "usr/lib/python3.11-config"])
def test_a_directory_without_a_standard_library_is_no_interpreter(tmp_path: Path, path: str) -> None:
    put(tmp_path, f"{path}/other.py")
    assert roles(tmp_path) == {}


def test_debians_site_directories_belong_to_its_interpreter(tmp_path: Path) -> None:
    interpreter(tmp_path)
    distribution(tmp_path / "usr/local/lib/python3.11/dist-packages", "local", "1")
    distribution(tmp_path / "usr/lib/python3/dist-packages", "packaged", "1")
    assert roles(tmp_path) == {"usr/lib/python3.11": "interpreter"}
    assert sites(tmp_path, Environment("usr", "lib/python3.11", "interpreter")) == [
        "usr/local/lib/python3.11/dist-packages",
        "usr/lib/python3/dist-packages",
    ]
    assert {"local", "packaged"} <= fingerprint_of(tmp_path).sections["python/usr/lib/python3.11"].items.keys()


def test_a_directory_that_is_seen_under_two_names_is_one(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    (tmp_path / "srv/app/lib64").symlink_to("lib")
    assert sites(tmp_path, Environment("srv/app", "lib/python3.11", "venv")) == [str(site.relative_to(tmp_path))]


def test_a_users_site_directory_stands_for_itself(tmp_path: Path) -> None:
    interpreter(tmp_path)
    distribution(tmp_path / "home/ann/.local/lib/python3.11/site-packages", "tool", "1")
    name = "home/ann/.local/lib/python3.11/site-packages"
    assert roles(tmp_path) == {"usr/lib/python3.11": "interpreter", name: "site"}
    assert "tool" in fingerprint_of(tmp_path).sections[f"python/{name}"].items


def test_a_virtual_environment_with_a_copied_standard_library_is_one_environment(tmp_path: Path) -> None:
    """As virtualenv made them before its version 20."""
    venv(tmp_path, "srv/app")
    put(tmp_path, "srv/app/lib/python3.11/os.py")
    assert roles(tmp_path) == {"srv/app": "venv"}


def test_a_virtual_environment_with_the_libraries_of_two_versions_is_read_by_its_configuration(tmp_path: Path) -> None:
    """As `venv --upgrade` leaves it: only the later version's packages can be imported."""
    interpreter(tmp_path, abi="3.12", version="3.12.1")
    distribution(venv(tmp_path, "srv/app", "3.11"), "stale", "1")
    distribution(venv(tmp_path, "srv/app", "3.12", "home = /usr/bin\nversion = 3.12.1\n"), "used", "1")
    items = fingerprint_of(tmp_path).sections["python/srv/app"].items
    assert items["@python"]["abi"] == "3.12"
    assert items["@python"]["orphaned"] is False
    assert "used" in items


def test_a_link_is_no_second_environment(tmp_path: Path) -> None:
    venv(tmp_path, "srv/app")
    (tmp_path / "srv/current").symlink_to("app")
    (tmp_path / "srv/app/self").symlink_to(".")
    assert roles(tmp_path) == {"srv/app": "venv"}


@pytest.mark.parametrize(
    "inside",
    [
        ("containers", "image", "network", "volumes", "overlay2"),
        ("overlay-containers", "overlay-images", "overlay-layers", "overlay"),
        ("io.containerd.content.v1.content", "io.containerd.metadata.v1.bolt"),
    ],
    ids=["docker", "podman", "containerd"],
)
def test_the_storage_of_an_engine_is_left_out_wherever_it_lies_and_that_is_said(
    tmp_path: Path, inside: tuple[str, ...]
) -> None:
    for name in inside:
        venv(tmp_path, f"mnt/big/{name}/1/app")
    venv(tmp_path, "srv/app")
    found = found_in(tmp_path)
    assert [one.name for one in found.environments] == ["srv/app"]
    assert found.skipped == {"mnt/big": "storage of a container engine"}
    section = fingerprint_of(tmp_path).sections["python"]
    assert section.items == {"mnt/big": {"skipped": "storage of a container engine"}}
    assert section.status is Status.OK


def test_a_directory_that_only_resembles_storage_is_searched(tmp_path: Path) -> None:
    venv(tmp_path, "srv/containers/app")
    (tmp_path / "srv/image").mkdir()
    assert roles(tmp_path) == {"srv/containers/app": "venv"}


def test_a_closed_directory_makes_the_search_partial(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    venv(tmp_path, "srv/app")
    venv(tmp_path, "home/ann/secret/app")
    (tmp_path / "home/ann/secret").chmod(0)
    script = (
        "\nfound = survey(Target('root', 'x'), Subject(root)).sections"
        "\nprint(found['python'].status, *found['python'].reasons, *found['python'].items,"
        " *(path for path in found if path.startswith('python/')))"
    )
    told = told_without_privileges(tmp_path, script)
    assert told.split() == ["partial", "permission", "home/ann/secret", "python/srv/app"]


def test_a_search_that_runs_out_of_time_says_so(tmp_path: Path) -> None:
    venv(tmp_path, "var/data/app")
    found = found_in(tmp_path, budget=-1)
    assert found.environments == []
    assert found.reasons == {Reason.CAP}


def test_what_a_person_names_or_custom_tells_does_not_wait_for_the_walk(tmp_path: Path) -> None:
    put(tmp_path, "etc/passwd", "ann:x:1000:1000::/people/ann:/bin/sh\nbroken line\n")
    put(tmp_path, "people/ann/.conda/environments.txt", "/data/conda\nrelative\n")
    for place in ("var/named", "var/shop/.venv", "people/ann/.cache/pypoetry/virtualenvs/a-b", "opt/tool"):
        venv(tmp_path, place)
    interpreter(tmp_path, "people/ann/.pyenv/versions/3.11.2")
    interpreter(tmp_path, "people/ann/miniconda3/envs/ml")
    interpreter(tmp_path, "data/conda")
    distribution(tmp_path / "people/ann/.local/lib/python3.11/site-packages", "tool", "1.0")
    options = Options(names={"one": "/var/named"}, applications={"shop": "/var/shop/"})
    with Root(str(tmp_path)) as root:
        found = search(Subject(root, options), budget=-1)
    assert [one.name for one in found.environments] == [
        "data/conda/lib/python3.11",
        "opt/tool",
        "people/ann/.cache/pypoetry/virtualenvs/a-b",
        "people/ann/.local/lib/python3.11/site-packages",
        "people/ann/.pyenv/versions/3.11.2/lib/python3.11",
        "people/ann/miniconda3/envs/ml/lib/python3.11",
        "var/named",
        "var/shop/.venv",
    ]


def test_an_environment_that_a_program_runs_from_does_not_wait_for_the_walk(tmp_path: Path) -> None:
    made = tmp_path / "var/app"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
    with subprocess.Popen([made / "bin/python", "-c", "input()"], stdin=subprocess.PIPE) as program, Root("/") as root:
        found = search(Subject(root), budget=-1)
        program.communicate(b"\n")
    prefix = str(made).strip("/")
    assert prefix in [one.prefix for one in found.environments]
    assert 0 <= time.time() - found.running[prefix] < 3600


def test_the_walk_goes_on_in_the_next_survey(tmp_path: Path) -> None:
    venv(tmp_path, "var/app")
    memory = Memory()
    with Root(str(tmp_path)) as root:
        assert search(Subject(root, memory=memory), budget=-1).environments == []
        kept = Memory(json.loads(json.dumps(memory.lasting)))  # as over a restart
        found = search(Subject(root, memory=kept))
    assert [one.name for one in found.environments] == ["var/app"]
    assert found.reasons == set()


def test_one_directory_under_two_names_is_one_environment(tmp_path: Path) -> None:
    interpreter(tmp_path, "opt/python-3.11.2")
    (tmp_path / "opt/python").symlink_to("python-3.11.2")
    assert roles(tmp_path) == {"opt/python-3.11.2/lib/python3.11": "interpreter"}


def test_an_environment_that_went_away_is_not_told(tmp_path: Path) -> None:
    site = venv(tmp_path, "var/app")
    memory = Memory()
    with Root(str(tmp_path)) as root:
        assert len(search(Subject(root, memory=memory)).environments) == 1
        memory.begin()
        shutil.rmtree(site.parents[2])
        assert search(Subject(root, memory=memory)).environments == []


def test_environments_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a", "c/d"):
        venv(tmp_path, name)
    assert list(roles(tmp_path)) == ["a", "b", "c/d"]
