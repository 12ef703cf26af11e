"""Tests of what the server remembers to have changed on a host."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from envparity_agent.fingerprint import Attributes, Fingerprint, Reason, Section, Status
from envparity_server.compare.model import Distance, Severity, State
from envparity_server.storage import changes
from envparity_server.storage.changes import Change
from envparity_server.storage.database import writing
from tests.server.fleet import enrolled, report
from tests.server.making import ENGINE, NOON, OPERATING_SYSTEM, SEARCHED, host, packages, section, versions

HOUR = timedelta(hours=1)
SHOP = "python/srv/shop"
INSIDE = "container/web/python/site"
PERMISSION = Reason.PERMISSION


def lived(connection: Connection, *reports: Fingerprint) -> list[Change]:
    """The changes of a host that reported these, one each hour from noon, the oldest first."""
    one = enrolled(connection, "web-1")
    for number, fingerprint in enumerate(reports):
        report(connection, one, fingerprint, NOON + number * HOUR)
    found, total = changes.of_hosts(connection, [one.id], limit=10_000)
    assert total == len(found)
    return found[::-1]


def remembered(engine: Engine, *reports: Fingerprint) -> list[Change]:
    with writing(engine) as connection:
        return lived(connection, *reports)


Told = tuple[str, str, State, object, object, float, float]


def told(found: list[Change]) -> list[Told]:
    """Each change in short: between which hours after noon."""

    def hours(moment: datetime) -> float:
        return (moment - NOON) / HOUR

    return [
        (one.section, one.item, one.state, one.left, one.right, hours(one.after), hours(one.before)) for one in found
    ]


def shop(pinned: Mapping[str, str], status: Status = Status.OK, *reasons: str) -> Fingerprint:
    return host(SEARCHED, section(SHOP, versions(pinned), status, *reasons))


FAILED = host(SEARCHED, section(SHOP, {}, Status.FAILED, PERMISSION))
A, B = shop({"idna": "3.4"}), shop({"idna": "3.7"})


def partial(pinned: Mapping[str, str]) -> Fingerprint:
    return shop(pinned, Status.PARTIAL, PERMISSION)


def test_a_change_tells_what_it_was_and_between_which_reports(database: Engine) -> None:
    (one,) = remembered(database, A, A, B)
    assert (one.section, one.kind, one.item, one.attribute) == (SHOP, "python", "idna", "version")
    assert (one.state, one.left, one.right) == (State.CHANGED, "3.4", "3.7")
    assert (one.after, one.before) == (NOON + HOUR, NOON + 2 * HOUR)
    assert (one.distance, one.severity, one.actor, one.origin) == (Distance.MINOR, Severity.MEDIUM, None, None)
    assert one.words == "3.4 → 3.7"


def test_a_first_report_and_the_same_again_tell_nothing(database: Engine) -> None:
    assert remembered(database, A, A, A) == []


def test_there_and_back_again_is_two_changes(database: Engine) -> None:
    assert told(remembered(database, A, B, A)) == [
        (SHOP, "idna", State.CHANGED, "3.4", "3.7", 0, 1),
        (SHOP, "idna", State.CHANGED, "3.7", "3.4", 1, 2),
    ]


def test_an_item_comes_and_goes(database: Engine) -> None:
    both = shop({"idna": "3.4", "six": "1.16"})
    found = remembered(database, A, both, A)
    assert told(found) == [
        (SHOP, "six", State.ONLY_RIGHT, None, "1.16", 0, 1),
        (SHOP, "six", State.ONLY_LEFT, "1.16", None, 1, 2),
    ]
    assert [one.words for one in found] == ["added: 1.16", "removed: 1.16"]


def test_what_failed_in_between_hides_and_invents_nothing(database: Engine) -> None:
    assert told(remembered(database, A, FAILED, FAILED, B)) == [(SHOP, "idna", State.CHANGED, "3.4", "3.7", 0, 3)]


def test_what_failed_and_came_back_the_same_is_no_change(database: Engine) -> None:
    assert remembered(database, A, FAILED, A, partial({}), A) == []


def test_a_partial_section_never_loses_an_item(database: Engine) -> None:
    assert remembered(database, shop({"idna": "3.4", "six": "1.16"}), partial({"idna": "3.4"})) == []


def test_sections_that_are_partial_for_ever_still_change(database: Engine) -> None:
    reports = [partial({"idna": "3.4", "gone": "1"}), partial({"idna": "3.7", "new": "1"}), partial({"idna": "3.8"})]
    assert told(remembered(database, *reports)) == [
        (SHOP, "idna", State.CHANGED, "3.4", "3.7", 0, 1),
        (SHOP, "idna", State.CHANGED, "3.7", "3.8", 1, 2),
    ]


def test_a_failed_section_between_two_partial_ones_hides_nothing(database: Engine) -> None:
    found = remembered(database, partial({"idna": "3.4"}), FAILED, partial({"idna": "3.7"}))
    assert told(found) == [(SHOP, "idna", State.CHANGED, "3.4", "3.7", 0, 2)]


def test_what_a_partial_section_told_is_not_told_again_by_a_good_one(database: Engine) -> None:
    found = remembered(database, A, partial({"idna": "3.7"}), partial({}), shop({"idna": "3.7", "six": "1.16"}))
    assert told(found) == [
        (SHOP, "idna", State.CHANGED, "3.4", "3.7", 0, 1),
        (SHOP, "six", State.ONLY_RIGHT, None, "1.16", 0, 3),
    ]


def test_a_change_that_only_partial_sections_saw_is_taken_back(database: Engine) -> None:
    found = remembered(database, A, partial({"idna": "3.7"}), FAILED, A)
    assert told(found) == [
        (SHOP, "idna", State.CHANGED, "3.4", "3.7", 0, 1),
        (SHOP, "idna", State.CHANGED, "3.7", "3.4", 1, 3),
    ]


def test_a_section_that_came_or_went_is_one_row(database: Engine) -> None:
    job = section("python/srv/job", versions({"idna": "3.4", "six": "1.16"}))
    with_job = host(*A.sections.values(), job)
    found = remembered(database, A, with_job, A)
    assert told(found) == [
        ("python/srv/job", "", State.ONLY_RIGHT, None, None, 0, 1),
        ("python/srv/job", "", State.ONLY_LEFT, None, None, 1, 2),
    ]
    assert [one.words for one in found] == ["added", "removed"]


def test_a_section_comes_back_as_it_may_be_once_more_and_is_one_row(database: Engine) -> None:
    job, other = (section("python/srv/job", versions({"idna": version})) for version in ("3.4", "3.7"))
    found = remembered(database, host(SEARCHED, job), host(SEARCHED), host(SEARCHED), host(SEARCHED, other))
    assert told(found) == [
        ("python/srv/job", "", State.ONLY_LEFT, None, None, 0, 1),
        ("python/srv/job", "", State.ONLY_RIGHT, None, None, 2, 3),
    ]


BLIND = section("python", {}, Status.FAILED, PERMISSION)


def test_what_a_failed_list_does_not_name_is_not_gone(database: Engine) -> None:
    blind = host(BLIND)
    assert told(remembered(database, A, blind, blind, B)) == [(SHOP, "idna", State.CHANGED, "3.4", "3.7", 0, 3)]


def test_what_came_and_went_while_the_list_failed_is_told_when_it_is_good(database: Engine) -> None:
    job = section("python/srv/job", versions({"six": "1.16"}))
    found = remembered(database, A, host(BLIND, job), host(SEARCHED, job))
    assert sorted(told(found)) == [
        ("python/srv/job", "", State.ONLY_RIGHT, None, None, 0, 2),
        (SHOP, "", State.ONLY_LEFT, None, None, 0, 2),
    ]


def test_no_container_is_gone_where_the_engine_could_not_be_asked(database: Engine) -> None:
    web = section("container/web", {"image": {"config": "sha256:1", "reference": "web:1"}})
    inside = section(INSIDE, versions({"idna": "3.4"}), kind="python")
    later = section(INSIDE, versions({"idna": "3.7"}), kind="python")
    listed = section("container/web/python", kind="python-search")
    down = section("containers", {}, Status.FAILED, Reason.UNREACHABLE)
    found = remembered(database, host(ENGINE, web, listed, inside), host(down), host(ENGINE, web, listed, later))
    assert told(found) == [(INSIDE, "idna", State.CHANGED, "3.4", "3.7", 0, 2)]


def test_a_container_that_went_is_one_row_with_all_that_is_in_it(database: Engine) -> None:
    web = section("container/web", {"image": {"config": "sha256:1", "reference": "web:1"}})
    inside = section(INSIDE, versions({"idna": "3.4"}), kind="python")
    listed = section("container/web/python", kind="python-search")
    whole = host(ENGINE, web, listed, inside)
    found = remembered(database, whole, host(ENGINE), whole)
    assert told(found) == [
        ("container/web", "", State.ONLY_LEFT, None, None, 0, 1),
        ("container/web", "", State.ONLY_RIGHT, None, None, 1, 2),
    ]


WEB = section("container/web", {"image": {"config": "sha256:1", "reference": "web:1"}})
LISTED = section("container/web/python", kind="python-search")
UNLISTED = section("container/web/python", {}, Status.FAILED, PERMISSION, kind="python-search")
SITES = [section(INSIDE, versions({"idna": version}), kind="python") for version in ("3.4", "3.7")]


def test_what_a_failed_search_in_a_container_does_not_name_is_not_gone(database: Engine) -> None:
    old, new = (host(ENGINE, WEB, LISTED, site) for site in SITES)
    found = remembered(database, old, host(ENGINE, WEB, UNLISTED), new)
    assert told(found) == [(INSIDE, "idna", State.CHANGED, "3.4", "3.7", 0, 2)]


def test_what_went_from_a_container_that_could_not_be_read_is_told(database: Engine) -> None:
    unread = section("container/web", {}, Status.FAILED, PERMISSION)
    found = remembered(database, host(ENGINE, WEB, LISTED, SITES[0]), host(ENGINE, unread), host(ENGINE, WEB, LISTED))
    assert told(found) == [(INSIDE, "", State.ONLY_LEFT, None, None, 0, 2)]


def test_what_is_in_a_container_that_came_back_is_held_against_nothing_of_before(database: Engine) -> None:
    old, new = (host(ENGINE, WEB, LISTED, site) for site in SITES)
    found = remembered(database, old, host(ENGINE), host(ENGINE, WEB, UNLISTED), new)
    assert told(found) == [
        ("container/web", "", State.ONLY_LEFT, None, None, 0, 1),
        ("container/web", "", State.ONLY_RIGHT, None, None, 1, 2),
    ]


@pytest.mark.parametrize(("back", "hour"), [(partial({"idna": "3.4"}), 2), (FAILED, 3)])
def test_a_section_that_came_back_is_not_held_against_the_one_that_went(
    database: Engine, back: Fingerprint, hour: int
) -> None:
    found = remembered(database, shop({"idna": "3.4", "six": "1.16"}), host(SEARCHED), back, A)
    assert told(found) == [
        (SHOP, "", State.ONLY_LEFT, None, None, 0, 1),
        (SHOP, "", State.ONLY_RIGHT, None, None, 1, hour),
    ]


def test_what_came_unseen_and_went_again_is_no_change(database: Engine) -> None:
    blind = host(BLIND, section(SHOP, versions({"idna": "3.4"})))
    assert remembered(database, host(SEARCHED), blind, FAILED, host(SEARCHED)) == []


def test_a_package_that_was_put_into_a_container_is_one_change(database: Engine) -> None:
    image: dict[str, Attributes] = {"image": {"config": "sha256:1", "reference": "web:1"}}
    layer: dict[str, Attributes] = {"layer:/usr/site-packages#six": {"change": "added"}}
    body: dict[str, Attributes] = {"six": {"version": "1.16", "location": "site-packages"}}
    listed = section("container/web/python", kind="python-search")
    site = "container/web/python/usr/lib/python3"
    before = host(ENGINE, section("container/web", image), listed, section(site, kind="python"))
    after = host(ENGINE, section("container/web", {**image, **layer}), listed, section(site, body, kind="python"))
    (one,) = remembered(database, before, after)
    assert (one.section, one.item, one.origin) == (site, "six", "added in the container")
    assert one.words == "added: 1.16, added in the container"
    assert one.severity >= Severity.HIGH


def test_an_upgraded_agent_tells_no_change(database: Engine) -> None:
    old = section(SHOP, {"idna": {"version": "3.4"}}, schema=1)
    new = section(SHOP, {"idna": {"version": "3.4", "requested": True, "dirty": False}}, schema=2)
    newer = section(SHOP, {"idna": {"version": "3.4", "requested": True, "dirty": True}}, schema=2)
    app = section("app/shop", {"code": {"tree": "1"}}, kind="application")
    search = replace(SEARCHED, schema=2)
    (one,) = remembered(database, host(SEARCHED, old), host(search, new, app), host(search, newer, app))
    assert (one.attribute, one.before) == ("dirty", NOON + 2 * HOUR)


def test_both_an_os_package_and_the_distribution_that_it_brings_are_remembered(database: Engine) -> None:
    def at(version: str) -> Fingerprint:
        site = section(
            "python/usr/lib/python3", {"pyyaml": {"version": version, "owner": f"deb:python3-yaml {version}"}}
        )
        return host(SEARCHED, section("os-packages", versions({"python3-yaml": version})), site)

    found = remembered(database, at("6.0"), at("6.1"))
    assert {(one.section, one.item) for one in found} == {
        ("os-packages", "python3-yaml"),
        ("python/usr/lib/python3", "pyyaml"),
    }


def test_the_log_of_the_package_manager_names_the_actor(database: Engine) -> None:
    before = section("os-packages", versions({"curl": "8.1", "zlib1g": "1.2", "nano": "7", "vim": "9"}))
    after = section("os-packages", versions({"curl": "8.2", "zlib1g": "1.3", "vim": "9"}))
    log: dict[str, Attributes] = {
        "os-packages": {
            "2026-11-01 12:30:00": "apt upgrade by ada (1000): curl 8.1 -> 8.2, zlib1g 1.2 -> 1.3",
            "2026-11-01 12:40:00": "apt-get remove: -nano 7",
            "2026-11-01 12:50:00": "apt install by eve (1001): +curl 8.0",
        }
    }
    with writing(database) as connection:
        one = enrolled(connection, "web-1")
        report(connection, one, host(before), NOON)
        report(connection, one, host(after), NOON + HOUR, observed=log)
        found, _ = changes.of_hosts(connection, [one.id])
    assert {change.item: change.actor for change in found} == {
        "curl": "apt upgrade (by ada)",
        "zlib1g": "apt upgrade (by ada)",
        "nano": "apt-get remove",
    }


def test_the_newest_change_of_an_item_is_found_on_each_host(database: Engine) -> None:
    with writing(database) as connection:
        one, other = enrolled(connection, "web-1"), enrolled(connection, "web-2")
        for number, fingerprint in enumerate((A, B, A)):
            report(connection, one, fingerprint, NOON + number * HOUR)
        report(connection, other, A, NOON)
        found = changes.latest(connection, [one.id, other.id], SHOP, "idna")
    assert {host_id: (change.right, change.before) for host_id, change in found.items()} == {
        one.id: ("3.4", NOON + 2 * HOUR)
    }


def test_changes_are_chosen_by_time_section_and_item(database: Engine) -> None:
    with writing(database) as connection:
        one = enrolled(connection, "web-1")
        older = {"idna": "3.4", "six": "1.16", "Six": "1", "s[x": "1"}
        newer = {"idna": "3.7", "six": "1.17", "Six": "2", "s[x": "2"}
        for number, pinned in enumerate((older, newer, older)):
            report(connection, one, shop(pinned), NOON + number * HOUR)

        def items(**chosen: object) -> list[str]:
            found, total = changes.of_hosts(connection, [one.id], **chosen)  # type: ignore[arg-type]  # any of them
            assert total == len(found)
            return sorted({change.item for change in found})

        assert items(item="s?x") == ["s[x", "six"]
        assert items(item="s[*") == ["s[x"]
        assert items(item="%") == items(item="s_x") == items(section="python/srv/sho") == []
        assert items(section=SHOP) == items(section="python") == ["Six", "idna", "s[x", "six"]
        assert items(since=NOON + 3 * HOUR) == items(until=NOON) == []
        newest, total = changes.of_hosts(connection, [one.id], limit=1)
        assert (newest[0].before, total) == (NOON + 2 * HOUR, 8)


def test_a_report_makes_a_bounded_number_of_rows(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_ROWS", 4)
    many = [host(SEARCHED, packages({f"a{n}": v for n in range(9)}), packages({"idna": v}, "python/b")) for v in "12"]
    assert told(remembered(database, *many)) == [
        (SHOP, "", State.CHANGED, None, "9 differences", 0, 1),
        ("python/b", "idna", State.CHANGED, "1", "2", 0, 1),
    ]


def test_what_no_section_can_be_folded_into_is_one_row_for_the_rest(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_ROWS", 2)
    many = [host(SEARCHED, *(packages({"idna": v}, f"python/{n}") for n in range(4))) for v in "12"]
    assert [(one.section, one.words) for one in remembered(sqlite, *many)][-1] == ("", "3 more differences")


def test_a_host_whose_names_are_as_long_as_may_be_is_remembered(database: Engine) -> None:
    name = "".join(chr(0x10000 + 37 * number) for number in range(1000))
    long = [
        host(OPERATING_SYSTEM, section("os-packages", {name: {"version": v + "\0"}, "n\0": {"version": v}}))
        for v in "12"
    ]
    assert len(remembered(database, *long)) == 2


KINDS = {"os": "os", SHOP: "python", "container/web": "container", INSIDE: "python"}
LISTED_BY = {SHOP: "python", "container/web": "containers", "container/web/python": "container/web"}
LISTED_BY |= {INSIDE: "container/web/python"}


@st.composite
def reports(draw: st.DrawFn) -> Fingerprint:
    """A report whose sections are there or not, good or not, as a host could have them."""
    found: dict[str, Section] = {}
    for path in ("os", "python", SHOP, "containers", "container/web", "container/web/python", INSIDE):
        covered = LISTED_BY.get(path)
        seldom = path in (SHOP, "container/web", INSIDE) and draw(st.integers(0, 3)) == 0
        if seldom or (covered and (covered not in found or found[covered].status == Status.FAILED)):
            continue
        status = draw(st.sampled_from([Status.OK, Status.OK, Status.PARTIAL, Status.FAILED]))
        items = draw(st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3))
        told = versions(items) if path in KINDS and status != Status.FAILED else {}
        reasons = () if status == Status.OK else (PERMISSION,)
        kind = KINDS.get(path) or ("containers" if path == "containers" else "python-search")
        found[path] = section(path, _bodies(kind, told), status, *reasons, kind=kind)
    return host(*found.values())


def _bodies(kind: str, told: dict[str, Attributes]) -> dict[str, Attributes]:
    """The items with the attribute that a kind has for their value."""
    return {item: {"reference": body["version"]} for item, body in told.items()} if kind == "container" else told


def _state(one: Section) -> dict[str, object]:
    return {item: next(iter(body.values())) for item, body in one.items.items()}


def _readable(one: Section | None) -> bool:
    return one is not None and one.status != Status.FAILED


def _is_gone(sections: Mapping[str, Section], path: str) -> bool:
    """Whether a report says for sure that a section is not there: what lists it is good, or gone itself."""
    cover = LISTED_BY.get(path)
    if cover is None or path in sections:
        return False
    return sections[cover].status == Status.OK if cover in sections else _is_gone(sections, cover)


def _at(rows: list[Change], path: str, number: int) -> list[Change]:
    return [row for row in rows if row.section == path and row.before == NOON + number * HOUR]


def _replay(reports: list[Fingerprint], rows: list[Change], path: str) -> None:
    """Hold what the rows make of each first good state of a section against every state that was read since.

    What a good list says to be gone, and what came as a whole, by itself or in its container, begins anew.
    """
    state: dict[str, object] | None = None
    for number, fingerprint in enumerate(reports):
        one = fingerprint.sections.get(path)
        mine = _at(rows, path, number)
        anew = [row for row in (*mine, *_at(rows, path.partition("/python/")[0], number)) if not row.item]
        if anew or _is_gone(fingerprint.sections, path):
            state = None
        for row in (row for row in mine if row.item):
            assert one is not None, row
            assert row.right == _state(one).get(row.item), row
            if state is not None:
                assert state.get(row.item) == row.left, row
                state[row.item] = row.right
        if one is None or one.status == Status.FAILED:
            assert not [row for row in mine if row.item]
        elif one.status == Status.PARTIAL:
            assert not [row for row in mine if row.item and row.state != State.CHANGED]
            again = (state or {}).keys() & _state(one).keys()
            assert not state or {item: state[item] for item in again} == {item: _state(one)[item] for item in again}
        else:
            told = state if state is None else {item: value for item, value in state.items() if value is not None}
            assert told in (None, _state(one)), (path, number)
            state = _state(one)


def _came_and_went(reports: list[Fingerprint], rows: list[Change], path: str) -> list[tuple[State, int]]:
    """What has to be told of a section as a whole, and in which report.

    1. It went, where a good list lacks it, and it was read since it came, and there was a good list before.
    2. It came, in the first report that has a good list and can read it since a good list lacked it.
    """
    found: list[tuple[State, int]] = []
    lacked = told = read = listed = False
    for number, fingerprint in enumerate(reports):
        sections = fingerprint.sections
        inside = path == INSIDE
        if inside and _is_gone(sections, "container/web"):
            lacked = told = read = listed = False
        # the row of a container tells all that is in it
        alone = not (inside and [row for row in _at(rows, "container/web", number) if not row.item])
        cover, one = sections.get(LISTED_BY[path]), sections.get(path)
        good = cover is not None and cover.status == Status.OK
        if good and one is None:
            if alone and read and listed and (told or not lacked):
                found.append((State.ONLY_LEFT, number))
            lacked, told, read = True, False, False
        elif _readable(one):
            if alone and good and lacked and not told:
                found.append((State.ONLY_RIGHT, number))
            told, read = told or good, True
        listed = listed or good
    return found


def _written(reports: list[Fingerprint], rows: list[Change]) -> str:
    """A sequence with what was made of it: a line for each section of each report, and for each row."""
    lines = []
    for number, fingerprint in enumerate(reports):
        lines.append(f"report {number}:")
        lines += [f"  {one.path} {one.status} {_state(one)}" for one in fingerprint.sections.values()]
        lines += [f"  -> {one}" for one in told(rows) if one[-1] == number]
    return "\n".join(lines)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(reports(), min_size=1, max_size=7))
def test_the_changes_lead_from_each_good_state_to_the_next(sqlite: Engine, sequence: list[Fingerprint]) -> None:
    with sqlite.connect().execution_options(envparity_writes=True) as connection, connection.begin() as transaction:
        rows = lived(connection, *sequence)
        transaction.rollback()
    note(_written(sequence, rows))
    for path in KINDS:
        _replay(sequence, rows, path)
    for path in (SHOP, "container/web", INSIDE):
        whole = [row for row in rows if row.section == path and not row.item]
        hours = [(row.state, round((row.before - NOON) / HOUR)) for row in whole]
        assert hours == _came_and_went(sequence, rows, path), path
        for row in whole:
            before = sequence[round((row.after - NOON) / HOUR)].sections
            assert _is_gone(before, path) if row.state == State.ONLY_RIGHT else _readable(before.get(path)), row
