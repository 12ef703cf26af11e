"""Checks that what an agent must not lose is whole after a fault, its own, and used by one agent at a time."""

import errno
import json
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envparity_agent.errors import CannotTell, EnvparityError, UsageError
from envparity_agent.state import AlreadyRunning, Enrolment, exclusive, is_enrolled, load, save, write_durably


@contextmanager
def no_space_beyond(size: int) -> Iterator[None]:
    """Writing more than this many bytes to one file fails, as it does on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    for content in (b"one", b"two and more", b""):
        write_durably(tmp_path / "deep" / "er" / "file", content)
        assert (tmp_path / "deep/er/file").read_bytes() == content
    assert os.listdir(tmp_path / "deep/er") == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_durably(tmp_path / "file", b"old")
    with no_space_beyond(1000), pytest.raises(CannotTell, match=f"cannot write .*{os.strerror(errno.EFBIG)}"):
        write_durably(tmp_path / "file", b"x" * 100_000)
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_place_that_takes_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotTell, match="cannot write"):
        write_durably(tmp_path / "file" / "below", b"x")


def test_only_the_owner_can_read_a_credential_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        save(tmp_path / "state", Enrolment("https://server.example", "/"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state/agent.json").stat().st_mode) == 0o600


def test_an_enrolment_comes_back_as_it_was(tmp_path: Path) -> None:
    enrolment = Enrolment("https://server.example", "/host", "unix:///run/docker.sock").next().next()
    save(tmp_path, enrolment)
    assert load(tmp_path) == enrolment
    assert enrolment.seq == 2


def test_every_enrolment_is_of_its_own() -> None:
    one, other = Enrolment("x", "/"), Enrolment("x", "/")
    assert one.host_id != other.host_id
    assert one.credential != other.credential
    assert one.epoch != other.epoch


def test_an_agent_that_is_not_enrolled_is_told_how_to(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not enrolled") as refused:
        load(tmp_path)
    assert "enroll" in refused.value.advice


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"{}", b'{"unknown": 1}', b"\xff"])
def test_a_damaged_enrolment_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "agent.json").write_bytes(content)
    with pytest.raises(UsageError, match="cannot read"):
        load(tmp_path)


def test_an_enrolment_is_kept_as_json(tmp_path: Path) -> None:
    save(tmp_path, Enrolment("https://server.example", "/", seq=7))
    assert json.loads((tmp_path / "agent.json").read_bytes())["seq"] == 7


def test_a_credential_that_comes_is_kept_beside_the_present_one(tmp_path: Path) -> None:
    enrolment = Enrolment("https://server.example", "/")
    changing = enrolment.changing()
    save(tmp_path, changing)
    assert load(tmp_path) == changing
    assert changing.credential == enrolment.credential != changing.next_credential
    assert len(changing.next_credential) > 40
    assert changing.changing() == changing


def test_without_one_the_file_is_as_older_agents_know_it(tmp_path: Path) -> None:
    save(tmp_path, Enrolment("https://server.example", "/"))
    assert "next_credential" not in json.loads((tmp_path / "agent.json").read_bytes())


def test_an_agent_is_enrolled_also_where_its_file_is_damaged(tmp_path: Path) -> None:
    assert not is_enrolled(tmp_path)
    (tmp_path / "agent.json").write_bytes(b"{")
    assert is_enrolled(tmp_path)


def test_a_second_agent_has_nothing_to_do(tmp_path: Path) -> None:
    with exclusive(tmp_path / "state"), pytest.raises(AlreadyRunning) as refused, exclusive(tmp_path / "state"):
        pass
    assert refused.value.exit_code == 0
    with exclusive(tmp_path / "state"):
        pass


def test_a_state_that_cannot_be_kept_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvparityError), exclusive(tmp_path / "file" / "state"):
        pass
