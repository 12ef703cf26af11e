"""Tests that a damaged or made-up repository gives a declared error or a true answer, and is never followed outside."""

import os
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha1
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envparity_agent.collectors.code.files import Budget
from envparity_agent.collectors.code.repository import places
from envparity_agent.collectors.code.repository.index import read_index
from envparity_agent.collectors.code.repository.objects import Objects
from envparity_agent.collectors.code.repository.packs import apply
from envparity_agent.collectors.code.repository.staged import staged
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root
from tests.agent.collectors.code.repositories import Work, committed
from tests.agent.trees import put

damages = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["flip", "cut", "insert", "number"]), st.binary(min_size=1, max_size=8)),
    min_size=1,
    max_size=4,
)


def damaged(content: bytes, damage: list[tuple[float, str, bytes]]) -> bytes:
    """The content with some of its bytes changed, removed or added."""
    for where, how, other in damage:
        at = int(where * len(content))
        length = {"cut": len(content), "number": 4}.get(how, len(other) if how == "flip" else 0)
        content = content[:at] + (b"" if how == "cut" else other) + content[at + length :]
    return content


def sealed(content: bytes) -> bytes:
    """An index with the checksum that belongs to it, so that what is behind the checksum is tested."""
    return content[:-20] + sha1(content[:-20], usedforsecurity=False).digest()


@pytest.fixture(scope="module", params=["2", "4"])
def packed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Work:
    """A repository whose objects are in one pack with deltas, and whose index knows no trees."""
    work = committed(tmp_path_factory.mktemp("packed"))
    for number in range(8):
        for part in range(30):
            work.put(f"lib/part{part}.py", f"PART = {part or number}\n")
        work.commit()
    work.git("gc", "-q", "--aggressive", "--prune=now")
    work.git("read-tree", "--empty")
    work.git("add", "-A")
    work.git("update-index", "--index-version", request.param)
    return work


def _tell(work: Work) -> None:
    with suppress(Unreadable):
        work.told()


@given(damages, st.booleans())
def test_a_damaged_index_is_a_declared_error(packed: Work, damage: list[tuple[float, str, bytes]], seal: bool) -> None:
    place = packed.top / ".git/index"
    whole = place.read_bytes()
    try:
        place.write_bytes(sealed(damaged(whole, damage)) if seal else damaged(whole, damage))
        _tell(packed)
    finally:
        place.write_bytes(whole)


@given(damages, st.sampled_from([".pack", ".idx"]))
def test_a_damaged_pack_is_an_error_or_gives_the_true_tree(
    packed: Work, damage: list[tuple[float, str, bytes]], ending: str
) -> None:
    (place,) = (packed.top / ".git/objects/pack").glob(f"*{ending}")
    whole = place.read_bytes()
    place.chmod(0o644)
    try:
        place.write_bytes(damaged(whole, damage))
        told, reasons = packed.told()
        assert told.get("dirty") is (None if reasons else False)
    finally:
        place.write_bytes(whole)


@given(st.binary(max_size=60), st.binary(max_size=60))
@example(b"\x05\x05\x90\x05", b"12345")
def test_any_bytes_as_a_delta_give_a_declared_error_or_what_they_say(delta: bytes, base: bytes) -> None:
    with suppress(ValueError, IndexError):
        apply(delta, base)


@pytest.mark.parametrize("size", [0, 3, 40])
@given(content=st.binary(max_size=300))
def test_any_bytes_as_configuration_head_or_references_give_a_declared_error(
    packed: Work, content: bytes, size: int
) -> None:
    for name in ("config", "HEAD", "packed-refs"):
        place = packed.top / ".git" / name
        whole = place.read_bytes()
        try:
            place.write_bytes(whole[:size] + content)
            _tell(packed)
        finally:
            place.write_bytes(whole)


def _loose(work: Work, kind: bytes, content: bytes) -> str:
    """Store an object; returns its id."""
    whole = b"%b %d\0%b" % (kind, len(content), content)
    id = sha1(whole, usedforsecurity=False).hexdigest()
    put(work.top, f".git/objects/{id[:2]}/{id[2:]}", zlib.compress(whole))
    return id


def test_an_object_that_inflates_without_end_is_refused(work: Work) -> None:
    head = work.head() or ""
    place = work.top / f".git/objects/{head[:2]}/{head[2:]}"
    place.chmod(0o644)
    place.write_bytes(zlib.compress(b"commit 99999999\0" + bytes(64 * 1024 * 1024)))
    work.git("update-index", "--force-remove", "run")
    told, reasons = work.told()
    assert (told["dirty"], "changes" in told, reasons) == (True, False, {Reason.INVALID})


def test_a_tree_of_few_objects_and_endless_directories_ends_at_the_cap(work: Work) -> None:
    tree = b""
    for _ in range(30):  # each level twice in the one above: a thousand million directories
        id = bytes.fromhex(_loose(work, b"tree", tree))
        tree = b"40000 a\0" + id + b"40000 b\0" + id
    commit = _loose(work, b"commit", b"tree %b\n\nx" % _loose(work, b"tree", tree).encode())
    put(work.top, ".git/refs/heads/main", commit)
    with Root(os.fspath(work.root)) as root:
        repository = places.at(root, work.path)
        assert repository is not None
        with Objects(repository) as objects, pytest.raises(Unreadable, match=Reason.CAP):
            list(staged(objects, read_index(repository), bytes.fromhex(commit), Budget(files=10_000)))


def _links(work: Work) -> Iterator[tuple[str, str]]:
    secret = put(work.root.parent, "outside/secret", "ref: refs/heads/secret\n")
    yield ".git/HEAD", os.fspath(secret)
    yield ".git/HEAD", "../../../../outside/secret"
    yield ".git/HEAD", "HEAD"
    yield ".git/HEAD", f"/proc/self/root/{secret}"


def test_a_link_out_of_the_root_leads_nowhere(tmp_path: Path) -> None:
    work = committed(tmp_path / "root")
    for path, target in _links(work):
        (work.top / path).unlink()
        (work.top / path).symlink_to(target)
        try:
            told, _ = work.told()
        except Unreadable:
            continue
        assert "secret" not in str(told)


@pytest.mark.parametrize(
    "path", ["HEAD", "config", "index", "packed-refs", "refs/heads/main", "info/exclude", "../.gitignore"]
)
def test_a_fifo_or_a_device_in_the_place_of_a_file_is_never_opened(path: str, work: Work) -> None:
    place = work.top / ".git" / path
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    _tell(work)
    place.unlink()
    place.symlink_to("/dev/zero")
    _tell(work)


def test_a_large_file_is_not_read_beyond_the_budget(work: Work) -> None:
    with (work.top / "data.bin").open("wb") as file:
        file.truncate(1 << 40)
    told, reasons = work.told()
    assert (told["dirty"], "changes" in told, reasons) == (True, False, {Reason.CAP})


def test_directories_of_great_depth_need_no_recursion(work: Work) -> None:
    place = os.open(work.top, os.O_RDONLY)
    for _ in range(700):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(os.open("file", os.O_CREAT, dir_fd=place))
    os.close(place)
    try:
        assert work.told()[0]["dirty"] is True
    finally:
        subprocess.run(("rm", "-r", work.top / "d"), check=True)  # rmtree recurses
