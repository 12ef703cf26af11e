"""Checks what is read inside containers, when it is read again, and what is said where it cannot be."""

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from envparity_agent import collectors
from envparity_agent.collectors.containers import inside
from envparity_agent.collectors.containers.filesystem import belongs
from envparity_agent.collectors.interface import Consent, Options, Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.fingerprint import Fingerprint, Reason, Section, Status, Target
from envparity_agent.root import Root
from envparity_agent.survey import survey
from tests.agent.collectors.answers import Engine, compose, container, running_engine
from tests.agent.trees import distribution, put, system, venv

INSIDE = tuple(collector.path for collector in collectors.INSIDE)


@pytest.fixture
def engine() -> Iterator[Engine]:
    with running_engine() as started:
        yield started


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The files of a container: a Debian with one environment."""
    tree = system(tmp_path / "container")
    distribution(venv(tree, "srv/app"), "shop", "1")
    return tree


def tar_of(root: Path) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        archive.add(root, arcname="./")
    return written.getvalue()


def taken(root: Path, engine: Engine, memory: Memory | None = None, **options: Any) -> Fingerprint:
    root.mkdir(exist_ok=True)
    with Root(str(root)) as opened:
        subject = Subject(opened, Options(engine=engine.url, **options), memory=memory or Memory())
        return survey(Target("host", "h"), subject, collectors.COLLECTORS[-1:])


def within(found: Fingerprint, prefix: str = "container/web") -> dict[str, Section]:
    return {
        path.removeprefix(f"{prefix}/"): section
        for path, section in found.sections.items()
        if path.startswith(f"{prefix}/") and not path.endswith("/config")
    }


def copies(engine: Engine) -> int:
    return sum(path.endswith("/archive") for _, path in engine.requests)


def test_what_is_inside_a_container_has_its_own_sections(tmp_path: Path, engine: Engine, files: Path) -> None:
    engine.has(container("a", "web"))
    engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(files)
    found = taken(tmp_path / "host", engine)
    sections = within(found)
    assert set(sections) == {*INSIDE, "python/srv/app"}
    assert sections["os"].items["distribution"]["codename"] == "bookworm"
    assert sections["os-packages"].items["libc6"]["version"] == "2.36-9"
    assert sections["python/srv/app"].items["shop"]["version"] == "1"
    observed = found.sections["container/web"].observed
    assert observed["read_through"] == "archive"
    assert str(observed["read_at"]).startswith("20")


def test_a_container_that_cannot_be_read_fails_and_takes_nothing_with_it(
    tmp_path: Path, engine: Engine, files: Path
) -> None:
    engine.has(container("a", "web"), container("b", "db"))
    engine.answers[f"/containers/{'b' * 64}/changes"] = [{"Path": "/patched", "Kind": 1}]  # else it is as its image
    engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(files)
    engine.answers[f"/containers/{'b' * 64}/archive"] = b"no archive" * 100
    found = taken(tmp_path / "host", engine)
    assert {path: section.reasons for path, section in within(found, "container/db").items()} == dict.fromkeys(
        INSIDE, (Reason.INVALID,)
    )
    assert {section.status for section in within(found, "container/db").values()} == {Status.FAILED}
    assert {section.status for section in within(found).values()} == {Status.OK}
    assert found.sections["container/db"].status is found.sections["containers"].status is Status.OK


@pytest.mark.parametrize("again", [404, container("a", "web", State={"Pid": 0, "StartedAt": "later", "Running": True})])
def test_what_a_container_had_that_ended_or_began_anew_is_dropped(
    tmp_path: Path, engine: Engine, files: Path, again: Any
) -> None:
    engine.has(container("a", "web"))
    engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(files)
    first = engine.answers[f"/containers/{'a' * 64}/json"]
    asked: list[str] = []

    def moves_on(path: str) -> Any:
        asked.append(path)
        return first if len(asked) == 1 else again

    engine.answers[f"/containers/{'a' * 64}/json"] = moves_on
    sections = within(taken(tmp_path / "host", engine))
    assert set(sections) == set(INSIDE)
    assert {(section.status, section.reasons) for section in sections.values()} == {(Status.FAILED, (Reason.VANISHED,))}


def test_of_containers_of_one_image_one_is_read_and_remembered(tmp_path: Path, engine: Engine, files: Path) -> None:
    engine.has(*(container(one, f"web-{one}") for one in "abc"))
    for one in "abc":
        engine.answers[f"/containers/{one * 64}/archive"] = tar_of(files)
    memory = Memory()
    first = taken(tmp_path / "host", engine, memory)
    second = taken(tmp_path / "host", engine, memory)
    assert copies(engine) == 1
    assert first.root == second.root
    for one in "abc":
        assert within(first, f"container/web-{one}")["python/srv/app"].items["shop"]["version"] == "1"


@pytest.mark.parametrize(
    ("changes", "mounts", "read"),
    [
        ([{"Path": "/var/log", "Kind": 0}, {"Path": "/var/log/app.log", "Kind": 1}], [], 1),
        ([{"Path": "/srv/app/__pycache__", "Kind": 1}], [], 1),
        ([{"Path": "/data", "Kind": 1}], [{"Type": "tmpfs", "Destination": "/data"}], 1),
        ([{"Path": "/usr/lib/x.py", "Kind": 0}], [], 2),
        ([{"Path": "/tmp/v/pyvenv.cfg", "Kind": 1}], [], 2),  # noqa: S108  # a name only
        ([], [{"Type": "bind", "Destination": "/srv", "Source": "/src"}], 2),
    ],
    ids=str,
)
def test_a_container_that_may_differ_from_its_image_is_read_itself(
    tmp_path: Path, engine: Engine, files: Path, changes: Any, mounts: Any, read: int
) -> None:
    engine.has(*(container(one, f"web-{one}", Mounts=mounts) for one in "ab"), changes=changes)
    for one in "ab":
        engine.answers[f"/containers/{one * 64}/archive"] = tar_of(files)
    taken(tmp_path / "host", engine)
    assert copies(engine) == read


@pytest.mark.parametrize(("changes", "told"), [([], 0), ([{"Path": "/usr/bin/curl", "Kind": 1}], 1)])
def test_who_changed_the_packages_is_told_where_it_was_not_the_images_build(
    tmp_path: Path, engine: Engine, files: Path, changes: Any, told: int
) -> None:
    put(files, "var/log/apt/history.log", "Start-Date: 2026-11-01  02:00:00\nCommandline: apt-get install curl\n\n")
    engine.has(container("a", "web"), changes=changes)
    engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(files)
    sections = within(taken(tmp_path / "host", engine))
    assert len(sections["os-packages"].observed) == told


def test_a_copy_is_used_again_until_the_engine_tells_other_changes_or_it_is_old(
    tmp_path: Path, engine: Engine, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside, "COPY_SECONDS", 1e12)
    engine.has(container("a", "web"), changes=[{"Path": "/one", "Kind": 1}])
    engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(files)
    memory = Memory()
    for _ in range(2):
        taken(tmp_path / "host", engine, memory)
    assert copies(engine) == 1
    engine.answers[f"/containers/{'a' * 64}/changes"] = [{"Path": "/two", "Kind": 1}]
    taken(tmp_path / "host", engine, memory)
    assert copies(engine) == 2
    monkeypatch.setattr(inside, "COPY_SECONDS", 1e13)
    monkeypatch.setattr("time.monotonic", lambda: 2e13)
    taken(tmp_path / "host", engine, memory)
    assert copies(engine) == 3


def test_a_failure_is_not_remembered(tmp_path: Path, engine: Engine, files: Path) -> None:
    engine.has(container("a", "web"))
    memory = Memory()
    assert within(taken(tmp_path / "host", engine, memory))["os"].status is Status.FAILED
    engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(files)
    assert within(taken(tmp_path / "host", engine, memory))["os"].status is Status.OK


def test_reading_inside_has_an_end_and_what_came_later_is_said(
    tmp_path: Path, engine: Engine, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envparity_agent.collectors.containers.container.INSIDE_SECONDS", -1.0)
    engine.has(container("a", "web"))
    engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(files)
    assert {section.reasons for section in within(taken(tmp_path / "host", engine)).values()} == {(Reason.CAP,)}


def test_replicas_that_differ_inside_are_variants(tmp_path: Path, engine: Engine, files: Path) -> None:
    patched = [{"Path": "/srv", "Kind": 0}, {"Path": "/srv/app", "Kind": 0}]
    engine.has(*(container(one, f"shop-web-{one}", compose("web")) for one in "ab"), changes=patched)
    for one in "ab":
        engine.answers[f"/containers/{one * 64}/archive"] = tar_of(files)
        distribution(files / "srv/app/lib/python3.11/site-packages", "six", "1")
    found = taken(tmp_path / "host", engine)
    counts = [len(within(found, f"container/shop.web#{number}")["python/srv/app"].items) for number in (1, 2)]
    assert sorted(counts) == [2, 3]


@pytest.mark.parametrize("level", list(Consent))
def test_the_operator_says_how_far_containers_are_looked_into(
    tmp_path: Path, engine: Engine, files: Path, level: Consent
) -> None:
    engine.has(container("a", "web"), changes=[{"Path": "/patched", "Kind": 1}])
    engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(files)
    found = taken(tmp_path / "host", engine, consent=level)
    assert found.sections["containers"].items["consent"] == {"level": level.name.lower()}
    asked = {path.rpartition("/")[2] for _, path in engine.requests}
    if level is Consent.HOST:
        assert asked == set()
        assert set(found.sections) == {"containers"}
        overview = found.sections["containers"]
        assert (overview.status, overview.reasons) == (Status.ABSENT, (Reason.CONSENT,))
        return
    own, config = found.sections["container/web"], found.sections["container/web/config"]
    assert {"image", "tag"} <= own.items.keys()
    if level >= Consent.CONFIG:
        assert config.items
    else:
        assert (config.status, config.reasons, config.items) == (Status.ABSENT, (Reason.CONSENT,), {})
    if level is Consent.INSIDE:
        assert own.status is Status.OK
        assert "layer:/patched" in own.items
        return
    assert asked.isdisjoint({"changes", "archive"})
    assert (own.status, own.reasons) == (Status.PARTIAL, (Reason.CONSENT,))
    assert "layer:/patched" not in own.items
    assert {path: (one.status, one.reasons) for path, one in within(found).items()} == dict.fromkeys(
        INSIDE, (Status.ABSENT, (Reason.CONSENT,))
    )


_AS_IN_A_CONTAINER = "import os, signal, sys; os.chroot(sys.argv[1]); print('there', flush=True); signal.pause()"


@contextmanager
def process_in(root: Path) -> Iterator[tuple[int, str]]:
    """A process whose root directory this is, as a container's is, and when it started."""
    if os.geteuid() != 0:
        pytest.skip("a process gets a root directory of its own by root alone: run the tests as root")
    started = datetime.now(UTC).isoformat()
    command = (sys.executable, "-c", _AS_IN_A_CONTAINER, str(root))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"there\n"
            yield process.pid, started
        finally:
            process.kill()


def running(process: int, started: str) -> dict[str, Any]:
    state = {"Status": "running", "Running": True, "Pid": process, "StartedAt": started}
    return container("a", "web", State=state)


def test_a_process_that_may_be_looked_into_is_not_copied(tmp_path: Path, engine: Engine, files: Path) -> None:
    with process_in(files) as (process, started):
        engine.has(running(process, started))
        found = taken(tmp_path / "host", engine)
    assert found.sections["container/web"].observed["read_through"] == "proc"
    assert within(found)["python/srv/app"].items["shop"]["version"] == "1"
    assert copies(engine) == 0


def test_a_process_that_has_the_number_of_the_containers_is_not_taken_for_it(
    tmp_path: Path, engine: Engine, files: Path
) -> None:
    """As where the engine runs in a virtual machine, or the container ended and its number was given away."""
    (tmp_path / "other").mkdir()
    with process_in(tmp_path / "other") as (process, _):
        engine.has(running(process, "2026-10-01T00:00:00Z"))
        engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(files)
        found = taken(tmp_path / "host", engine)
    assert found.sections["container/web"].observed["read_through"] == "archive"
    assert within(found)["python/srv/app"].items["shop"]["version"] == "1"


@pytest.mark.parametrize("process", [0, 2**30, os.getpid()], ids=["none", "gone", "of this root"])
def test_a_process_that_is_gone_or_of_this_root_is_none_of_a_container(
    tmp_path: Path, engine: Engine, files: Path, process: int
) -> None:
    engine.has(running(process, datetime.now(UTC).isoformat()))
    engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(files)
    found = taken(tmp_path / "host", engine)
    assert found.sections["container/web"].observed["read_through"] == "archive"


def test_a_start_that_is_no_moment_belongs_to_nobody() -> None:
    assert not belongs(os.getpid(), running(os.getpid(), "soon"))
