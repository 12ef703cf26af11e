"""Checks that one collector's failure takes nothing with it, and that whatever a root holds can be sent."""

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from envparity_agent.canonical import canonical, decode
from envparity_agent.collectors import COLLECTORS, INSIDE
from envparity_agent.collectors.interface import Collector, Subject
from envparity_agent.documents import from_document
from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.fingerprint import MAX_ITEMS, Attributes, Fingerprint, Items, Reason, Section, Status, Target
from envparity_agent.root import Root
from envparity_agent.survey import at_most, survey, within_contract
from tests.agent.roots import fingerprint_of, whole_root
from tests.agent.strategies import attributes
from tests.agent.trees import distribution, put, system, venv

FINE = Section("fine", "os", 1, {"item": {"id": "debian"}})


def surveyed(*collectors: Collector) -> Fingerprint:
    with Root("/") as root:
        return survey(Target("host", "x"), Subject(root), collectors)


def fine(_: Subject) -> Iterator[Section]:
    yield FINE


def failing(problem: Exception) -> Collector:
    def collect(_: Subject) -> Iterator[Section]:
        yield Section("broken/first", "os", 1)
        raise problem

    return Collector("broken", "os", collect)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [(Unreadable("x", Reason.PERMISSION), Reason.PERMISSION), (ZeroDivisionError("a defect"), Reason.ERROR)],
)
def test_a_collector_that_fails_is_a_failed_section_and_the_others_stand(
    problem: Exception, reason: Reason, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    found = surveyed(failing(problem), Collector("fine", "os", fine))
    assert found.sections["broken"].status is Status.FAILED
    assert found.sections["broken"].reasons == (reason,)
    assert found.sections["fine"] == FINE
    assert "broken/first" in found.sections  # what came before the failure


def test_a_question_that_is_wrong_is_told_and_makes_no_fingerprint() -> None:
    with pytest.raises(UsageError):
        surveyed(failing(UsageError("no such thing")))


def test_more_items_than_the_contract_allows_are_cut_and_said() -> None:
    def many(_: Subject) -> Iterator[Section]:
        yield Section("many", "os", 1, {f"{number:06}": {} for number in range(MAX_ITEMS + 1)})

    section = surveyed(Collector("many", "os", many)).sections["many"]
    assert (section.count, section.status, section.reasons) == (MAX_ITEMS, Status.PARTIAL, (Reason.CAP,))
    assert f"{MAX_ITEMS:06}" not in section.items


def test_each_collector_is_timed() -> None:
    found = surveyed(Collector("fine", "os", fine))
    assert set(found.timings) == {"fine"}
    assert isinstance(found.timings["fine"], int)


def test_the_same_root_twice_has_the_same_root_hash(tmp_path: Path) -> None:
    whole_root(tmp_path)
    first, second = fingerprint_of(tmp_path), fingerprint_of(tmp_path)
    assert first.root == second.root
    assert first.sections == second.sections


def test_two_roots_with_the_same_files_have_the_same_root_hash(tmp_path: Path) -> None:
    one, other = whole_root(tmp_path / "one"), whole_root(tmp_path / "other")
    put(other, "etc/hostname", "web-2\n")
    put(other, "etc/machine-id", "0123\n")
    assert fingerprint_of(one).root == fingerprint_of(other).root
    assert fingerprint_of(other).identity == {"hostname": "web-2", "machine_id": "0123"}


def test_an_empty_root_is_said_to_be_unread_rather_than_empty(tmp_path: Path) -> None:
    statuses = {path: section.status for path, section in fingerprint_of(tmp_path).sections.items()}
    assert statuses["os"] is not Status.OK
    assert statuses["os-packages"] is Status.ABSENT
    assert statuses["containers"] is Status.ABSENT


def sent_and_read(found: Fingerprint) -> Fingerprint:
    return from_document(decode(json.dumps(found.document()).encode()))


def test_an_environment_at_a_path_that_is_no_text_can_be_sent(tmp_path: Path) -> None:
    place = os.path.join(os.fsencode(tmp_path), b"caf\xe9")
    os.mkdir(place)
    distribution(venv(Path(os.fsdecode(place)), "app"), "shop", "1")
    found = sent_and_read(fingerprint_of(system(tmp_path)))
    assert any("shop" in section.items for section in found.sections.values())


def test_an_environment_at_a_very_long_path_can_be_sent(tmp_path: Path) -> None:
    prefix = "/".join("directory-with-a-long-name" for _ in range(40))
    distribution(venv(tmp_path, f"{prefix}/app"), "shop", "1")
    found = sent_and_read(fingerprint_of(tmp_path))
    assert any("shop" in section.items for section in found.sections.values())


def test_what_a_distribution_is_called_cannot_keep_a_report_from_being_sent(tmp_path: Path) -> None:
    site = venv(tmp_path, "srv/app")
    put(site, "a-1.dist-info/METADATA", b"Name: \xff" + b"x" * 5000 + b"\nVersion: 1\xff\n")
    with open(os.path.join(os.fsencode(site), b"b\xff-1.egg-info"), "wb") as file:
        file.write(b"Version: 1\n")
    found = sent_and_read(fingerprint_of(tmp_path))
    assert found.sections["python/srv/app"].count == 3


@pytest.mark.parametrize("content", [b"x" * 2000, b"\xff\xfe", b"a\0b", b"", b"x" * 10_000])
def test_whatever_the_host_is_called_the_report_can_be_sent(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "etc/hostname", content)
    put(tmp_path, "etc/machine-id", content)
    assert sent_and_read(fingerprint_of(tmp_path)).root == fingerprint_of(tmp_path).root


def test_a_host_name_that_is_no_file_is_no_label(tmp_path: Path) -> None:
    os.mkfifo(put(tmp_path, "etc/machine-id", "0123").parent / "hostname")
    assert fingerprint_of(tmp_path).identity == {"machine_id": "0123"}


def test_every_collectors_own_section_is_in_every_fingerprint_of_a_host(tmp_path: Path) -> None:
    paths = {collector.path for collector in COLLECTORS} - {"os/machine", "app"}  # the search tells of applications
    assert paths <= fingerprint_of(tmp_path).sections.keys()


def test_what_is_no_host_is_asked_for_neither_machine_nor_engine() -> None:
    assert [collector.path for collector in INSIDE] == ["os", "os/settings", "os-packages", "python", "os/libraries"]


def test_an_item_larger_than_any_is_told_without_its_lists() -> None:
    long = tuple(f"{number:04}{'x' * 1000}" for number in range(300))
    items: Items = {"a": {"version": "1", "requires": long}, "b": {"version": "2"}}
    kept = within_contract(Section("python/app", "python", 2, items))
    assert kept.items == {"a": {"version": "1"}, "b": {"version": "2"}}
    assert (kept.status, kept.reasons) == (Status.PARTIAL, (Reason.CAP,))


def test_a_section_never_exceeds_what_a_server_takes_at_once() -> None:
    items: Items = {f"item{number:05}": {"version": "x" * 1000} for number in range(20_000)}
    kept = within_contract(Section("python/app", "python", 2, items))
    assert sum(len(page.body) for page in kept.pages) < 16 * 1024 * 1024
    assert 1000 < len(kept.items) < len(items)
    assert (kept.status, kept.reasons) == (Status.PARTIAL, (Reason.CAP,))


@given(attributes)
def test_an_item_is_never_larger_than_what_is_taken_for_its_most(body: Attributes) -> None:
    assert len(canonical(body)) <= at_most(body)
