"""Checks the names in glibc's archive of locales against the tool that writes it, and hostile archives."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.system.files import Files
from envparity_agent.collectors.system.locales import generated
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root
from tests.agent.trees import put
from tests.system.components import Component, require

LOCALEDEF = Component("localedef", "libc-bin")
ARCHIVE = "usr/lib/locale/locale-archive"


def read(root: Path) -> tuple[tuple[str, ...], set[str]]:
    with Root(str(root)) as opened:
        files = Files(opened)
        return generated(files), files.reasons


def archive(*names: str, shift: int = 0) -> bytes:
    """An archive of these names, with a free entry between; `shift` moves where the names are said to be."""
    texts = b"".join(name.encode() + b"\0" for name in names)
    size = 2 * len(names) + 1
    place = 56 + 12 * size
    entries, offset = [b"\0" * 12], place
    for name in names:
        entries += [struct.pack("3I", 1, offset + shift, 4096), b"\0" * 12]
        offset += len(name) + 1
    header = struct.pack("14I", 0xDE020109, 1, 56, len(names), size, place, len(texts), len(texts), *[0] * 6)
    return header + b"".join(entries) + texts


def test_the_names_are_those_that_localedef_lists(tmp_path: Path) -> None:
    tool = require(LOCALEDEF)
    source = Path("/usr/lib/locale/C.utf8")
    if not source.is_dir():
        pytest.skip(f"{source} is missing: apt-get install libc-bin")
    (tmp_path / "usr/lib/locale").mkdir(parents=True)
    for name in ("xx_XX.utf8", "yy_YY.utf8"):
        copy = tmp_path / name
        shutil.copytree(source, copy)
        subprocess.run((tool, f"--prefix={tmp_path}", "--add-to-archive", copy), check=True)
    listed = subprocess.run(
        (tool, f"--prefix={tmp_path}", "--list-archive"), check=True, capture_output=True, text=True
    ).stdout.split()
    assert listed
    assert read(tmp_path) == (tuple(sorted(listed)), set())


def test_an_archive_and_directories_are_told_as_one(tmp_path: Path) -> None:
    put(tmp_path, ARCHIVE, archive("de_DE.utf8", "en_US.utf8"))
    put(tmp_path, "usr/lib/locale/C.utf8/LC_CTYPE")
    assert read(tmp_path) == (("C.utf8", "de_DE.utf8", "en_US.utf8"), set())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"words",
        archive("de_DE.utf8")[:-3],
        archive("de_DE.utf8", shift=400),
        struct.pack("8I", 0xDE020109, *[2**32 - 1] * 7),
    ],
    ids=["empty", "text", "cut", "name elsewhere", "huge"],
)
def test_a_damaged_archive_is_invalid(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, ARCHIVE, content)
    assert read(tmp_path) == ((), {Reason.INVALID})


@given(st.lists(st.integers(0, 2**32 - 1), min_size=7, max_size=40))
def test_any_numbers_are_read_or_invalid(tmp_path_factory: pytest.TempPathFactory, numbers: list[int]) -> None:
    root = tmp_path_factory.mktemp("root")
    put(root, ARCHIVE, struct.pack(f"{len(numbers) + 1}I", 0xDE020109, *numbers))
    names, reasons = read(root)
    assert not names or not reasons
    assert reasons <= {Reason.INVALID}
