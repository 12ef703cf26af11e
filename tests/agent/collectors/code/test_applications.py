"""Tests of finding applications, and of what is told about the code of each."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from envparity_agent.collectors.code import applications
from envparity_agent.collectors.code.applications import code, collect
from envparity_agent.collectors.interface import Options, Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.fingerprint import Items, Reason, Section, Status
from envparity_agent.kinds import KINDS
from envparity_agent.root import Root
from tests.agent.collectors.code.repositories import Work
from tests.agent.trees import put, venv


def sections(root: Path, *venvs: str, **named: str) -> dict[str, Section]:
    """The sections of a root directory by path."""
    with Root(os.fspath(root)) as opened:
        found = list(collect(Subject(opened, Options(applications=named)), venvs))
    return {one.path: one for one in found}


def told(root: Path, directory: str) -> tuple[Items, tuple[str, ...]]:
    with Root(os.fspath(root)) as opened:
        return code(opened, directory, Memory())


def outcomes(found: Mapping[str, Section]) -> dict[str, tuple[Status, tuple[str, ...]]]:
    return {path: (one.status, one.reasons) for path, one in found.items()}


def test_a_checkout_is_told_by_its_commit(work: Work) -> None:
    work.put("lib/prices.py", "PRICE = 2\n")
    items, reasons = told(work.root, "srv/shop")
    changes = items["code"]["changes"]
    expected = {
        "commit": work.head(), "branch": "main", "dirty": True, "changes": changes, "location": "/srv/shop",
    }  # fmt: skip
    assert (items, reasons) == ({"code": expected}, ())


def test_a_directory_without_version_control_is_told_by_its_files(tmp_path: Path) -> None:
    put(tmp_path, "srv/shop/shop.py", "x")
    items, reasons = told(tmp_path, "/srv/shop/")
    content = "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert items == {
        "code": {"tree": items["code"]["tree"], "files": 1, "location": "/srv/shop"},
        "file:shop.py": {"content": content},
    }
    assert reasons == ()


def test_of_very_many_files_the_hash_over_all_is_told(tmp_path: Path) -> None:
    for number in range(applications.MAX_FILES + 1):
        put(tmp_path, f"srv/shop/part{number}.py")
    items, reasons = told(tmp_path, "srv/shop")
    assert (set(items), items["code"]["files"], reasons) == ({"code"}, applications.MAX_FILES + 1, ())


def test_a_repository_that_cannot_be_read_is_said_and_the_files_are_told(work: Work) -> None:
    work.put(".git/HEAD", "nonsense")
    items, reasons = told(work.root, "srv/shop")
    assert ("tree" in items["code"], "file:shop.py" in items, reasons) == (True, True, (Reason.INVALID,))


def test_the_root_of_a_system_is_no_application(tmp_path: Path) -> None:
    put(tmp_path, "etc/passwd", "root")
    assert told(tmp_path, "/") == ({"code": {"location": "/"}}, (Reason.UNSUPPORTED,))


def test_an_environment_in_a_project_makes_an_application_named_by_its_path(tmp_path: Path) -> None:
    for place in ("srv/shop/.venv", "srv/shop/env-3.12", "srv/tool/venv", "home/ann/env", "opt/venv"):
        venv(tmp_path, place)
    put(tmp_path, "srv/shop/pyproject.toml")
    put(tmp_path, "srv/tool/requirements.txt")
    put(tmp_path, "opt/readme.txt")
    found = sections(
        tmp_path, "srv/shop/.venv", "srv/shop/env-3.12", "srv/tool/venv", "home/ann/env", "opt/venv", "gone/venv"
    )
    assert outcomes(found) == {"app/srv/shop": (Status.OK, ()), "app/srv/tool": (Status.OK, ())}
    assert found["app/srv/shop"].items.keys() == {"code", "file:pyproject.toml"}


def test_the_name_that_the_operator_gives_wins_over_the_path(tmp_path: Path) -> None:
    venv(tmp_path, "srv/shop/releases/42/.venv")
    put(tmp_path, "srv/shop/releases/42/manage.py")
    (tmp_path / "srv/shop/current").symlink_to("releases/42")
    found = sections(tmp_path, "srv/shop/releases/42/.venv", shop="/srv/shop/current")
    assert found.keys() == {"app/shop"}
    assert found["app/shop"].items["code"]["location"] == "/srv/shop/releases/42"


def test_an_application_that_is_not_on_this_host_is_absent_and_one_that_is_no_directory_failed(tmp_path: Path) -> None:
    put(tmp_path, "srv/file")
    (tmp_path / "srv/loop").symlink_to("loop")
    assert outcomes(sections(tmp_path, gone="/srv/gone", file="/srv/file", loop="/srv/loop")) == {
        "app/file": (Status.FAILED, (Reason.NOT_REGULAR,)),
        "app/gone": (Status.ABSENT, (Reason.NOT_INSTALLED,)),
        "app/loop": (Status.FAILED, (Reason.SYMLINKS,)),
    }


def test_what_could_not_be_told_makes_the_section_partial(work: Work) -> None:
    work.git("update-index", "--split-index")
    assert outcomes(sections(work.root, shop="/srv/shop")) == {"app/shop": (Status.PARTIAL, (Reason.UNSUPPORTED,))}


@pytest.mark.parametrize("path", [".git/index", "lib/prices.py"])
def test_only_declared_attributes_are_told(path: str, work: Work) -> None:
    work.git("config", "remote.origin.url", "https://git.example/shop.git")
    (work.top / path).unlink()
    section = sections(work.root, shop="/srv/shop")["app/shop"]
    declared = KINDS[section.kind, section.schema].attributes.keys()
    assert all(attributes.keys() <= declared for attributes in section.items.values())
