"""Checks that libraries are found where the dynamic loader would, and never outside of the root."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.system.loader import Loader, Object
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root
from tests.agent.collectors.system.native import library
from tests.agent.trees import AARCH64, elf, put


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Libraries to copy from: one that needs libone.so.1, with search paths of every sort, and libone.so.1 itself."""
    root = tmp_path_factory.mktemp("made")
    one = library(root, "libone.so.1")
    library(root, "plain.so", needs=(one,))
    library(root, "runpath.so", "-Wl,-rpath,$ORIGIN/own", "-Wl,--enable-new-dtags", needs=(one,))
    library(root, "rpath.so", "-Wl,-rpath,${ORIGIN}/own", "-Wl,--disable-new-dtags", needs=(one,))
    middle = library(root, "libmiddle.so.1", needs=(one,))
    library(root, "chain-rpath.so", "-Wl,-rpath,/opt/lib", "-Wl,--disable-new-dtags", needs=(middle,))
    library(root, "chain-runpath.so", "-Wl,-rpath,/opt/lib", "-Wl,--enable-new-dtags", needs=(middle,))
    return root


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    with Root(str(tmp_path)) as opened:
        yield opened


def copy(made: Path, root: Path, name: str, path: str) -> None:
    put(root, path, (made / name).read_bytes())


def found(root: Root, path: str) -> dict[str, str | None]:
    loader = Loader(root, Memory())
    assert not loader.reasons
    return {name: one.path if one else None for name, one in loader.needs(Object(path))}


def test_the_default_directories_of_the_architecture_come_last(made: Path, tmp_path: Path, root: Root) -> None:
    copy(made, tmp_path, "plain.so", "site/plain.so")
    assert found(root, "site/plain.so") == {"libone.so.1": None}
    for directory in ("usr/lib", "lib64", "usr/lib/x86_64-linux-gnu"):
        copy(made, tmp_path, "libone.so.1", f"{directory}/libone.so.1")
        assert found(root, "site/plain.so") == {"libone.so.1": f"{directory}/libone.so.1"}


def test_configured_directories_come_before_the_default_ones(made: Path, tmp_path: Path, root: Root) -> None:
    copy(made, tmp_path, "plain.so", "site/plain.so")
    for directory in ("usr/lib/x86_64-linux-gnu", "opt/a", "opt/b"):
        copy(made, tmp_path, "libone.so.1", f"{directory}/libone.so.1")
    put(tmp_path, "etc/ld.so.conf", "include ld.so.conf.d/*.conf  # the rest\n/opt/b\n")
    assert found(root, "site/plain.so") == {"libone.so.1": "opt/b/libone.so.1"}
    put(tmp_path, "etc/ld.so.conf.d/a.conf", "/opt/missing:/opt/a\n")
    assert found(root, "site/plain.so") == {"libone.so.1": "opt/a/libone.so.1"}


def test_musl_has_a_file_of_its_own(made: Path, tmp_path: Path, root: Root) -> None:
    copy(made, tmp_path, "plain.so", "site/plain.so")
    copy(made, tmp_path, "libone.so.1", "opt/musl/libone.so.1")
    put(tmp_path, "etc/ld-musl-x86_64.path", "/lib:/opt/musl\n")
    assert found(root, "site/plain.so") == {"libone.so.1": "opt/musl/libone.so.1"}


@pytest.mark.parametrize("name", ["runpath.so", "rpath.so"])
def test_a_librarys_own_search_path_comes_first(made: Path, tmp_path: Path, root: Root, name: str) -> None:
    copy(made, tmp_path, name, f"site/pkg/{name}")
    copy(made, tmp_path, "libone.so.1", "usr/lib/libone.so.1")
    assert found(root, f"site/pkg/{name}") == {"libone.so.1": "usr/lib/libone.so.1"}
    copy(made, tmp_path, "libone.so.1", "site/pkg/own/libone.so.1")
    assert found(root, f"site/pkg/{name}") == {"libone.so.1": "site/pkg/own/libone.so.1"}


@pytest.mark.parametrize(("name", "place"), [("chain-rpath.so", "opt/lib"), ("chain-runpath.so", None)])
def test_an_rpath_holds_for_what_is_loaded_below_and_a_runpath_does_not(
    made: Path, tmp_path: Path, root: Root, name: str, place: str | None
) -> None:
    copy(made, tmp_path, name, f"site/{name}")
    copy(made, tmp_path, "libmiddle.so.1", "opt/lib/libmiddle.so.1")
    copy(made, tmp_path, "libone.so.1", "opt/lib/libone.so.1")
    loader = Loader(root, Memory())
    [(_, middle)] = loader.needs(Object(f"site/{name}"))
    assert middle is not None
    [(_, one)] = loader.needs(middle)
    assert (one and one.path) == (place and f"{place}/libone.so.1")


def test_a_library_of_another_architecture_is_passed_over(made: Path, tmp_path: Path, root: Root) -> None:
    copy(made, tmp_path, "plain.so", "site/plain.so")
    put(tmp_path, "lib64/libone.so.1", elf(AARCH64))
    copy(made, tmp_path, "libone.so.1", "usr/lib/libone.so.1")
    assert found(root, "site/plain.so") == {"libone.so.1": "usr/lib/libone.so.1"}


def test_a_linker_script_is_no_library(made: Path, tmp_path: Path, root: Root) -> None:
    copy(made, tmp_path, "plain.so", "site/plain.so")
    put(tmp_path, "usr/lib/libone.so.1", "/* GNU ld script */ INPUT(libtwo.so)\n")
    assert found(root, "site/plain.so") == {"libone.so.1": None}


def test_a_search_path_never_leads_out_of_the_root(made: Path, tmp_path: Path, root: Root) -> None:
    library(tmp_path, "site/x.so", "-Wl,-rpath,/../../../../usr/lib/x86_64-linux-gnu:$ORIGIN/../../../..",
            needs=(made / "libone.so.1",))  # fmt: skip
    outside = tmp_path.parent / "libone.so.1"
    outside.write_bytes((made / "libone.so.1").read_bytes())
    assert found(root, "site/x.so") == {"libone.so.1": None}


def test_a_damaged_library_and_a_fifo_are_said(made: Path, tmp_path: Path, root: Root) -> None:
    copy(made, tmp_path, "plain.so", "site/plain.so")
    put(tmp_path, "usr/lib/libone.so.1", (made / "libone.so.1").read_bytes()[:100])
    os.mkfifo(put(tmp_path, "lib64/x").parent / "libone.so.1")
    loader = Loader(root, Memory())
    assert loader.needs(Object("site/plain.so")) == (("libone.so.1", None),)
    assert loader.reasons == {Reason.INVALID, Reason.NOT_REGULAR}


def test_a_configuration_that_includes_itself_ends(tmp_path: Path, root: Root) -> None:
    put(tmp_path, "etc/ld.so.conf", "include /etc/ld.so.conf\n/opt/a\n")
    assert Loader(root, Memory()).reasons == {Reason.CAP}


def test_a_configuration_of_endless_directories_ends(tmp_path: Path, root: Root) -> None:
    put(tmp_path, "etc/ld.so.conf", "".join(f"/opt/{number}\n" for number in range(5000)))
    loader = Loader(root, Memory())
    assert (loader.directories, loader.reasons) == ((), {Reason.CAP})


def test_a_chain_of_search_paths_does_not_grow_without_end(tmp_path: Path, root: Root) -> None:
    """Two libraries that need each other, found by a path that goes down and up again."""
    stub = library(tmp_path / "stub", "libb.so")
    a = library(tmp_path, "x/liba.so", "-Wl,-rpath,$ORIGIN/../x", "-Wl,--disable-new-dtags", needs=(stub,))
    library(tmp_path, "x/libb.so", "-Wl,-rpath,$ORIGIN/../x/../x", "-Wl,--disable-new-dtags", needs=(a,))
    loader = Loader(root, Memory())
    seen, pending = set(), [Object("x/liba.so")]
    while pending:
        one = pending.pop()
        if one not in seen:
            seen.add(one)
            pending += [needed for _, needed in loader.needs(one) if needed]
    assert len(seen) < 6


def test_an_unchanged_library_is_parsed_once(made: Path, tmp_path: Path, root: Root) -> None:
    copy(made, tmp_path, "plain.so", "plain.so")
    memory = Memory()
    first = Loader(root, memory).file("plain.so")
    memory.begin()
    assert Loader(root, memory).file("plain.so") is first
    put(tmp_path, "plain.so", (made / "rpath.so").read_bytes())
    memory.begin()
    changed = Loader(root, memory).file("plain.so")
    assert changed is not None
    assert changed.elf.rpath == ("${ORIGIN}/own",)
