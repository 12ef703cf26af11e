"""Tests of retention: what goes, what stays whatever happens, and that no report loses what it needs meanwhile."""

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Table, func, insert, select

from envparity_agent.errors import CannotTell
from envparity_agent.fingerprint import Fingerprint, Reason, Status
from envparity_server import intake
from envparity_server.storage import content, history, items
from envparity_server.storage.database import reading, writing
from envparity_server.storage.pruning import GRACE, prune
from envparity_server.storage.tables import (
    baseline,
    baseline_section,
    baseline_version,
    change,
    job_run,
    metadata,
    page_item,
    section_history,
    section_page,
)
from envparity_server.storage.tables import content as content_table
from tests.server.fleet import EPOCH, enrolled, known, report
from tests.server.making import NOON, OPERATING_SYSTEM, SEARCHED, fingerprints, host, packages, section, tree

DAY = timedelta(days=1)
KEEP = 30 * DAY


def version(text: str, *more: str) -> Fingerprint:
    return host(OPERATING_SYSTEM, SEARCHED, packages({"idna": text, **dict.fromkeys(more, "1")}))


A, B, C = version("3.4"), version("3.7"), version("3.8")


def lived(engine: Engine, name: str, reports: Iterable[tuple[float, Fingerprint]], environment: str = "prod") -> str:
    """A host that reported these so many days after noon."""
    with writing(engine) as connection:
        one = enrolled(connection, name, environment)
        for days, fingerprint in reports:
            report(connection, one, fingerprint, NOON + days * DAY)
    return one.id


def count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def is_whole(connection: Connection, fingerprint: Fingerprint) -> bool:
    """Whether all that a fingerprint's sections need is stored."""
    needed = {hash for one in fingerprint.sections.values() for hash in (one.hash, *one.page_hashes)}
    return content.missing(connection, needed) == []


def test_what_is_older_goes_and_what_is_younger_stays(database: Engine) -> None:
    host_id = lived(database, "web-1", [(0, A), (10, B), (50, C), (59, C)])
    counts = prune(database, NOON + 60 * DAY, KEEP).counts
    assert (counts["history"], counts["section_history"], counts["change"]) == (2, 2, 1)
    with reading(database) as connection:
        assert [one.root for one in history.intervals(connection, host_id)] == [C.root]
        assert history.at(connection, [host_id], NOON + 55 * DAY)[host_id].sections == tree(C)
        assert history.at(connection, [host_id], NOON + 20 * DAY) == {}
        assert is_whole(connection, C)
        stored = set(connection.scalars(select(content_table.c.hash)))
    assert not stored & {A.root, B.root, A.sections["python/srv/shop"].hash, *A.sections["python/srv/shop"].page_hashes}


def test_a_moment_that_is_kept_can_be_read_whole(database: Engine) -> None:
    host_id = lived(database, "web-1", [(0, A), (40, A), (41, B), (59, B)])
    prune(database, NOON + 60 * DAY, KEEP)
    with reading(database) as connection:
        assert history.at(connection, [host_id], NOON + 35 * DAY)[host_id].sections == tree(A)
        assert is_whole(connection, A)


def test_the_present_of_a_host_that_is_silent_for_long_stays(database: Engine) -> None:
    silent = lived(database, "old-1", [(0, A)])
    for name in ("web-1", "web-2"):
        lived(database, name, [(400, B)])
    prune(database, NOON + 400 * DAY, KEEP)
    prune(database, NOON + 400 * DAY, KEEP)
    with reading(database) as connection:
        assert history.at(connection, [silent])[silent].sections == tree(A)
        assert is_whole(connection, A)
        assert [one.host for one in items.having(connection, "idna", "3.4")[0]] == ["old-1"]


def test_each_environment_may_be_kept_for_another_time(database: Engine) -> None:
    prod = lived(database, "web-1", [(0, A), (59, B)])
    dev = lived(database, "dev-1", [(0, A), (59, B)], "dev")
    prune(database, NOON + 60 * DAY, 90 * DAY, {"dev": 1.5 * DAY})
    with reading(database) as connection:
        assert len(history.intervals(connection, prod)) == 2
        assert len(history.intervals(connection, dev)) == 1


def test_the_last_good_section_stays_while_it_cannot_be_read(database: Engine) -> None:
    failed = host(OPERATING_SYSTEM, SEARCHED, section("python/srv/shop", {}, Status.FAILED, Reason.PERMISSION))
    host_id = lived(database, "web-1", [(0, A), (1, failed), (99, failed)])
    prune(database, NOON + 100 * DAY, KEEP)
    with writing(database) as connection:
        report(connection, known(connection, host_id), B, NOON + 100 * DAY)
        rows = connection.execute(select(change.c.left, change.c.right)).all()
    assert [(row.left, row.right) for row in rows] == [("3.4", "3.7")]


def test_what_a_baseline_pins_stays(database: Engine) -> None:
    lived(database, "web-1", [(0, A), (59, B)])
    with writing(database) as connection:
        connection.execute(
            insert(baseline).values(name="b", applies_to="env:prod", environment="prod", newest=1, created_at=NOON)
        )
        connection.execute(
            insert(baseline_version).values(
                name="b", number=1, source="env:prod", kind="host", taken_at="", reason="", proposed_by="",
                proposed_at=NOON,
            )
        )  # fmt: skip
        for path, hash in tree(A).items():
            connection.execute(insert(baseline_section).values(name="b", number=1, host_id="", path=path, hash=hash))
    prune(database, NOON + 60 * DAY, KEEP)
    with reading(database) as connection:
        assert is_whole(connection, A)


def test_objects_that_nothing_refers_to_yet_have_a_day(database: Engine) -> None:
    with writing(database) as connection:
        intake.store_objects(connection, b"\n".join(A.objects().values()), NOON)
    assert prune(database, NOON + GRACE, KEEP).counts["content"] == 0
    assert prune(database, NOON + 1.1 * GRACE, KEEP).counts["content"] == len(A.objects())


def test_what_no_host_has_leaves_the_index(database: Engine) -> None:
    lived(database, "web-1", [(0, version("3.4", "six")), (59, B)])
    prune(database, NOON + 60 * DAY, KEEP)
    with reading(database) as connection:
        indexed = set(connection.scalars(select(section_page.c.section)))
        names = set(connection.scalars(select(page_item.c.name)))
    assert indexed == set(tree(B).values())
    assert names == {"distribution", "idna"}


def test_an_item_that_comes_back_is_in_the_index_again(database: Engine) -> None:
    host_id = lived(database, "web-1", [(0, A), (50, B), (59, B)])
    prune(database, NOON + 60 * DAY, KEEP)
    with writing(database) as connection:
        report(connection, known(connection, host_id), A, NOON + 61 * DAY)
        assert [one.value for one in items.having(connection, "idna")[0]] == ["3.4"]


def test_old_runs_of_jobs_go(database: Engine) -> None:
    with writing(database) as connection:
        for days in (0, 59):
            moment = NOON + days * DAY
            connection.execute(insert(job_run).values(job="prune", due_at=moment, holder="a", started_at=moment))
    assert prune(database, NOON + 60 * DAY, KEEP).counts["job_run"] == 1


@pytest.mark.parametrize("moved", [10 * 365 * DAY, -40 * DAY], ids=["ten years ahead", "forty days behind"])
def test_a_wrong_clock_prunes_nothing(database: Engine, moved: timedelta) -> None:
    lived(database, "web-1", [(0, A), (59, B)])
    with reading(database) as connection:
        before = {table: count(connection, table) for table in metadata.sorted_tables}
    with pytest.raises(CannotTell, match="nothing was pruned: it is 20") as refused:
        prune(database, NOON + 59 * DAY + moved, KEEP)
    assert "clock" in refused.value.advice
    with reading(database) as connection:
        assert before == {table: count(connection, table) for table in metadata.sorted_tables}


def test_it_is_refused_where_most_hosts_would_be_too_old(database: Engine) -> None:
    for name in ("old-1", "old-2"):
        lived(database, name, [(0, A)])
    lived(database, "web-1", [(59, B)])
    with pytest.raises(CannotTell, match="2 of 3 hosts"):
        prune(database, NOON + 60 * DAY, KEEP)
    lived(database, "web-2", [(59, B)])
    prune(database, NOON + 60 * DAY, KEEP)


def test_a_server_without_reports_has_nothing_to_prune(database: Engine) -> None:
    assert set(prune(database, NOON, KEEP).counts.values()) == {0}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_whatever_was_pruned_each_kept_moment_can_still_be_read(sqlite: Engine, data: st.DataObject) -> None:
    with writing(sqlite) as connection:
        for table in reversed([table for table in metadata.sorted_tables if table.name != "audit"]):
            connection.execute(table.delete())
    sequences = data.draw(st.lists(st.lists(fingerprints(), min_size=1, max_size=4), min_size=1, max_size=3))
    ids = [
        lived(sqlite, f"web-{number}", [*((7 * week, one) for week, one in enumerate(reports)), (35, reports[-1])])
        for number, reports in enumerate(sequences)
    ]
    now, keep = NOON + 36 * DAY, data.draw(st.integers(2, 40)) * DAY
    prune(sqlite, now, keep)
    with reading(sqlite) as connection:
        for host_id, reports in zip(ids, sequences, strict=True):
            for week, expected in enumerate(reports):
                moment = NOON + 7 * week * DAY
                if moment >= now - keep or week == len(reports) - 1:
                    found = history.at(connection, [host_id], moment)[host_id]
                    assert found.sections == tree(expected)
                    assert is_whole(connection, expected)


def test_reports_and_pruning_at_once_lose_nothing(database: Engine) -> None:
    """Hosts go back and forth between states whose content is garbage in between, while all that is old is pruned."""
    states = [version(f"3.{number}") for number in range(4)]
    names = [f"web-{number}" for number in range(4)]
    moments = dict.fromkeys(names, NOON)
    ids = {name: lived(database, name, [(0, A)]) for name in names}
    failures: list[BaseException] = []
    done = threading.Event()

    def reporting(name: str, shift: int) -> None:
        for number in range(25):
            fingerprint = states[(number + shift) % len(states)]
            moments[name] = moment = NOON + (number + 1) * 2 * DAY
            deliver(database, ids[name], fingerprint, moment)
            with reading(database) as connection:
                assert is_whole(connection, fingerprint)
                assert history.at(connection, [ids[name]])[ids[name]].sections == tree(fingerprint)
                assert ids[name] in {one.host_id for one in items.having(connection, "idna")[0]}

    def pruning() -> None:
        while not done.is_set():
            try:
                prune(database, min(moments.values()) + 3 * DAY, 6 * DAY)
            except CannotTell:
                continue  # one host is far ahead of the others

    def guarded(work: object, *arguments: object) -> None:
        try:
            work(*arguments)  # type: ignore[operator]  # one of the two above
        except BaseException as problem:  # noqa: BLE001  # told in the test's own thread
            failures.append(problem)

    pruner = threading.Thread(target=guarded, args=(pruning,))
    reporters = [threading.Thread(target=guarded, args=(reporting, name, n)) for n, name in enumerate(names)]
    for thread in (pruner, *reporters):
        thread.start()
    for thread in reporters:
        thread.join()
    done.set()
    pruner.join()
    assert failures == []
    with reading(database) as connection:
        present = select(section_history.c.hash).where(section_history.c.last_seen.is_(None))
        assert set(connection.scalars(present)) <= set(connection.scalars(select(section_page.c.section)))


def deliver(engine: Engine, host_id: str, fingerprint: Fingerprint, moment: datetime) -> None:
    """As an agent does: report, send what is missing, report again; content is stored as long ago as garbage is."""
    objects = fingerprint.objects()
    for _ in range(20):
        with writing(engine) as connection:
            before = known(connection, host_id)
            head = {
                "root": fingerprint.root, "taken_at": moment.isoformat(), "identity": {}, "observed": {},
                "interval": 900, "agent": "1",
            }  # fmt: skip
            _, missing = intake.accept(connection, before, EPOCH, (before.seq or 0) + 1, head, moment)
        if not missing:
            return
        with writing(engine) as connection:
            intake.store_objects(connection, b"\n".join(objects[hash] for hash in missing), NOON - 9 * DAY)
    raise AssertionError("an agent gives up after so many rounds")
