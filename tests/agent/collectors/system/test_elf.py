"""Checks the reader of ELF files against readelf, and that no bytes can harm it."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envparity_agent.collectors.system.elf import Elf, machine, read_elf
from tests.agent.collectors.system.native import library, told_by_readelf
from tests.agent.trees import shared_library

ROOTS = Path.home() / ".cache/envparity-tests/roots"


def parsed(content: bytes) -> Elf:
    return read_elf(lambda offset, size: content[offset : offset + size])


def summary(path: Path) -> tuple[object, ...]:
    found = parsed(path.read_bytes())
    return found.needed, found.soname, found.rpath, found.runpath, found.build_id


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_widths_and_both_byte_orders_are_read(bits: int, order: str) -> None:
    assert parsed(shared_library(bits, order)) == Elf(
        machine="x86_64",
        bits=bits,
        needed=("libz.so.1",),
        soname="libself.so.2",
        runpath=("$ORIGIN/../lib", "/opt/lib"),
        build_id="deadbeef",
    )


def test_what_readelf_tells_of_an_image_made_here_is_the_same(tmp_path: Path) -> None:
    for bits in (32, 64):
        (tmp_path / "image").write_bytes(shared_library(bits, "<"))
        assert summary(tmp_path / "image") == told_by_readelf(tmp_path / "image")


def test_a_compiled_library_is_read_as_readelf_does(tmp_path: Path) -> None:
    inner = library(tmp_path, "lib/libinner.so.1")
    outer = library(
        tmp_path, "lib/outer.so", "-Wl,-soname,libouter.so.7", "-Wl,-rpath,$ORIGIN:/opt/x", "-Wl,--enable-new-dtags",
        needs=(inner,),
    )  # fmt: skip
    assert summary(outer) == told_by_readelf(outer)
    assert parsed(outer.read_bytes()).runpath == ("$ORIGIN", "/opt/x")
    old = library(tmp_path, "lib/old.so", "-Wl,-rpath,/opt/y", "-Wl,--disable-new-dtags", needs=(inner,), build_id=None)
    assert summary(old) == told_by_readelf(old)
    assert (parsed(old.read_bytes()).rpath, parsed(old.read_bytes()).build_id) == (("/opt/y",), None)


@pytest.mark.parametrize("release", ["bullseye", "bookworm", "trixie"])
def test_every_library_of_a_debian_is_read_as_readelf_does(release: str) -> None:
    libraries = ROOTS / release / "usr/lib/x86_64-linux-gnu"
    if not libraries.is_dir():
        pytest.skip(f"{libraries} is missing: the tests of simulated hosts make it")
    paths = [path for path in sorted(libraries.glob("lib*.so.*")) if path.is_file() and not path.is_symlink()]
    assert len(paths) > 50
    assert {path.name: summary(path) for path in paths} == {path.name: told_by_readelf(path) for path in paths}


def test_a_static_program_asks_for_nothing() -> None:
    content = bytearray(shared_library(64, "<"))
    content[56:58] = (0).to_bytes(2, "little")  # e_phnum
    assert parsed(bytes(content)) == Elf("x86_64", 64)


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"#!/bin/sh\n" * 20, b"\x7fELF\x03" + bytes(80)])
def test_what_is_no_elf_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no ELF|cut off"):
        parsed(content)


def test_the_machine_is_told_by_the_first_bytes() -> None:
    assert machine(shared_library(64, "<")[:20]) == "x86_64"
    assert machine(b"MZ" + bytes(30)) is None


def quietly(content: bytes) -> None:
    """Read, whatever the bytes; anything but ValueError is a failure."""
    try:
        parsed(content)
    except ValueError:
        return


@given(st.binary(max_size=300))
@example(b"\x7fELF\x02\x01" + b"\xff" * 200)
@example(b"\x7fELF\x01\x02" + b"\xff" * 200)
def test_any_bytes_behind_the_magic_are_read_or_refused(content: bytes) -> None:
    quietly(b"\x7fELF" + content)
    quietly(content)


@given(
    st.sampled_from([shared_library(bits, order) for bits in (32, 64) for order in "<>"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=12),
    st.integers(0, 400),
)
def test_a_damaged_library_is_read_or_refused(whole: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    content = bytearray(whole)
    for place, byte in changes:
        content[place % len(content)] = byte
    quietly(bytes(content))
    quietly(bytes(content[: cut % len(content)]))


def test_no_more_is_read_than_the_limits_allow() -> None:
    """A header may claim a dynamic section as large as the disk."""
    content = bytearray(shared_library(64, "<"))
    content[64 + 2 * 56 + 32 : 64 + 2 * 56 + 40] = (1 << 40).to_bytes(8, "little")  # p_filesz of the dynamic section
    sizes = []

    def read(offset: int, size: int) -> bytes:
        sizes.append(size)
        return bytes(content[offset : offset + size])

    with pytest.raises(ValueError, match="dynamic section"):
        read_elf(read)
    assert max(sizes) < 4096
