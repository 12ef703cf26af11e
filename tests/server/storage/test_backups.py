"""Tests of backups: what they hold, what is refused, and that a restore changes all or nothing."""

import json
import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from envparity_agent.errors import CannotTell, EnvparityError, UsageError
from envparity_server.references import compare_selectors, resolve
from envparity_server.storage import backups, hosts
from envparity_server.storage.database import (
    check_schema,
    known_revisions,
    migrate,
    open_database,
    present_revision,
    reading,
    writing,
)
from tests.server.fleet import enrolled, report, reported
from tests.server.making import NOON, OPERATING_SYSTEM, host, packages
from tests.server.releases.loading import put

LATER = NOON + timedelta(minutes=5)
SECRET = "of the test"  # noqa: S105  # of nobody


@pytest.fixture(autouse=True)
def programs_of_postgresql() -> None:
    """What is copied by PostgreSQL's own programs needs them."""
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is missing: apt-get install postgresql-client")


@pytest.fixture
def filled(empty_database: Engine) -> Engine:
    """A database of either kind with two hosts."""
    migrate(empty_database)
    with writing(empty_database) as connection:
        for name in ("web-1", "web-2"):
            reported(connection, name, host(OPERATING_SYSTEM, packages({"requests": "2.32.3"}), name=name), NOON)
    return empty_database


@pytest.fixture
def elsewhere(empty_database: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty database of the same kind as the first."""
    if empty_database.dialect.name == "sqlite":
        engine = open_database(f"sqlite:///{tmp_path / 'elsewhere' / 'server.db'}")
        yield engine
        engine.dispose()
        return
    cluster = request.getfixturevalue("postgres_cluster")
    with cluster.database() as name:
        engine = open_database(cluster.url(name))
        yield engine
        engine.dispose()


def answer(engine: Engine) -> object:
    """What the database says of a host."""
    with reading(engine) as connection:
        found = resolve(connection, "host:web-1", LATER)
        return found.fingerprint.target, sorted(found.fingerprint.sections), found.notes


def test_a_backup_restored_elsewhere_gives_the_same_answers(filled: Engine, elsewhere: Engine, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    made = backups.back_up(filled, file)
    assert made.rows["host"] == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("*backup*")] == ["backup"]
    assert backups.read(file) == made
    assert backups.restore(elsewhere, file) == made
    check_schema(elsewhere)
    assert answer(elsewhere) == answer(filled)


class Reporter:
    """A host that reports one of two roots after the other, a minute apart, until it is told to stop."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self.roots = [
            host(OPERATING_SYSTEM, packages({"requests": version, "idna": name[-1]}), name=name)
            for version in ("2.31.0", "2.32.3")
        ]
        self.acknowledged = 0
        with writing(engine) as connection:
            self.host = enrolled(connection, name)

    def run(self, rounds: "Rounds") -> None:
        """Report on and on, each time at once with the others."""
        while rounds.go_on():
            number = self.acknowledged + 1
            with writing(self.engine) as connection:
                report(connection, self.host, self.roots[number % 2], NOON + timedelta(minutes=number))
            self.acknowledged = number


class Rounds:
    """What reporters wait for before each report, so that none is starved; told to stop, they end in one round."""

    def __init__(self, parties: int) -> None:
        self.stop = threading.Event()
        self.begun = threading.Semaphore(0)
        self._barrier = threading.Barrier(parties, self._begin, timeout=60)
        self._goes_on = True

    def _begin(self) -> None:
        self._goes_on = not self.stop.is_set()
        self.begun.release()

    def go_on(self) -> bool:
        """Wait for the others; whether there is another round."""
        self._barrier.wait()
        return self._goes_on


def compared_at(engine: Engine, moment: datetime) -> str:
    """What the selectors of the fleet stand for at a moment, and how they differ."""
    at = f"{moment:%Y-%m-%dT%H:%M:%S}Z"
    with reading(engine) as connection:
        sections = [
            {
                path: one.hash
                for path, one in resolve(connection, f"{selector}@{at}", moment).fingerprint.sections.items()
            }
            for selector in ("host:web-1", "host:web-2", "env:prod")
        ]
        comparison, notes = compare_selectors(connection, f"host:web-1@{at}", f"host:web-2@{at}", moment)
        return json.dumps([sections, comparison.document(), notes])


def test_a_backup_during_load_gives_the_answers_of_its_moment(
    empty_database: Engine, elsewhere: Engine, tmp_path: Path
) -> None:
    migrate(empty_database)
    reporters = [Reporter(empty_database, name) for name in ("web-1", "web-2")]
    rounds = Rounds(len(reporters))
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(one.run, rounds) for one in reporters]
        try:
            for _ in range(4):
                assert rounds.begun.acquire(timeout=60)
            made, before, after = backed_up_under_load(empty_database, reporters, tmp_path / "backup")
        finally:
            rounds.stop.set()
        for run in runs:
            run.result()
    assert backups.restore(elsewhere, tmp_path / "backup") == made
    check_schema(elsewhere)
    with reading(elsewhere) as connection:
        restored = [hosts.by_id(connection, one.host.id) for one in reporters]
    seqs = [one.seq or 0 for one in restored if one]
    for one, stored, seq, first, last in zip(reporters, restored, seqs, before, after, strict=True):
        assert first <= seq <= last + 1  # the last may have been committed, and not been told yet
        assert stored
        assert stored.root == one.roots[seq % 2].root
    for number in range(1, min(seqs) + 1):
        moment = NOON + timedelta(minutes=number)
        assert compared_at(elsewhere, moment) == compared_at(empty_database, moment)


def backed_up_under_load(
    engine: Engine, reporters: list[Reporter], file: Path
) -> tuple[backups.Contents, list[int], list[int]]:
    """A backup while which reports were acknowledged, with the numbers of the last ones before and after it."""
    while True:
        before = [one.acknowledged for one in reporters]
        made = backups.back_up(engine, file)
        after = [one.acknowledged for one in reporters]
        if before != after:
            return made, before, after


def test_a_newer_backup_takes_the_place_of_an_older_one(filled: Engine, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("old")
    backups.back_up(filled, file)
    assert backups.read(file).rows["host"] == 2


def test_a_database_that_is_not_empty_is_replaced_only_if_asked_to(filled: Engine, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    backups.back_up(filled, file)
    with writing(filled) as connection:
        reported(connection, "web-3", host(OPERATING_SYSTEM, name="web-3"), NOON)
    with pytest.raises(UsageError, match="already") as refused:
        backups.restore(filled, file)
    assert "--replace" in refused.value.advice
    with reading(filled) as connection:
        assert backups.contents(connection).rows["host"] == 3
    assert backups.restore(filled, file, replace=True).rows["host"] == 2


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.9, 0.999])
def test_a_backup_that_is_not_whole_is_refused_and_nothing_touched(filled: Engine, tmp_path: Path, kept: float) -> None:
    file = tmp_path / "backup"
    backups.back_up(filled, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(kept if kept > 1 else kept * len(whole))])
    before = answer(filled)
    with pytest.raises(UsageError, match=r"damaged|not whole|no backup"):
        backups.restore(filled, file, replace=True)
    assert answer(filled) == before


def test_a_backup_of_another_version_is_refused(filled: Engine, elsewhere: Engine, tmp_path: Path) -> None:
    with writing(filled) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    backups.back_up(filled, tmp_path / "backup")
    with pytest.raises(UsageError, match="schema ffff, which this program does not know"):
        backups.restore(elsewhere, tmp_path / "backup")


@pytest.mark.parametrize("content", [b"", b"hello", b"PGDMP", b"SQLite format 3\0" + b"\0" * 4096])
def test_what_is_no_backup_is_refused(elsewhere: Engine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UsageError):
        backups.restore(elsewhere, tmp_path / "file")


def test_a_database_of_others_is_refused(sqlite: Engine, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE a (b)")
    connection.close()
    with pytest.raises(UsageError, match="none of envparity"):
        backups.restore(sqlite, tmp_path / "other.db", replace=True)


def test_a_backup_of_the_other_kind_is_refused(
    sqlite: Engine, migrated_postgres: Engine, tmp_path: Path
) -> None:  # fmt: skip
    for one, another in ((sqlite, migrated_postgres), (migrated_postgres, sqlite)):
        backups.back_up(one, tmp_path / one.dialect.name)
        with pytest.raises(UsageError, match=f"is a backup of {one.dialect.name}"):
            backups.restore(another, tmp_path / one.dialect.name, replace=True)


def test_a_backup_that_cannot_be_written_leaves_the_old_one(sqlite: Engine, tmp_path: Path) -> None:
    with pytest.raises(CannotTell, match="cannot write"):
        backups.back_up(sqlite, tmp_path / "nowhere" / "backup")
    (tmp_path / "backup").mkdir()
    with pytest.raises(CannotTell, match="cannot write"):
        backups.back_up(sqlite, tmp_path / "backup")
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_without_postgresqls_programs_it_says_so(
    migrated_postgres: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotTell, match="pg_dump is missing"):
        backups.back_up(migrated_postgres, tmp_path / "backup")
    assert list(tmp_path.glob("*backup*")) == []


def test_a_restore_that_is_interrupted_leaves_what_was_there(filled: Engine, tmp_path: Path) -> None:
    """Somebody else's open transaction on a table keeps the restore from ending."""
    backups.back_up(filled, tmp_path / "backup")
    with writing(filled) as connection:
        reported(connection, "web-3", host(OPERATING_SYSTEM, name="web-3"), NOON)
    if filled.dialect.name == "postgresql":
        with writing(filled) as connection:  # a view that the dump does not know depends on a table of ours
            connection.execute(text("CREATE VIEW names AS SELECT name FROM host"))
        with pytest.raises(EnvparityError, match="psql failed"):
            backups.restore(filled, tmp_path / "backup", replace=True)
    else:
        event.listen(filled, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=50"))
        filled.dispose()
        with sqlite3.connect(filled.url.database or "", isolation_level=None) as busy:
            busy.execute("BEGIN IMMEDIATE")
            with pytest.raises(CannotTell, match="locked"):
                backups.restore(filled, tmp_path / "backup", replace=True)
            busy.execute("ROLLBACK")
        busy.close()
    with reading(filled) as connection:
        assert backups.contents(connection).rows["host"] == 3


@pytest.fixture
def old(empty_database: Engine) -> Engine:
    """A database as the first release left it."""
    put(empty_database, "0.1.0", "0001")
    return empty_database


def test_an_older_database_is_copied_before_it_is_migrated(old: Engine, elsewhere: Engine, tmp_path: Path) -> None:
    file = None if old.dialect.name == "sqlite" else tmp_path / "before"
    copied = backups.copied_before_migrating(old, NOON, file)
    assert copied is not None
    place, made = copied
    assert (made.revision, made.rows["host"] > 0) == ("0001", True)
    if file is None:
        assert place.name == "empty.db.0001.20261101T120000Z.backup"
        assert place.parent == tmp_path
    migrate(old)
    assert backups.copied_before_migrating(old, NOON) is None
    assert backups.restore(elsewhere, place) == made
    assert present_revision(elsewhere) == known_revisions()[-1]
    assert answer(elsewhere) == answer(old)


def test_an_older_backup_replaces_a_newer_database(old: Engine, tmp_path: Path) -> None:
    """What the newer schema has beside the tables of the older one must not be in the way."""
    made = backups.back_up(old, tmp_path / "backup")
    migrate(old)
    before = answer(old)
    assert backups.restore(old, tmp_path / "backup", replace=True) == made
    check_schema(old)
    assert answer(old) == before


def test_a_postgresql_database_is_migrated_only_where_its_copy_has_a_place(old: Engine) -> None:
    if old.dialect.name == "sqlite":
        assert backups.copied_before_migrating(old, NOON) is not None
        return
    with pytest.raises(UsageError, match="are copied before they are migrated") as refused:
        backups.copied_before_migrating(old, NOON)
    assert "--no-backup" in refused.value.advice


def test_what_has_no_rows_or_a_schema_of_others_is_not_copied(empty_database: Engine) -> None:
    assert backups.copied_before_migrating(empty_database, NOON) is None
    migrate(empty_database)
    with writing(empty_database) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    assert backups.copied_before_migrating(empty_database, NOON) is None


def test_no_password_is_on_a_command_line(
    migrated_postgres: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in the place of pg_dump writes down what it was given."""
    program = tmp_path / "pg_dump"
    program.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\necho "$PGPASSWORD" > {tmp_path}/password\nexit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    engine = open_database(migrated_postgres.url.set(password=SECRET).render_as_string(hide_password=False))
    with pytest.raises(CannotTell, match="pg_dump failed"):
        backups.back_up(engine, tmp_path / "backup")
    engine.dispose()
    assert SECRET not in (tmp_path / "arguments").read_text()
    assert (tmp_path / "password").read_text() == f"{SECRET}\n"
