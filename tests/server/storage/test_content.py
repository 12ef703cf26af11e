"""Tests of content-addressed objects, and of comparing what is stored."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, event, func, select

from envparity_agent.canonical import canonical, digest
from envparity_agent.fingerprint import Fingerprint, Section, Status
from envparity_server.storage import content
from envparity_server.storage.content import StoredFingerprint, detached
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tables import content as content_table
from tests.server.making import HOST, NOON, compared, host, objects, section, sections, tree, twins, versions

A, B = canonical({"items": {"a": {"version": "1"}}}), canonical({"items": {"b": {"version": "1"}}})


def count(engine: Engine) -> int:
    """How many objects are stored."""
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(content_table)) or 0


def test_an_object_is_stored_once_however_often_it_comes(database: Engine) -> None:
    for _ in range(2):
        with writing(database) as connection:
            content.store(connection, [("page", A), ("page", B), ("page", A)], NOON)
    assert count(database) == 2


def test_an_object_is_found_by_the_hash_of_its_bytes(database: Engine) -> None:
    with writing(database) as connection:
        content.store(connection, [("page", A)], NOON)
        assert content.load(connection, [digest(A)]) == {digest(A): {"items": {"a": {"version": "1"}}}}


def test_what_is_not_stored_is_missing_in_the_order_that_was_asked_for(database: Engine) -> None:
    with writing(database) as connection:
        content.store(connection, [("page", A)], NOON)
        asked = ["f" * 64, digest(A), digest(B), "f" * 64, "0" * 64]
        assert content.missing(connection, asked) == ["f" * 64, digest(B), "0" * 64]
        assert content.load(connection, asked).keys() == {digest(A)}


def test_more_objects_than_fit_one_statement_are_stored_and_found(database: Engine) -> None:
    bodies = [canonical({"items": {str(number): {}}}) for number in range(1201)]
    with writing(database) as connection:
        content.store(connection, (("page", body) for body in bodies), NOON)
        hashes = [digest(body) for body in bodies]
        assert content.missing(connection, [*hashes, "0" * 64]) == ["0" * 64]
        assert len(content.load(connection, hashes)) == 1201


def test_agents_that_send_the_same_objects_in_unlike_orders_do_not_block_each_other(database: Engine) -> None:
    bodies = [canonical({"items": {str(number): {"x": "y" * 200}}}) for number in range(4000)]
    problems: list[Exception] = []
    start = threading.Barrier(2)

    def send(ordered: list[bytes]) -> None:
        start.wait()
        try:
            with writing(database) as connection:
                content.store(connection, (("page", body) for body in ordered), NOON)
        except Exception as problem:  # noqa: BLE001  # told below, in the test's own thread
            problems.append(problem)

    threads = [threading.Thread(target=send, args=(ordered,)) for ordered in (bodies, bodies[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert count(database) == 4000


def test_a_stored_fingerprint_is_the_one_that_was_sent(database: Engine) -> None:
    many = section("os-packages", versions({f"package-{number}": "1.0" for number in range(200)}))
    sent = host(many, section("os", {"distribution": {"id": "debian"}}), section("machine", {}, Status.FAILED, "cap"))
    with writing(database) as connection:
        content.store(connection, objects(sent), NOON)
        stored = content.stored(connection, {"sent": tree(sent)})["sent"]
        again = detached(HOST, sent.taken_at, stored)
    assert again == sent
    assert again.root == sent.root
    assert {path: one.count for path, one in stored.items()} == {path: one.count for path, one in sent.sections.items()}


@pytest.fixture
def statements(database: Engine) -> Iterator[list[str]]:
    """What was asked of the database."""
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    event.listen(database, "before_cursor_execute", note)
    yield seen
    event.remove(database, "before_cursor_execute", note)


def test_comparing_opens_only_the_pages_that_differ(database: Engine, statements: list[str]) -> None:
    common = {f"package-{number}": "1.0" for number in range(500)}
    left = host(section("os-packages", versions(common)), section("os", {"distribution": {"id": "debian"}}))
    right = host(section("os-packages", versions({**common, "package-7": "1.1"})), left.sections["os"])
    with writing(database) as connection:
        content.store(connection, objects(left, right), NOON)
        trees = content.stored(connection, {one.root: tree(one) for one in (left, right)})
        statements.clear()
        found = compared(StoredFingerprint(HOST, "", trees[one.root]) for one in (left, right))
    assert [one.item for one in found.differences] == ["package-7"]
    assert len([one for one in statements if "FROM content" in one]) == 2


def test_the_pages_that_differ_can_be_opened_in_one_query_a_side(database: Engine, statements: list[str]) -> None:
    before = {f"package-{number}": "1.0" for number in range(300)}
    left = host(section("os-packages", versions(before)))
    right = host(section("os-packages", versions({**before, **{f"package-{number}": "2.0" for number in range(20)}})))
    with writing(database) as connection:
        content.store(connection, objects(left, right), NOON)
        ours, theirs = (content.stored(connection, {1: tree(one)})[1] for one in (left, right))
        statements.clear()
        content.open_differing([ours, theirs], whole=False)
        assert len(statements) == 2
        sides = (StoredFingerprint(HOST, NOON.isoformat(), one) for one in (ours, theirs))
        assert len(compared(sides).differences) == 20
        assert len(statements) == 2


def test_fingerprints_that_share_sections_share_what_was_read(database: Engine, statements: list[str]) -> None:
    shared = section("os", {"distribution": {"id": "debian"}})
    fleet = [host(shared, section("machine", {"cpu": {"cores": cores}})) for cores in range(30)]
    with writing(database) as connection:
        content.store(connection, objects(*fleet), NOON)
        statements.clear()
        trees = content.stored(connection, {one.root: tree(one) for one in fleet})
        assert len([one for one in statements if "FROM content" in one]) == 1
    assert len({id(tree["os"]) for tree in trees.values()}) == 1


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(twins())
def test_comparing_what_is_stored_gives_the_same_as_comparing_in_memory(
    sqlite: Engine, sides: tuple[Fingerprint, Fingerprint]
) -> None:
    with writing(sqlite) as connection:
        content.store(connection, objects(*sides), NOON)
        trees = content.stored(connection, {one.root: tree(one) for one in sides})
        stored = [StoredFingerprint(one.target, one.taken_at, trees[one.root]) for one in sides]
        assert compared(stored) == compared(sides)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(sections("python/srv/shop"))
def test_a_section_survives_storing(sqlite: Engine, one: Section) -> None:
    with writing(sqlite) as connection:
        content.store(connection, objects(host(one)), NOON)
        stored = content.stored(connection, {"host": tree(host(one))})["host"][one.path]
        assert (stored.kind, stored.schema, stored.status, stored.count) == (one.kind, 1, one.status, one.count)
        assert stored.items == one.items
        assert stored.page_hashes == one.page_hashes
        assert stored.hash == one.hash
