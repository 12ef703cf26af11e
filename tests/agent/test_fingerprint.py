"""Checks that equal facts have equal hashes, that unequal ones do not, and that nothing else is taken in."""

import json
import random
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from envparity_agent.canonical import MAX_INTEGER, canonical, decode, digest
from envparity_agent.documents import examined, from_document
from envparity_agent.errors import InvalidDocument
from envparity_agent.fingerprint import (
    MAX_ITEMS,
    MAX_STRING,
    PAGE_ITEMS,
    Attributes,
    Fingerprint,
    Reason,
    Section,
    Status,
    Target,
    Value,
    clean,
)
from tests.agent.strategies import (
    documents,
    fingerprints,
    many_items,
    names,
    places,
    replaced,
    sections,
    shuffled,
    values,
)

EXAMPLE = Fingerprint(
    Target("host", "web-1"),
    "2026-11-01T02:00:00+00:00",
    {
        "os": Section("os", "os", 1, {"distribution": {"id": "debian", "tags": ("a", "b"), "gone": None}}),
        "python": Section("python", "python-search", 1, {}, Status.PARTIAL, (Reason.PERMISSION,)),
    },
    identity={"hostname": "web-1"},
    timings={"os": 3},
)


def with_section(fingerprint: Fingerprint, section: Section) -> Fingerprint:
    return replace(fingerprint, sections={**fingerprint.sections, section.path: section})


@given(fingerprints(), st.randoms(use_true_random=False))
def test_order_never_matters(fingerprint: Fingerprint, source: random.Random) -> None:
    reordered = {
        path: replace(
            section,
            items={name: shuffled(body, source) for name, body in shuffled(section.items, source).items()},
            reasons=tuple(reversed(section.reasons)),
        )
        for path, section in shuffled(fingerprint.sections, source).items()
    }
    assert replace(fingerprint, sections=reordered).root == fingerprint.root
    assert {path: section.hash for path, section in reordered.items()} == {
        path: section.hash for path, section in fingerprint.sections.items()
    }


@given(fingerprints())
def test_the_same_facts_have_the_same_root_whoever_took_them_and_when(fingerprint: Fingerprint) -> None:
    elsewhere = Fingerprint(
        Target("host", "another"),
        "2031-01-01T00:00:00+00:00",
        {path: replace(section, observed={"id": "moves"}) for path, section in fingerprint.sections.items()},
        identity={"machine_id": "another"},
        timings={"os": 1},
    )
    assert elsewhere.root == fingerprint.root


@given(fingerprints(least_sections=1), names, names, values, values)
def test_another_value_of_one_attribute_is_another_root(
    fingerprint: Fingerprint, item: str, attribute: str, old: Value, new: Value
) -> None:
    assume(canonical(old) != canonical(new))
    section = next(iter(fingerprint.sections.values()))

    def root_with(value: Value) -> str:
        items = {**section.items, item: {**section.items.get(item, {}), attribute: value}}
        return with_section(fingerprint, replace(section, items=items)).root

    assert root_with(old) != root_with(new)


@given(fingerprints(least_sections=1), names, names, values)
def test_an_item_or_an_attribute_more_is_another_root(
    fingerprint: Fingerprint, item: str, attribute: str, value: Value
) -> None:
    section = next(iter(fingerprint.sections.values()))
    assume(item not in section.items)
    roots = [
        with_section(fingerprint, replace(section, items=items)).root
        for items in (section.items, {**section.items, item: {}}, {**section.items, item: {attribute: value}})
    ]
    assert len(set(roots)) == 3


@given(sections(), sections())
def test_what_is_said_about_a_section_is_a_fact_as_well(one: Section, other: Section) -> None:
    said = [(each.kind, each.schema, each.status, sorted(set(each.reasons))) for each in (one, other)]
    assume(said[0] != said[1])
    assert one.hash != replace(other, items=one.items).hash


def test_a_section_at_another_path_is_another_root() -> None:
    section = EXAMPLE.sections["os"]
    assert replace(EXAMPLE, sections={"os": section}).root != replace(EXAMPLE, sections={"os2": section}).root


def test_a_section_less_is_another_root() -> None:
    assert replace(EXAMPLE, sections={"os": EXAMPLE.sections["os"]}).root != EXAMPLE.root


@given(many_items(), st.data())
def test_a_change_of_one_item_moves_one_page(items: dict[str, Attributes], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(items)))
    before = Section("os-packages", "os-packages", 1, items)
    after = replace(before, items={**items, name: {"version": "another"}})
    moved = [old != new for old, new in zip(before.page_hashes, after.page_hashes, strict=True)]
    assert len(moved) == PAGE_ITEMS
    assert moved.count(True) == 1


def test_a_section_that_changes_among_many_moves_the_root_and_one_part_of_it() -> None:
    paths = [f"python/srv/{number}" for number in range(PAGE_ITEMS + 1)]
    before = replace(EXAMPLE, sections={path: Section(path, "python", 1) for path in paths})
    changed = Section(paths[7], "python", 1, {"idna": {"version": "3.7"}})
    after = replace(before, sections={**before.sections, paths[7]: changed})
    tops = [json.loads(one.body)["parts"] for one in (before, after)]
    assert [len(top) for top in tops] == [PAGE_ITEMS, PAGE_ITEMS]
    assert sum(old != new for old, new in zip(*tops, strict=True)) == 1
    moved = after.objects().keys() - before.objects().keys()
    assert len(moved) == 4, "the root, one part of it, the section and its page"


def test_a_root_with_few_sections_holds_them_itself() -> None:
    assert json.loads(EXAMPLE.body) == {"sections": {path: one.hash for path, one in EXAMPLE.sections.items()}}


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (PAGE_ITEMS, 1), (PAGE_ITEMS + 1, PAGE_ITEMS)])
def test_a_section_has_one_page_or_sixty_four(count: int, pages: int) -> None:
    section = Section("os", "os", 1, {f"item-{number}": {} for number in range(count)})
    assert len(section.pages) == pages
    assert sum(len(section.page(position)) for position in range(pages)) == section.count == count


def test_an_item_lies_on_the_page_of_the_first_six_bits_of_its_names_hash() -> None:
    section = Section("os", "os", 1, {f"item-{number}": {} for number in range(100)})
    for position in range(PAGE_ITEMS):
        assert all(int(digest(name.encode())[:2], 16) >> 2 == position for name in section.page(position))


@given(fingerprints())
def test_a_document_comes_back_as_the_same_fingerprint(fingerprint: Fingerprint) -> None:
    written = json.dumps(fingerprint.document()).encode()
    back = from_document(decode(written))
    assert back.root == fingerprint.root
    assert back.document() == fingerprint.document()
    assert (back.target, back.identity, back.timings) == (
        fingerprint.target,
        fingerprint.identity,
        fingerprint.timings,
    )


@given(fingerprints())
def test_every_object_is_told_by_its_hash_and_refers_to_the_others(fingerprint: Fingerprint) -> None:
    objects = fingerprint.objects()
    assert all(digest(body) == hash for hash, body in objects.items())
    reached, pending = set(), [fingerprint.root]
    while pending:
        hash = pending.pop()
        reached.add(hash)
        pending += examined(objects[hash]).references
    assert reached == set(objects)


@pytest.mark.parametrize(
    "body",
    [
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"1.0",
        b"1e3",
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        rb'"\ud800"',
        rb'{"\udfff":1}',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b"",
        b"1 2",
        b"9" * 5000,
        str(MAX_INTEGER + 1).encode(),
        str(-MAX_INTEGER - 1).encode(),
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 32 + b"1" + b"}" * 32,
        b"[" * 100_000,
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_what_has_no_strict_meaning_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidDocument):
        decode(body)


def test_the_deepest_document_and_the_largest_integers_are_taken() -> None:
    assert decode(b"[" * 32 + b"]" * 32)
    assert decode(f"[{MAX_INTEGER},{-MAX_INTEGER}]".encode()) == (MAX_INTEGER, -MAX_INTEGER)


@given(st.binary(max_size=60))
def test_no_bytes_are_more_than_invalid(body: bytes) -> None:
    for reading in (decode, examined):
        try:
            reading(body)
        except InvalidDocument:
            continue


@given(documents)
def test_no_json_document_is_more_than_invalid(document: Any) -> None:
    body = json.dumps(document).encode()
    try:
        from_document(decode(body))
        examined(body)
    except InvalidDocument:
        return


@given(fingerprints(least_sections=1), documents, st.data())
def test_no_change_of_a_document_is_more_than_invalid(
    fingerprint: Fingerprint, strange: Any, data: st.DataObject
) -> None:
    document = json.loads(json.dumps(fingerprint.document()))
    place = data.draw(st.sampled_from(places(document)))
    try:
        from_document(decode(json.dumps(replaced(document, place, strange)).encode()))
    except InvalidDocument:
        return


@given(sections(), documents, st.data())
def test_no_change_of_an_object_is_more_than_invalid(section: Section, strange: Any, data: st.DataObject) -> None:
    document = json.loads(section.body)
    place = data.draw(st.sampled_from(places(document)))
    try:
        examined(json.dumps(replaced(document, place, strange)).encode())
    except InvalidDocument:
        return


STRANGE: tuple[tuple[tuple[str, ...], Any], ...] = (
    ((), []),
    (("schema",), 2),
    (("schema",), True),
    (("target",), None),
    (("target", "name"), 3),
    (("taken_at",), ["2026"]),
    (("root",), f"sha256:{'0' * 64}"),
    (("sections",), []),
    (("sections", "os"), "none"),
    (("sections", "os", "kind"), None),
    (("sections", "os", "schema"), 0),
    (("sections", "os", "schema"), True),
    (("sections", "os", "status"), "fine"),
    (("sections", "os", "status"), {}),
    (("sections", "os", "status"), [{}]),
    (("sections", "os", "reasons"), "cap"),
    (("sections", "os", "reasons"), [1]),
    (("sections", "os", "items"), None),
    (("sections", "os", "items", "distribution"), 1),
    (("sections", "os", "items", "distribution", "id"), {"deep": 1}),
    (("sections", "os", "items", "distribution", "id"), [1]),
    (("sections", "os", "items", "distribution", "id"), "x" * (MAX_STRING + 1)),
    (("sections", "os", "observed"), []),
    (("identity",), {"hostname": [[]]}),
    (("observed",), {"survey": 1}),
)


@pytest.mark.parametrize(("place", "value"), STRANGE, ids=lambda part: str(part)[-40:])
def test_a_document_that_breaks_the_contract_is_refused(place: tuple[str, ...], value: Any) -> None:
    document = json.loads(json.dumps(EXAMPLE.document()))
    with pytest.raises(InvalidDocument):
        from_document(decode(json.dumps(replaced(document, place, value)).encode()))


def test_a_document_that_was_changed_after_it_was_taken_is_refused() -> None:
    document = json.loads(json.dumps(EXAMPLE.document()))
    document["sections"]["os"]["items"]["distribution"]["id"] = "ubuntu"
    with pytest.raises(InvalidDocument, match="root hash does not fit"):
        from_document(decode(json.dumps(document).encode()))


def test_a_field_of_a_newer_agent_is_passed_over() -> None:
    document = json.loads(json.dumps(EXAMPLE.document()))
    document["newer"] = {"anything": [1, [2]]}
    document["sections"]["os"]["newer"] = "text"
    assert from_document(decode(json.dumps(document).encode())).root == EXAMPLE.root


def test_more_items_than_a_section_may_have_are_refused() -> None:
    body = json.dumps({"items": {str(number): {} for number in range(MAX_ITEMS + 1)}}).encode()
    with pytest.raises(InvalidDocument, match="more than"):
        examined(body)


@given(
    st.dictionaries(
        st.text(st.characters(), max_size=5),
        st.dictionaries(
            names,
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(),
                st.text(st.characters()),
                st.lists(st.text(st.characters(), max_size=5), max_size=3).map(tuple),
                st.integers(MAX_STRING - 2, MAX_STRING + 2).map(lambda length: "\udc80" * (length // 6)),
            ),
            max_size=3,
        ),
        max_size=5,
    )
)
def test_what_was_cleaned_fits_the_contract(items: dict[str, Attributes]) -> None:
    cleaned = clean(items.items())
    again = decode(canonical({"text": [text for body in cleaned.values() for text in body.values() if _is_text(text)]}))
    assert all(len(text) <= MAX_STRING for text in again["text"])
    assert canonical(cleaned)
    assert clean(cleaned.items()) == cleaned


def _is_text(value: Value) -> bool:
    return isinstance(value, str)


def test_bytes_that_are_no_text_are_shown_by_their_escapes() -> None:
    assert clean([("caf\udce9", {"name": "a\udcff"})]) == {"caf\\udce9": {"name": "a\\udcff"}}


def test_long_text_is_cut_and_marked() -> None:
    [(name, body)] = clean([("n" * 2000, {"name": "v" * 2000})]).items()
    for text, character in ((name, "n"), (str(body["name"]), "v")):
        assert re.fullmatch(f"{character}+…[0-9a-f]{{16}}", text)
        assert len(text) == MAX_STRING


def test_long_texts_that_only_begin_alike_stay_two() -> None:
    found = clean((f"{'n' * 2000}{end}", {"name": f"{'v' * 2000}{end}"}) for end in "ab")
    assert len(found) == len({body["name"] for body in found.values()}) == 2
