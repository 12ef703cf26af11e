"""Tests of hosts item by item: the lines, what columns have at them, and how they stand against a reference."""

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint, Reason, Section, Status
from envparity_server.compare.scope import EVERYTHING, Scope
from envparity_server.drift.matrix import Cell, Columns, Line, lines
from envparity_server.drift.picture import Shade, drawn
from envparity_server.drift.pivot import Stands
from tests.server.making import ENGINE, SEARCHED, host, packages, section

OLD = host(SEARCHED, packages({"idna": "3.4", "flask": "3.0"}))
NEW = host(SEARCHED, packages({"idna": "3.7", "flask": "3.0"}))
BARE = host(SEARCHED, packages({"flask": "3.0"}))
NONE = host(SEARCHED)
BLIND = host(SEARCHED, section("python/srv/shop", {}, Status.FAILED, Reason.PERMISSION))
HIDDEN = host(section("python", {}, Status.FAILED, Reason.PERMISSION))


def line(*hosts: Fingerprint, item: str = "idna") -> Line:
    """The line of an item of some hosts."""
    (found,) = [one for one in lines(hosts, EVERYTHING.holds, everything=True) if one.item == item]
    return found


def row(line: Line, *columns: list[int], reference: int = -1) -> list[tuple[Stands, str]]:
    """The states and values of a line's cells."""
    return [(one.state, one.value) for one in Columns(columns, reference).row(line)]


def test_only_what_differs_is_told_unless_everything_is_asked_for() -> None:
    hosts = [NEW, NEW, OLD]
    assert [(one.part.path, one.item, one.words) for one in lines(hosts, EVERYTHING.holds)] == [
        ("python/srv/shop", "idna", ("3.7", "3.4"))
    ]
    assert [one.item for one in lines(hosts, EVERYTHING.holds, everything=True)] == ["flask", "idna"]
    assert [one.item for one in lines(hosts, EVERYTHING.holds, everything=True, only="flask")] == ["flask"]
    assert list(lines(hosts, Scope(("os-packages",)).holds)) == []
    assert list(lines([], EVERYTHING.holds)) == []


def test_the_majority_is_more_than_half_of_those_who_could_tell() -> None:
    found = line(NEW, NEW, OLD, BLIND, NONE)
    assert (found.voters, found.deviating, found.majority) == (3, 1, found.stands[0])
    assert line(NEW, OLD).majority is None
    assert (list(found.part.unread), list(found.part.lacking)) == ([3], [4])


def test_a_section_that_some_hosts_are_known_not_to_have_is_one_line() -> None:
    (found,) = lines([NEW, NEW, NONE, HIDDEN], lambda section: section.kind == "python")
    assert (found.item, found.words, found.voters) == ("", ("there", "absent"), 3)
    assert row(found, [0, 1], [2], [3]) == [(Stands.SAME, "there"), (Stands.MISSING, "absent"), (Stands.UNKNOWN, "")]


def test_columns_are_held_against_what_most_hosts_have() -> None:
    found = line(NEW, NEW, NEW, OLD, BARE, BLIND, NONE, HIDDEN)
    assert row(found, [0, 1, 2], [3], [4], [5], [6], [7]) == [
        (Stands.SAME, "3.7"), (Stands.CHANGED, "3.4"), (Stands.MISSING, "absent"),
        (Stands.UNKNOWN, ""), (Stands.MISSING, ""), (Stands.UNKNOWN, ""),
    ]  # fmt: skip


def test_columns_are_held_against_one_of_them() -> None:
    found = line(NEW, NEW, OLD, BARE)
    assert row(found, [0, 1], [2], [3], reference=1) == [
        (Stands.CHANGED, "3.7"), (Stands.SAME, "3.4"), (Stands.MISSING, "absent"),
    ]  # fmt: skip
    assert row(found, [0, 1], [2], [3], reference=2)[0] == (Stands.CHANGED, "3.7")  # it has more than the reference
    assert row(found, [0, 1], [], reference=1)[0] == (Stands.UNKNOWN, "3.7")  # nothing to hold it against


def test_a_column_whose_hosts_do_not_agree_says_what_they_have() -> None:
    (cell,) = Columns([[0, 1, 2, 3]]).row(line(NEW, NEW, OLD, BARE))
    assert cell == Cell(Stands.SPLIT, "", 0, 4, (("3.7", 2), ("3.4", 1), ("absent", 1)))
    (cell,) = Columns([[0, 1, 2]]).row(line(NEW, NEW, OLD))
    assert (cell.state, cell.value, cell.hosts, cell.voters) == (Stands.SAME, "3.7", 2, 3)


def test_lines_that_set_columns_apart_are_counted() -> None:
    found = line(NEW, NEW, OLD, BARE)
    assert Columns([[0, 1], [2], [3]], 0).differing(found) == 2
    assert Columns([[0, 1], [2], [3]], 1).differing(found) == 2
    assert Columns([[0, 1, 2, 3]]).differing(found) == 1  # split in itself
    assert Columns([[0], [1]]).differing(line(NEW, NEW)) == 0


def test_the_same_version_with_other_content_is_another_value() -> None:
    one, other = (
        host(section("os-packages", {"bash": {"version": "5.2", "content": f"sha256:{letter * 64}"}}, schema=2))
        for letter in "ab"
    )
    first, second = line(one, one, other, item="bash").words
    assert first.startswith("content sha256:aaa")
    assert second.endswith("version 5.2")


@pytest.mark.parametrize(
    ("other", "state"),
    [
        ({"config": "sha256:1"}, Stands.SAME),  # the same image under fewer digests
        ({"index": "sha256:9"}, Stands.UNKNOWN),  # digests of another kind
        ({"manifest": "sha256:3", "config": "sha256:4"}, Stands.CHANGED),
    ],
)
def test_digests_of_unlike_kinds_are_no_difference(other: Attributes, state: Stands) -> None:
    def runs(image: Attributes) -> Fingerprint:
        return host(ENGINE, section("container/web", {"image": {"platform": "linux/amd64", **image}}))

    whole = runs({"manifest": "sha256:2", "config": "sha256:1"})
    cells = Columns([[0, 1], [2]]).row(line(whole, whole, runs(other), item="image"))
    assert [one.state for one in cells] == [Stands.SAME, state]


def test_a_picture_has_one_byte_a_cell() -> None:
    more = host(SEARCHED, packages({"idna": "3.7", "flask": "3.0", "extra": "1"}))
    hosts = [NEW, NEW, NEW, more, OLD, BARE, BLIND, NONE]
    found = {one.item: one for one in lines(hosts, Scope(("python",)).holds, everything=True)}
    picture = drawn([found["idna"], found["extra"], found["flask"], found[""]], 9, [8])
    idna, extra, flask, whole = ([(cell & 7, cell >> 3) for cell in row] for row in picture.rows)
    same, differs, absent = (Shade.SAME, 0), Shade.DIFFERS, Shade.ABSENT
    rest = [(Shade.UNREAD, 0), (Shade.NOWHERE, 0), (Shade.STALE, 0)]
    assert idna == [same, same, same, same, (differs, 1), (absent, 2), *rest]
    assert extra == [same, same, same, (Shade.EXTRA, 1), same, same, *rest]
    assert flask == [same] * 6 + rest
    assert whole == [same] * 7 + [(absent, 1), (Shade.NOWHERE, 0)]
    assert picture.deviations == (0, 0, 0, 1, 1, 1, 0, 1, 0)


def test_a_picture_says_where_there_is_no_majority() -> None:
    (row,) = drawn([line(NEW, OLD)], 2, []).rows
    assert [(cell & 7, cell >> 3) for cell in row] == [(Shade.SPLIT, 0), (Shade.SPLIT, 1)]


def test_values_beyond_the_thirty_first_are_told_as_another() -> None:
    hosts = [host(SEARCHED, packages({"idna": str(number)})) for number in range(40)]
    (row,) = drawn(list(lines(hosts, EVERYTHING.holds)), 40, []).rows
    assert sorted({cell >> 3 for cell in row}) == list(range(32))


def test_a_section_of_an_unknown_kind_is_told_as_any() -> None:
    one, other = (host(Section("future/x", "future", 1, {"a": {"b": value}})) for value in "12")
    (found,) = lines([one, one, other], EVERYTHING.holds)
    assert found.words == ("b 1", "b 2")
