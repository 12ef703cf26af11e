"""Checks that a report waits until it is acknowledged, and that a damaged one is set aside and never sent."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from envparity_agent.errors import CannotTell
from envparity_agent.spool import Report, Spool
from tests.agent.test_fingerprint import EXAMPLE
from tests.agent.test_state import no_space_beyond

REPORT = Report("epoch", 7, EXAMPLE)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


def test_nothing_waits_at_first(spool: Spool) -> None:
    assert spool.waiting() is None


def test_a_report_waits_until_it_is_acknowledged(spool: Spool, tmp_path: Path) -> None:
    spool.put(REPORT)
    waiting = Spool(tmp_path).waiting()  # as after a restart
    assert waiting is not None
    assert (waiting.epoch, waiting.seq, waiting.fingerprint.root) == ("epoch", 7, EXAMPLE.root)
    assert waiting.fingerprint.identity == EXAMPLE.identity
    spool.acknowledged()
    assert spool.waiting() is None


def test_what_is_acknowledged_twice_is_forgotten_once(spool: Spool) -> None:
    spool.acknowledged()
    spool.acknowledged()


def test_a_newer_report_replaces_one_that_waits(spool: Spool) -> None:
    spool.put(REPORT)
    spool.put(Report("epoch", 8, EXAMPLE))
    waiting = spool.waiting()
    assert waiting is not None
    assert waiting.seq == 8


def test_a_disk_that_is_full_keeps_the_report_that_waits(spool: Spool) -> None:
    spool.put(REPORT)
    with no_space_beyond(10), pytest.raises(CannotTell):
        spool.put(Report("epoch", 8, EXAMPLE))
    waiting = spool.waiting()
    assert waiting is not None
    assert waiting.seq == 7


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def of_another_shape(_: bytes) -> bytes:
    body = b"{}"
    return f"{len(body)} {hashlib.sha256(body).hexdigest()}\n".encode() + body


def of_no_shape(_: bytes) -> bytes:
    body = b"[1]"
    return f"{len(body)} {hashlib.sha256(body).hexdigest()}\n".encode() + body


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: content + b" ",
        lambda content: b"\0" * len(content),
        flipped,
        lambda content: content.replace(b'"seq":7', b'"seq":6'),
        of_another_shape,
        of_no_shape,
    ],
    ids=["empty", "cut", "half", "longer", "zeros", "bit", "number", "another shape", "no shape"],
)
def test_a_damaged_report_is_set_aside_and_told(
    spool: Spool, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes]
) -> None:
    caplog.set_level(logging.WARNING)
    spool.put(REPORT)
    damaged = damage((tmp_path / "report").read_bytes())
    (tmp_path / "report").write_bytes(damaged)
    assert spool.waiting() is None
    assert (tmp_path / "report.torn").read_bytes() == damaged
    assert "set aside" in caplog.text
    assert spool.waiting() is None
    spool.put(REPORT)
    assert spool.waiting() is not None
