"""Checks what is said of an interpreter that is never run."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.python.interpreter import identify
from envparity_agent.collectors.python.search import Environment
from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.roots import fingerprint_of
from tests.agent.trees import AARCH64, elf, interpreter, put, venv


def environment(root: Path, name: str = "srv/app") -> Section:
    return fingerprint_of(root).sections[f"python/{name}"]


def facts(root: Path, name: str = "srv/app") -> Attributes:
    found = environment(root, name).items["@python"]
    return {key: value for key, value in found.items() if key not in ("path", "hooks")}


def test_the_version_of_an_interpreter_is_that_of_its_header(tmp_path: Path) -> None:
    interpreter(tmp_path, version="3.11.2+")
    assert facts(tmp_path, "usr/lib/python3.11") == {
        "role": "interpreter",
        "implementation": "cpython",
        "abi": "3.11",
        "version": "3.11.2+",
    }


@pytest.mark.parametrize("path", ["bin/python3.11", "lib/libpython3.11.so.1.0", "lib64/libpython3.11.so.1.0"])
@pytest.mark.parametrize("version", ["3.11.2", "3.11.0rc2", "3.11.2+"])
def test_without_a_header_the_version_is_read_from_the_binary(tmp_path: Path, path: str, version: str) -> None:
    put(tmp_path, "usr/lib/python3.11/os.py")
    put(tmp_path, f"usr/{path}", b"\x7fELF..\x003.10.1\x003.11\x00" + version.encode() + b"\x00..")
    assert facts(tmp_path, "usr/lib/python3.11")["version"] == version


@pytest.mark.parametrize(
    ("details", "version"),
    [
        ({"releaselevel": "final", "serial": 0}, "3.14.2"),
        ({"releaselevel": "candidate", "serial": 1}, "3.14.2rc1"),
        ({"releaselevel": "odd", "serial": 1}, "3.14"),
        ({"releaselevel": "final", "serial": 0, "micro": "two"}, "3.14"),
        ({"releaselevel": "final", "serial": 0, "micro": math.inf}, "3.14"),
        (None, "3.14"),
    ],
)
def test_the_version_is_that_of_build_details_where_there_are_some(tmp_path: Path, details: Any, version: str) -> None:
    put(tmp_path, "usr/lib/python3.14/os.py")
    told = details and {"major": 3, "minor": 14, "micro": 2, **details}
    for document in ({"language": {"version_info": told}}, {"implementation": {"version": told}}):
        put(tmp_path, "usr/lib/python3.14/build-details.json", json.dumps(document))
        assert facts(tmp_path, "usr/lib/python3.14")["version"] == version


def test_a_base_that_is_gone_is_not_the_interpreter_at_the_top_of_the_root(tmp_path: Path) -> None:
    """On merged systems /lib is a link to /usr/lib, so that the root itself looks like a prefix."""
    interpreter(tmp_path)
    (tmp_path / "lib").symlink_to("usr/lib")
    venv(tmp_path, "srv/app", configuration="home = /opt/gone/bin\nversion = 3.11.2\n")
    assert facts(tmp_path)["orphaned"] is True


def test_a_free_threaded_build_has_its_own_header(tmp_path: Path) -> None:
    interpreter(tmp_path, abi="3.13t", version="3.13.1")
    found = facts(tmp_path, "usr/lib/python3.13t")
    assert (found["abi"], found["version"]) == ("3.13t", "3.13.1")


def test_where_nothing_tells_more_the_version_is_that_of_the_directory(tmp_path: Path) -> None:
    put(tmp_path, "usr/lib/python3.13t/os.py")
    assert facts(tmp_path, "usr/lib/python3.13t")["version"] == "3.13"


def test_pypy_is_told_by_its_library(tmp_path: Path) -> None:
    put(tmp_path, "opt/pypy/lib/pypy3.10/os.py")
    assert facts(tmp_path, "opt/pypy/lib/pypy3.10")["implementation"] == "pypy"


@pytest.mark.parametrize(
    ("configuration", "creator"),
    [
        ("home = /usr/bin\nversion = 3.11.9\n", "venv"),
        ("HOME=/usr/bin\nvirtualenv = 20.26.6\nversion_info = 3.11.9.final.0\n", "virtualenv"),
        ("home = /usr/bin\nuv = 0.4.20\nversion_info = 3.11.9\n", "uv"),
    ],
)
def test_a_virtual_environment_is_of_its_base_interpreters_version(
    tmp_path: Path, configuration: str, creator: str
) -> None:
    interpreter(tmp_path, version="3.11.2")
    venv(tmp_path, "srv/app", configuration=configuration)
    assert facts(tmp_path) == {
        "role": "venv",
        "implementation": "cpython",
        "abi": "3.11",
        "creator": creator,
        "system_site": False,
        "orphaned": False,
        "base": "usr",
        "version": "3.11.2",
    }


@pytest.mark.parametrize(
    ("configuration", "version"),
    [
        ("home = /opt/gone/bin\nversion = 3.11.2\n", "3.11.2"),
        ("home = /opt/gone/bin\nversion_info = 3.11.2.final.0\n", "3.11.2"),
        ("home = /opt/gone/bin\nversion_info = 3.11.0rc1\n", "3.11.0rc1"),
        ("home = /opt/gone/bin\nversion = none\n", ""),
        ("home = /opt/gone/bin\n", ""),
    ],
)
def test_a_virtual_environment_whose_base_is_gone_is_orphaned(tmp_path: Path, configuration: str, version: str) -> None:
    venv(tmp_path, "srv/app", configuration=configuration)
    found = facts(tmp_path)
    assert (found["orphaned"], found["base"], found["version"]) == (True, "opt/gone/bin", version)


def test_a_base_that_is_of_another_version_by_now_orphans_its_virtual_environments(tmp_path: Path) -> None:
    interpreter(tmp_path, abi="3.12")
    venv(tmp_path, "srv/app")
    assert facts(tmp_path)["orphaned"] is True


def test_a_base_below_a_merged_directory_is_found(tmp_path: Path) -> None:
    """`/bin` is a link to `/usr/bin` on merged systems, and the standard library is below /usr only."""
    interpreter(tmp_path)
    venv(tmp_path, "srv/app", configuration="home = /bin\n")
    assert facts(tmp_path)["base"] == "usr"


def test_a_base_behind_a_link_is_found_inside_the_root(tmp_path: Path) -> None:
    interpreter(tmp_path, "opt/python-3.11.2")
    (tmp_path / "opt/python").symlink_to("/opt/python-3.11.2")
    venv(tmp_path, "srv/app", configuration="home = /opt/python/bin\n")
    assert facts(tmp_path)["orphaned"] is False


def test_a_configuration_that_names_itself_as_its_base_ends(tmp_path: Path) -> None:
    venv(tmp_path, "srv/app", configuration="home = /srv/app/bin\n")
    assert facts(tmp_path)["orphaned"] is True


def test_a_configuration_without_a_home_is_a_problem(tmp_path: Path) -> None:
    venv(tmp_path, "srv/app", configuration="noise\n")
    assert facts(tmp_path)["problem"] == "pyvenv.cfg has no home"


def test_a_configuration_of_a_megabyte_is_said_to_be_unread(tmp_path: Path) -> None:
    venv(tmp_path, "srv/app", configuration=f"home = {'x' * 1_000_000}\n")
    venv(tmp_path, "srv/other")
    found = environment(tmp_path)
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.CAP,))
    assert found.items["@python"]["problem"] == "pyvenv.cfg: cap"
    assert environment(tmp_path, "srv/other").status is Status.OK


def test_a_virtual_environment_without_a_library_is_told_all_the_same(tmp_path: Path) -> None:
    put(tmp_path, "srv/app/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n")
    assert facts(tmp_path)["version"] == "3.11.2"
    assert "abi" not in facts(tmp_path)


def test_markers_are_those_of_the_interpreter_that_is_read(tmp_path: Path) -> None:
    interpreter(tmp_path, version="3.11.2+")
    put(tmp_path, "usr/bin/python3.11", elf(AARCH64))
    with Root(str(tmp_path)) as root:
        found = identify(Subject(root), Environment("usr", "lib/python3.11", "interpreter"), set()).markers()
    assert (found["python_version"], found["python_full_version"]) == ("3.11", "3.11.2")
    assert (found["platform_machine"], found["platform_python_implementation"]) == ("aarch64", "CPython")
    assert set(found) == set(default_environment())  # else this process's own would be taken


def test_a_program_that_is_none_has_no_architecture(tmp_path: Path) -> None:
    interpreter(tmp_path)
    put(tmp_path, "usr/bin/python3.11", "#!/bin/sh\n")
    with Root(str(tmp_path)) as root:
        found = identify(Subject(root), Environment("usr", "lib/python3.11", "interpreter"), set())
    assert found.machine == ""
