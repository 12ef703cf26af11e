"""Checks how values are told: in clear by allow-list, else by a hash that only the key's holders can make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.values import Disclosure, Key, untold
from envparity_agent.fingerprint import MAX_STRING, Reason

KEY = Key(b"k" * 32)


@pytest.mark.parametrize("name", ["TZ", "LANG", "LC_ALL", "PYTHONPATH"])
def test_what_holds_no_secret_is_told_in_clear(name: str) -> None:
    assert Disclosure(KEY).of(name, "x") == {"value": "x"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PYTHON_API_TOKEN", "hunter2"),
        ("PYTHON_DB_PASSWORD", "hunter2"),
        ("LC_SECRET", "hunter2"),
        ("PYTHON_INDEX", "https://ann:hunter2@pypi.example/simple"),
    ],
)
def test_a_secret_is_none_of_the_interpreters_variables_whatever_its_name_begins_with(name: str, value: str) -> None:
    assert Disclosure().of(name, value) == {"hidden": True}
    assert Disclosure(clear=(name,)).of(name, value) == {"value": value}  # the operator said so


def test_the_operator_may_tell_more() -> None:
    assert Disclosure(KEY, ("SHOP_*",)).of("SHOP_MODE", "x") == {"value": "x"}
    assert "value" not in Disclosure(KEY).of("SHOP_MODE", "x")


def test_without_a_key_a_value_is_hidden() -> None:
    assert Disclosure().of("PASSWORD", "hunter2") == {"hidden": True}


def test_the_hash_depends_on_the_key_the_name_and_the_value() -> None:
    told = [
        Disclosure(key).of(name, value)["hmac"]
        for key in (KEY, Key(b"l" * 32))
        for name in ("A", "B")
        for value in ("x", "y")
    ]
    assert len(set(told)) == len(told)
    assert Disclosure(KEY).of("A", "x") == Disclosure(Key(b"k" * 32)).of("A", "x")
    assert KEY.id != Key(b"l" * 32).id


def test_a_value_that_would_be_cut_is_told_by_its_hash() -> None:
    one, other = (Disclosure(KEY).of("PYTHONPATH", "x" * MAX_STRING + end) for end in ("a", "b"))
    assert one != other
    assert "value" not in one


@given(st.text(st.characters()), st.text(st.characters()))
def test_every_text_has_a_hash_of_its_own(one: str, other: str) -> None:
    assert (KEY.of("A", one) == KEY.of("A", other)) == (one == other)


def test_a_section_with_hidden_values_lacks_a_key() -> None:
    assert untold({"A": {"hidden": True}, "B": {"value": "x"}}) == (Reason.NO_KEY,)
    assert untold({"B": {"value": "x"}, "C": {"hmac": "0", "key": "1"}}) == ()
