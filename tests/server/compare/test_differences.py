"""Property tests of comparing, and the golden answers of single sections."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envparity_agent.fingerprint import Fingerprint, Items, Section, Status, Target
from envparity_server.compare.differences import compare
from envparity_server.compare.model import DRIFT_STATES, Difference, Distance, State
from tests.server.making import (
    ENGINE,
    NOON,
    OPERATING_SYSTEM,
    SEARCHED,
    compared,
    fingerprints,
    host,
    item_names,
    packages,
    section,
    shuffled,
    states,
    told,
    twins,
    version_texts,
    versions,
)

GOOD = (Status.OK,)
MIRRORED = {State.ONLY_LEFT: State.ONLY_RIGHT, State.ONLY_RIGHT: State.ONLY_LEFT}


@given(fingerprints(GOOD))
def test_a_fingerprint_does_not_differ_from_itself(one: Fingerprint) -> None:
    found = compare(one, one)
    assert found.differences == ()
    assert found.same == sum(section.count for section in one.sections.values())
    assert found.unexamined == ()


@given(fingerprints())
def test_what_was_not_read_is_no_drift_from_itself(one: Fingerprint) -> None:
    assert not DRIFT_STATES & set(states(one, one))


@given(twins())
@example((host(section("os", {"a": {"version": "1"}})), host(section("os", {"a": {"version": "1.0"}}))))
def test_comparing_the_other_way_round_mirrors(sides: tuple[Fingerprint, Fingerprint]) -> None:
    there, back = compared(sides), compared(reversed(sides))
    paths = {pair.left: pair.right for pair in there.pairs}
    mirrored = [
        replace(
            one,
            section=paths.get(one.section, one.section),
            kind="",
            state=MIRRORED.get(one.state, one.state),
            left=one.right,
            right=one.left,
            version="",  # as the left side writes it
        )
        for one in there.differences
    ]
    key = repr
    assert sorted(mirrored, key=key) == sorted((replace(one, kind="", version="") for one in back.differences), key=key)
    assert (there.same, there.examined) == (back.same, back.examined)
    assert {(pair.right, pair.left) for pair in there.pairs} == {(pair.left, pair.right) for pair in back.pairs}


@given(twins(), st.data())
def test_the_order_of_items_never_matters(sides: tuple[Fingerprint, Fingerprint], data: st.DataObject) -> None:
    def reordered(one: Fingerprint) -> Fingerprint:
        again = {
            path: replace(section, items=data.draw(st.builds(dict, st.just(section.items))) and _reordered(section))
            for path, section in one.sections.items()
        }
        return replace(one, sections={path: again[path] for path in data.draw(st.permutations(list(again)))})

    def _reordered(section: Section) -> Items:
        @st.composite
        def order(draw: st.DrawFn) -> Items:
            items: Items = shuffled(section.items, draw)
            return items

        return data.draw(order())

    assert compared(map(reordered, sides)) == compared(sides)


@given(twins(GOOD), st.sampled_from(["web-3", "", "\N{SNOWMAN}"]))
def test_the_id_of_a_difference_depends_on_no_host_and_no_value(
    sides: tuple[Fingerprint, Fingerprint], name: str
) -> None:
    moved = [replace(one, target=Target("host", name), taken_at="2030-01-01T00:00:00+00:00") for one in sides]
    before, after = compared(sides).differences, compared(moved).differences
    assert [one.id for one in before] == [one.id for one in after]
    keys = {(one.section, one.item, one.attribute) for one in before}
    assert len({one.id for one in before}) == len(keys)
    assert all(replace(one, left="else", right="again", state=State.UNKNOWN).id == one.id for one in before)


def test_the_id_of_a_difference_never_changes_between_releases() -> None:
    one = Difference("python/srv/shop", "python", "idna", "version", State.CHANGED, "3.4", "3.7")
    assert one.id == "a635c503c432f1bf"


@dataclass(frozen=True)
class Unpaged:
    """A section whose items all stand on one page, however many they are."""

    whole: Section

    @property
    def path(self) -> str:
        return self.whole.path

    @property
    def kind(self) -> str:
        return self.whole.kind

    @property
    def schema(self) -> int:
        return self.whole.schema

    @property
    def status(self) -> Status:
        return self.whole.status

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.whole.reasons

    @property
    def hash(self) -> str:
        return self.whole.hash

    @property
    def page_hashes(self) -> tuple[str, ...]:
        return (self.whole.hash,)

    @property
    def count(self) -> int:
        return self.whole.count

    @property
    def items(self) -> Items:
        return self.whole.items

    def page(self, position: int) -> Items:
        assert position == 0
        return self.whole.items


@dataclass(frozen=True)
class UnpagedFingerprint:
    """A fingerprint of unpaged sections."""

    target: Target
    taken_at: str
    sections: dict[str, Unpaged]


def unpaged(one: Fingerprint) -> UnpagedFingerprint:
    """The fingerprint with every section on one page."""
    return UnpagedFingerprint(one.target, one.taken_at, {path: Unpaged(body) for path, body in one.sections.items()})


@given(
    st.integers(0, 200),
    st.integers(0, 200),
    st.dictionaries(item_names, version_texts, max_size=5),
    st.dictionaries(item_names, version_texts, max_size=5),
)
@example(64, 65, {}, {})
def test_comparing_page_by_page_gives_the_same_as_comparing_all_items(
    left_count: int, right_count: int, ours: dict[str, str], theirs: dict[str, str]
) -> None:
    def side(count: int, more: dict[str, str]) -> Fingerprint:
        common = {f"package-{number}": "1.0" for number in range(count)}
        return host(section("os-packages", versions({**common, **more})))

    left, right = side(left_count, ours), side(right_count, theirs)
    assert compare(left, right) == compare(unpaged(left), unpaged(right))


class Closed(Unpaged):
    """A section that may not be opened."""

    @property
    def items(self) -> Items:
        raise AssertionError("was opened")

    def page(self, position: int) -> Items:
        raise AssertionError(f"page {position} was opened")


def test_equal_sections_are_never_opened() -> None:
    closed = {"os": Closed(OPERATING_SYSTEM)}
    one = UnpagedFingerprint(Target("host", "a"), "", dict(closed))
    assert compare(one, host(OPERATING_SYSTEM)).same == OPERATING_SYSTEM.count


def test_only_the_pages_that_differ_are_opened() -> None:
    common = {f"package-{number}": "1.0" for number in range(500)}
    left = section("os-packages", versions(common))
    right = section("os-packages", versions({**common, "package-7": "1.1"}))
    opened: list[int] = []

    class Watched(Unpaged):
        @property
        def page_hashes(self) -> tuple[str, ...]:
            return self.whole.page_hashes

        @property
        def items(self) -> Items:
            raise AssertionError("every page was opened")

        def page(self, position: int) -> Items:
            opened.append(position)
            return self.whole.page(position)

    one = UnpagedFingerprint(Target("host", "a"), "", {"os-packages": Watched(left)})
    assert [difference.item for difference in compare(one, host(right)).differences] == ["package-7"]
    assert len(opened) == 1


def test_a_new_version_is_one_difference_with_its_distance() -> None:
    found = compare(host(packages({"idna": "3.4", "flask": "3.0"})), host(packages({"idna": "3.7", "flask": "3.0"})))
    assert told(found) == [("python/srv/shop", "idna", "version", State.CHANGED, Distance.MINOR)]
    assert [(one.left, one.right) for one in found.differences] == [("3.4", "3.7")]
    assert found.same == 1


def test_an_item_that_one_side_lacks_is_on_the_other_side_only() -> None:
    left, right = packages({"idna": "3.4", "flask": "3.0"}), packages({"idna": "3.4", "werkzeug": "3.0"})
    assert told(compare(host(left), host(right))) == [
        ("python/srv/shop", "flask", "version", State.ONLY_LEFT, None),
        ("python/srv/shop", "werkzeug", "version", State.ONLY_RIGHT, None),
    ]


def test_attributes_that_are_kept_only_are_never_compared() -> None:
    left = section("os", {"distribution": {"id": "debian", "name": "Debian GNU/Linux 12 (bookworm)"}})
    right = section("os", {"distribution": {"id": "debian", "name": "Debian 12", "codename": "bookworm"}})
    assert compare(host(left), host(right)).differences == ()


def test_attributes_that_only_a_newer_agent_declares_are_no_drift() -> None:
    left = section("os", {"distribution": {"id": "debian", "support_end": "2028"}}, schema=2)
    right = section("os", {"distribution": {"id": "debian"}})
    assert compare(host(left), host(right)).differences == ()


def test_a_value_that_is_null_does_not_differ_from_one_that_is_missing() -> None:
    left = section("os", {"distribution": {"id": "debian", "version": None}})
    right = section("os", {"distribution": {"id": "debian"}})
    assert compare(host(left), host(right)).differences == ()


@pytest.mark.parametrize("name", ["__private__", "a.b", "a['b']", 'quoted "name"', "back\\slash", "é", "root"])
def test_an_item_of_any_name_is_compared(name: str) -> None:
    left, right = (host(section("os-packages", versions({name: one}))) for one in ("1.0", "2.0"))
    assert told(compare(left, right)) == [("os-packages", name, "version", State.CHANGED, Distance.MAJOR)]


def test_a_list_that_differs_is_one_difference() -> None:
    left = section("python/a", {"x": {"version": "1", "content": "c", "tags": ("py2-none-any", "py3-none-any")}})
    right = section("python/a", {"x": {"version": "1", "content": "d", "tags": ("cp311-none-any", "py9-none-any")}})
    assert told(compare(host(left), host(right))) == [("python/a", "x", "tags", State.CHANGED, None)]


def test_sections_of_kinds_with_nothing_in_common_are_unknown() -> None:
    left = section("python/a", {"x": {"release": "6.1"}}, kind="machine")
    found = compare(host(left), host(section("python/a", {"x": {"version": "1"}}, kind="declared")))
    assert [one.state for one in found.differences] == [State.UNKNOWN]
    assert (found.examined, [gap.section for gap in found.unexamined]) == (0, ["python/a"])


def test_sections_of_a_kind_that_is_not_known_yet_are_unknown_where_they_differ() -> None:
    left, right = section("future", {"x": {"y": 1}}), section("future", {"x": {"y": 2}})
    assert states(host(left), host(right)) == [State.UNKNOWN]
    assert states(host(left), host(left)) == []


def test_a_section_that_only_one_side_has_is_one_difference() -> None:
    left = host(SEARCHED, ENGINE, packages({"idna": "3.4"}), section("container/web", {"image": {"config": "a"}}))
    right = host(SEARCHED, ENGINE)
    expected = [("container/web", State.ONLY_LEFT), ("python/srv/shop", State.ONLY_LEFT)]
    assert [(one.section, one.state) for one in compare(left, right).differences] == expected
    assert {one.item for one in compare(left, right).differences} == {""}


def test_the_document_has_what_scripts_build_on() -> None:
    left = host(packages({"idna": "3.4", "flask": "3.0"}), name="web-1")
    right = host(packages({"idna": "3.7", "flask": "3.0"}), name="web-2")
    assert compare(left, right).document() == {
        "schema": 1,
        "left": {"kind": "host", "name": "web-1"},
        "right": {"kind": "host", "name": "web-2"},
        "summary": {"same": 1, "changed": 1},
        "differences": [
            {
                "id": "a635c503c432f1bf",
                "section": "python/srv/shop",
                "item": "idna",
                "attribute": "version",
                "state": "changed",
                "left": "3.4",
                "right": "3.7",
                "severity": "info",
                "distance": "minor",
                "owner": None,
                "rule": None,
            }
        ],
        "paired": [],
        "not_examined": [],
    }


def test_comparing_reads_no_clock() -> None:
    early = Fingerprint(Target("host", "a"), "0001-01-01T00:00:00+00:00", {"os": OPERATING_SYSTEM})
    late = Fingerprint(Target("host", "a"), NOON.isoformat(), {"os": OPERATING_SYSTEM})
    assert compare(early, late) == compare(late, early)
