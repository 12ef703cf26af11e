"""Checks what apk's database says by its format's rules: there is no apk to ask."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.system import apk
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.databases import apk_record
from tests.agent.roots import fingerprint_of
from tests.agent.trees import put

INSTALLED = "lib/apk/db/installed"
WHOLE = apk_record("musl", "1.2.5-r0", files={"lib": ["ld-musl-x86_64.so.1"]}) + apk_record("busybox")


def read(root: Path, content: str | bytes, place: str = INSTALLED) -> Section:
    put(root, place, content)
    return fingerprint_of(root).sections["os-packages"]


@pytest.mark.parametrize("place", [INSTALLED, "usr/lib/apk/db/installed"])
def test_a_package_has_what_its_record_says(tmp_path: Path, place: str) -> None:
    found = read(tmp_path, apk_record("musl", "1.2.5-r0", "Q1Ivc6kFEDA="), place)
    assert found.status is Status.OK
    assert found.items == {
        "musl": {
            "version": "1.2.5-r0",
            "architecture": "x86_64",
            "manager": "apk",
            "source": "musl-source",
            "content": "Q1Ivc6kFEDA=",
        }
    }


def test_what_stands_in_the_list_of_files_is_no_field(tmp_path: Path) -> None:
    record = apk_record("musl", files={"etc": ["a"]}).replace("R:a\n", "R:a\nV:9.9\n")
    assert read(tmp_path, record).items["musl"]["version"] == "1.0-r0"


def test_wherever_a_file_was_cut_inside_a_record_it_is_not_complete(tmp_path: Path) -> None:
    inside = range(WHOLE.index("\n\n") + 3, len(WHOLE))
    taken = [WHOLE[:end][-20:] for end in inside if read(tmp_path, WHOLE[:end]).status is Status.OK]
    assert taken == []
    assert read(tmp_path, WHOLE).status is Status.OK


@pytest.mark.parametrize("broken", ["P:\nV:1\n\n", "V:1\n\n", "P:nameless-version\n\n", "<html>\n\n"])
def test_a_record_that_is_no_package_hides_no_other(tmp_path: Path, broken: str) -> None:
    found = read(tmp_path, WHOLE + broken)
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.INVALID,))
    assert {"busybox", "musl"} <= set(found.items)


def test_an_empty_database_alone_is_not_a_system_without_packages(tmp_path: Path) -> None:
    found = read(tmp_path, "")
    assert (found.status, found.reasons) == (Status.FAILED, (Reason.INVALID,))


def test_millions_of_records_are_over_the_cap(tmp_path: Path) -> None:
    found = read(tmp_path, "P:a\nV:1\n\n" * 1_000_000)
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.CAP,))


def test_a_database_that_is_no_file_fails(tmp_path: Path) -> None:
    os.mkfifo(put(tmp_path, "lib/apk/db/other").parent / "installed")
    found = fingerprint_of(tmp_path).sections["os-packages"]
    assert (found.status, found.reasons) == (Status.FAILED, (Reason.NOT_REGULAR,))


@given(st.binary(max_size=300) | st.text("PVAoCFR:\n\0é", max_size=200).map(str.encode))
def test_no_bytes_make_the_reader_raise_anything_but_its_own_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    root = tmp_path_factory.getbasetemp() / "apk-bytes"
    put(root, INSTALLED, content)
    with Root(os.fspath(root)) as opened:
        try:
            found = apk.read(opened)
            labels = [label for label, _ in apk.files(opened, lambda paths: paths)]
        except Unreadable:
            return
    assert found is not None
    assert all(label.startswith("apk:") for label in labels)
