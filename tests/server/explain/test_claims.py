"""Tests of the claims that may tell runs apart."""

from collections.abc import Mapping

import pytest

from envparity_agent.fingerprint import Reason, Section, Status
from envparity_server.explain.claims import Claim, Relation, Split, claims, listed
from tests.server.explain.fleets import APP
from tests.server.making import SEARCHED, host, packages, section


def found(*sides: Section | None, more: tuple[Section, ...] = (SEARCHED,)) -> Mapping[str, Split]:
    """The claims of fingerprints that have one section each besides a complete search, by their words."""
    every = claims([host(*more, *([one] if one else [])) for one in sides])
    return {claim.words: split for claim, split in every.items()}


def app(**pinned: str) -> Section:
    return packages(pinned, APP)


def test_a_version_is_a_claim_and_so_is_from_it_on() -> None:
    assert found(app(idna="3.4"), app(idna="3.7"), app(idna="3.10")) == {
        "idna 3.4": (0b001, 0b111),
        "idna 3.7": (0b010, 0b111),
        "idna 3.10": (0b100, 0b111),
        "idna 3.7 or newer": (0b110, 0b111),
        "idna older than 3.7": (0b001, 0b111),
        "idna 3.10 or newer": (0b100, 0b111),
        "idna older than 3.10": (0b011, 0b111),
    }


def test_what_nobody_orders_has_no_claim_of_from_it_on() -> None:
    assert set(found(app(idna="one"), app(idna="two"))) == {"idna one", "idna two"}


def test_presence_and_absence_are_claims() -> None:
    assert found(app(idna="3.4", six="1"), app(idna="3.4")) == {"six is there": (1, 3), "six is not there": (2, 3)}


def test_what_all_have_is_no_claim() -> None:
    assert found(app(idna="3.4"), app(idna="3.4")) == {}


def test_a_package_that_is_not_there_is_neither_older_nor_newer() -> None:
    told = found(app(a="1", idna="3.4"), app(a="1", idna="3.7"), app(a="1"))
    assert told["idna older than 3.7"] == (0b001, 0b111)
    assert told["idna 3.7 or newer"] == (0b010, 0b111)


def test_of_what_could_not_be_read_nothing_is_known() -> None:
    failed = section(APP, {}, Status.FAILED, Reason.PERMISSION)
    assert found(app(idna="3.4"), app(idna="3.7"), failed)["idna 3.4"] == (0b001, 0b011)


def test_what_a_partial_section_lacks_is_not_known_to_be_missing() -> None:
    partial = section(APP, {"six": {"version": "1"}}, Status.PARTIAL, Reason.CAP)
    told = found(app(idna="3.4", six="1"), app(six="1"), partial)
    assert told == {"idna is there": (0b001, 0b011), "idna is not there": (0b010, 0b011)}


def test_a_whole_section_can_be_missing_where_the_search_was_complete() -> None:
    assert found(app(idna="3.4"), None) == {f"{APP} is there": (1, 3), f"{APP} is not there": (2, 3)}
    assert found(app(idna="3.4"), None, more=()) == {}


def test_items_of_a_missing_section_are_missing() -> None:
    assert found(app(idna="3.4"), app(idna="3.7"), None)["idna 3.4"] == (0b001, 0b111)


def test_hashes_under_unlike_keys_say_nothing() -> None:
    def setting(hmac: str, key: str) -> Section:
        return section("env", {"TOKEN": {"hmac": hmac, "key": key}}, kind="configuration")

    assert set(found(setting("aa", "k1"), setting("bb", "k1"))) == {"TOKEN hmac aa", "TOKEN hmac bb"}
    assert found(setting("aa", "k1"), setting("bb", "k2")) == {}


def test_large_sections_are_read_page_by_page_and_small_ones_beside_them() -> None:
    many = {f"package-{number}": "1" for number in range(200)}
    few = {"idna": "3.4"}
    told = found(packages({**many, **few}, APP), packages({**many, "idna": "3.7"}, APP), packages(few, APP))
    assert told["idna 3.7"] == (0b010, 0b111)
    assert told["package-7 is not there"] == (0b100, 0b111)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (Claim("python/app", "@python", "version", Relation.IS, "3.11.2"), "Python 3.11.2"),
        (Claim("settings", "vm.swappiness", "value", Relation.IS, "10"), "vm.swappiness 10"),
        (Claim("settings", "nofile", "soft", Relation.IS, 1024), "nofile soft 1024"),
        (Claim("machine", "cpu", "features", Relation.IS, ("avx", "avx2")), "cpu features avx, avx2"),
        (Claim(APP, "idna", "content", Relation.IS, "f" * 64), f"idna content {'f' * 39}…"),
    ],
)
def test_a_claim_is_told_in_words(claim: Claim, words: str) -> None:
    assert claim.words == words


def test_of_many_words_the_first_are_told() -> None:
    assert [listed(list(words), "and") for words in ("a", "ab", "abcd", "abcde")] == [
        "a", "a and b", "a, b, c and d", "a, b, c and 2 more"
    ]  # fmt: skip
