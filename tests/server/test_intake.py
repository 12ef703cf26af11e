"""Tests of a report's arrival: what is verified, stored, and acknowledged."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from envparity_agent.canonical import canonical, decode, digest
from envparity_agent.errors import EnvparityError, InvalidDocument
from envparity_agent.fingerprint import Fingerprint
from envparity_server.intake import Conflict, accept, store_objects
from envparity_server.storage import content, history
from envparity_server.storage.database import reading, writing
from envparity_server.storage.hosts import Host
from envparity_server.storage.tables import content as content_table
from tests.server.fleet import enrolled, known
from tests.server.making import NOON, OPERATING_SYSTEM, host, packages, section, tree, versions

A, B = host(OPERATING_SYSTEM, packages({"idna": "3.4"})), host(OPERATING_SYSTEM, packages({"idna": "3.7"}))
FIRST, SECOND = "00112233", "44556677"


def head(root: str) -> dict[str, object]:
    """A report of a root."""
    return {"root": root, "taken_at": NOON.isoformat(), "identity": {}, "observed": {}, "interval": 900, "agent": "1"}


def answered(engine: Engine, one: Host, epoch: str, seq: int, root: str) -> tuple[bool, list[str]]:
    """Report a root in a transaction of its own, a minute after the last report."""
    with writing(engine) as connection:
        before = known(connection, one.id)
        moment = before.seen_at + timedelta(minutes=1) if before.seen_at else NOON
        return accept(connection, before, epoch, seq, head(root), moment)


def stored(engine: Engine, *fingerprints: Fingerprint) -> None:
    """Store every object of these."""
    with writing(engine) as connection:
        store_objects(connection, b"\n".join(body for one in fingerprints for body in one.objects().values()), NOON)


@pytest.fixture
def web(database: Engine) -> Host:
    """A host that has not reported yet."""
    with writing(database) as connection:
        return enrolled(connection, "web-1")


def test_the_hash_of_what_was_received_is_what_counts(database: Engine) -> None:
    spaced = b'{"items": {"a": {"version": "1"}}}'
    with writing(database) as connection:
        store_objects(connection, spaced, NOON)
        assert content.missing(connection, [digest(spaced)]) == []
        assert content.missing(connection, [digest(canonical({"items": {"a": {"version": "1"}}}))]) != []


def test_what_objects_refer_to_and_is_not_there_is_asked_for(database: Engine) -> None:
    os, python = A.sections["os"], A.sections["python/srv/shop"]
    with writing(database) as connection:
        assert store_objects(connection, A.body, NOON) == [os.hash, python.hash]
        assert store_objects(connection, os.body + b"\n" + python.body, NOON) == [*os.page_hashes, *python.page_hashes]
        assert store_objects(connection, os.pages[0].body + b"\n\n" + python.pages[0].body + b"\n", NOON) == []


SECTION = {"kind": "os", "schema": 1, "status": "ok", "reasons": [], "count": 0, "pages": []}

GARBAGE = {
    "no JSON": b"\x00\xff",
    "half of an object": canonical({"items": {}})[:-1],
    "a list": b"[]",
    "a text": b'"items"',
    "a number": b"1",
    "an empty object": b"{}",
    "a float": b'{"items":{"a":{"b":1.5}}}',
    "NaN": b'{"items":{"a":{"b":NaN}}}',
    "infinity": b'{"items":{"a":{"b":1e999}}}',
    "a huge integer": b'{"items":{"a":{"b":9223372036854775808}}}',
    "5,000 digits": b'{"items":{"a":{"b":' + b"9" * 5000 + b"}}}",
    "a key twice": b'{"items":{"a":{},"a":{}}}',
    "a lone surrogate": b'{"items":{"\\ud800":{}}}',
    "a byte order mark": b"\xef\xbb\xbf" + canonical({"items": {}}),
    "depth": b'{"items":' * 100_000 + b"1" + b"}" * 100_000,
    "items that are a list": b'{"items":[]}',
    "an item that is a text": b'{"items":{"a":"b"}}',
    "an attribute that is an object": b'{"items":{"a":{"b":{}}}}',
    "a list of numbers": b'{"items":{"a":{"b":[1]}}}',
    "a list of lists": b'{"items":{"a":{"b":[["c"]]}}}',
    "a long name": canonical({"items": {"a" * 1025: {}}}),
    "a long value": canonical({"items": {"a": {"b": "c" * 1025}}}),
    "a root that is a list": b'{"sections":[]}',
    "a root without hashes": b'{"sections":{"os":1}}',
    "a section without kind": canonical({**SECTION, "kind": None}),
    "a section of an unknown status": canonical({**SECTION, "status": "fine"}),
    "a section whose status is an object": canonical({**SECTION, "status": {}}),
    "a section whose status is a list": canonical({**SECTION, "status": ["ok"]}),
    "a section of schema 0": canonical({**SECTION, "schema": 0}),
    "a section of schema -1": canonical({**SECTION, "schema": -1}),
    "a section of schema x": canonical({**SECTION, "schema": "x"}),
    "a section of schema true": canonical({**SECTION, "schema": True}),
    "a section of schema 1000": canonical({**SECTION, "schema": 1000}),
    "a section with a negative count": canonical({**SECTION, "count": -1}),
    "a section with more items than may be": canonical({**SECTION, "count": 50_001}),
    "a section without pages": canonical({**SECTION, "pages": None}),
    "a section with a page that is no hash": canonical({**SECTION, "pages": [1]}),
    "a section with a reason that is no text": canonical({**SECTION, "reasons": [{}]}),
    "a page that is a root as well": b'{"items":{},"sections":{"os":1}}',
    "a page that is a section as well": canonical({**SECTION, "items": {}}),
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage_is_refused_and_nothing_beside_it_is_stored(sqlite: Engine, case: str) -> None:
    good = canonical({"items": {"a": {"version": "1"}}})
    with pytest.raises(InvalidDocument), writing(sqlite) as connection:
        store_objects(connection, good + b"\n" + GARBAGE[case], NOON)
    with reading(sqlite) as connection:
        assert connection.scalar(select(func.count()).select_from(content_table)) == 0


def test_a_report_is_accepted_once_the_whole_tree_is_there(database: Engine, web: Host) -> None:
    whole = host(section("os-packages", versions({f"package-{number}": "1.0" for number in range(100)})))
    (packages_section,) = whole.sections.values()
    levels = [[whole.root], [packages_section.hash], list(packages_section.page_hashes)]
    objects = whole.objects()
    for level in levels:
        assert answered(database, web, FIRST, 1, whole.root) == (False, list(dict.fromkeys(level)))
        with reading(database) as connection:
            assert known(connection, web.id).root is None
        with writing(database) as connection:
            store_objects(connection, b"\n".join(objects[hash] for hash in level), NOON)
    assert answered(database, web, FIRST, 1, whole.root) == (False, [])
    with reading(database) as connection:
        after = known(connection, web.id)
    assert (after.root, after.epoch, after.seq, after.seen_at) == (whole.root, FIRST, 1, NOON)


def test_a_root_with_many_sections_is_asked_for_and_read_by_its_parts(database: Engine, web: Host) -> None:
    many = host(*(section(f"python/srv/{number}", versions({"idna": "3.7"})) for number in range(65)))
    objects = many.objects()
    parts = decode(many.body)["parts"]
    pages = {page for one in many.sections.values() for page in one.page_hashes}
    level = [many.root]
    for expected in (set(parts), {one.hash for one in many.sections.values()}, pages, set[str]()):
        with writing(database) as connection:
            store_objects(connection, b"\n".join(objects[hash] for hash in level), NOON)
        duplicate, level = answered(database, web, FIRST, 1, many.root)
        assert (duplicate, set(level)) == (False, expected)
    with reading(database) as connection:
        assert history.at(connection, [web.id])[web.id].sections == tree(many)


def test_one_page_that_is_missing_keeps_a_report_back(database: Engine, web: Host) -> None:
    lost = A.sections["python/srv/shop"].page_hashes[0]
    with writing(database) as connection:
        store_objects(connection, b"\n".join(body for hash, body in A.objects().items() if hash != lost), NOON)
    assert answered(database, web, FIRST, 1, A.root) == (False, [lost])


def test_the_same_report_again_is_a_duplicate(database: Engine, web: Host) -> None:
    stored(database, A)
    assert answered(database, web, FIRST, 1, A.root) == (False, [])
    assert answered(database, web, FIRST, 1, A.root) == (True, [])


@pytest.mark.parametrize(("seq", "root"), [(2, B.root), (1, B.root), (1, A.root)])
def test_a_number_that_was_used_or_passed_is_a_conflict(database: Engine, web: Host, seq: int, root: str) -> None:
    stored(database, A, B)
    answered(database, web, FIRST, 1, B.root)
    answered(database, web, FIRST, 2, A.root)
    with pytest.raises(Conflict) as refused:
        answered(database, web, FIRST, seq, root)
    assert "enrol" in refused.value.advice
    with reading(database) as connection:
        assert (known(connection, web.id).root, known(connection, web.id).seq) == (A.root, 2)


def test_numbers_may_leave_a_gap(database: Engine, web: Host) -> None:
    stored(database, A, B)
    answered(database, web, FIRST, 1, A.root)
    assert answered(database, web, FIRST, 2**31 - 1, B.root) == (False, [])


def test_a_new_epoch_begins_with_any_number(database: Engine, web: Host) -> None:
    stored(database, A, B)
    answered(database, web, FIRST, 7, A.root)
    assert answered(database, web, SECOND, 1, B.root) == (False, [])
    with reading(database) as connection:
        assert (known(connection, web.id).epoch, known(connection, web.id).seq) == (SECOND, 1)


@pytest.mark.parametrize("which", ["section", "page"])
def test_a_root_that_is_no_root_is_refused(database: Engine, web: Host, which: str) -> None:
    stored(database, A)
    os = A.sections["os"]
    with pytest.raises(EnvparityError):
        answered(database, web, FIRST, 1, os.hash if which == "section" else os.page_hashes[0])
    with reading(database) as connection:
        assert known(connection, web.id).root is None


@pytest.mark.parametrize("which", ["root", "page", "section of a root"])
def test_a_tree_whose_parts_are_in_the_wrong_place_is_refused(database: Engine, web: Host, which: str) -> None:
    stored(database, A)
    os = A.sections["os"]
    wrong = {
        "root": canonical({"sections": {"os": A.root}}),
        "page": canonical({"sections": {"os": os.page_hashes[0]}}),
        "section of a root": canonical({**SECTION, "pages": [os.hash]}),
    }[which]
    bodies = [wrong] if which != "section of a root" else [canonical({"sections": {"os": digest(wrong)}}), wrong]
    with writing(database) as connection:
        store_objects(connection, b"\n".join(bodies), NOON)
    with pytest.raises(EnvparityError):
        answered(database, web, FIRST, 1, digest(bodies[0]))
    with reading(database) as connection:
        assert known(connection, web.id).root is None


def test_a_host_without_any_section_is_reported(database: Engine, web: Host) -> None:
    stored(database, host())
    assert answered(database, web, FIRST, 1, host().root) == (False, [])


def test_one_section_at_two_paths_is_two(database: Engine, web: Host) -> None:
    same = versions({"idna": "3.4"})
    one = host(section("python/srv/a", same))
    both = host(section("python/srv/a", same), section("python/srv/b", same))
    stored(database, one, both)
    for seq, fingerprint in enumerate((one, both), 1):
        assert answered(database, web, FIRST, seq, fingerprint.root) == (False, [])
    with reading(database) as connection:
        assert history.at(connection, [web.id])[web.id].sections == tree(both)


@pytest.mark.parametrize(
    ("taken_at", "skew"),
    [
        ("2026-11-01T12:00:00+00:00", 0), ("2026-11-01T12:01:30+00:00", 90), ("2026-11-01T11:00:00", -3600),
        ("2026-11-01T14:00:00+02:00", 0), ("0001-01-01T00:00:00+05:00", -(2**31) + 1),
        ("9999-12-31T23:59:59-05:00", 2**31 - 1),
    ],
)  # fmt: skip
def test_how_far_the_hosts_clock_is_ahead_is_kept(database: Engine, web: Host, taken_at: str, skew: int) -> None:
    stored(database, A)
    with writing(database) as connection:
        accept(connection, known(connection, web.id), FIRST, 1, {**head(A.root), "taken_at": taken_at}, NOON)
        assert known(connection, web.id).skew == skew


@pytest.mark.parametrize("path", ["python/a\0b", "python/" + "".join(map(chr, range(0x10000, 0x10300)))])
def test_a_path_that_no_index_can_hold_is_refused(database: Engine, web: Host, path: str) -> None:
    odd = host(section(path))
    stored(database, odd)
    with pytest.raises(InvalidDocument, match="NUL or over"):
        answered(database, web, FIRST, 1, odd.root)
