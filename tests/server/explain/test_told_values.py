"""Checks that a value which the failing run printed leads to the variable or key that has it, hashed or not."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import Section
from envparity_server.explain.failures import parse_failure
from envparity_server.explain.told_values import of_values
from tests.server.explain.situations import situation
from tests.server.making import host, section

KEY = Key(b"of the operator")


def variables(values: Mapping[str, str], disclosure: Disclosure) -> Section:
    items = {f"env:{name}": disclosure.of(name, value) for name, value in values.items()}
    return section("service/shop", items, kind="configuration")


def blamed(
    good: Mapping[str, str], bad: Mapping[str, str], printed: str, disclosure: Disclosure, key: Key | None = KEY
) -> dict[str, float]:
    sides = [host(variables(one, disclosure), name=name) for one, name in ((good, "a"), (bad, "b"))]
    asked = replace(situation(*sides), failure=parse_failure(printed), key=key)
    return {one.suspect.item: one.points for one in of_values(asked)}


@pytest.mark.parametrize("disclosure", [Disclosure(KEY), Disclosure(KEY, clear=("*",))])
@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("VERBOSE", "ValueError: Unknown level: 'VERBOSE'"),
        ("/etc/ssl/bundle.pem", "OSError: Could not find a bundle, invalid path: /etc/ssl/bundle.pem"),
        ("alembic", "CommandError: Path doesn't exist: '/srv/app/alembic'.  Please use 'init'."),
        ("/srv/data", "FileNotFoundError: No such file: '/srv/data/rates.csv'"),
        ("db-7.internal", "could not translate host name \"db-7.internal\" to address"),
    ],
)  # fmt: skip
def test_the_variable_whose_value_was_printed_is_blamed_and_no_other(
    disclosure: Disclosure, value: str, printed: str
) -> None:
    found = blamed({"A": "other", "B": "info"}, {"A": value, "B": "debug"}, printed, disclosure)
    assert found.keys() == {"env:A"}
    assert found["env:A"] >= 9.0


def test_a_hash_under_another_key_tells_nothing() -> None:
    printed = "ValueError: Unknown level: 'VERBOSE'"
    assert not blamed({"A": "INFO"}, {"A": "VERBOSE"}, printed, Disclosure(KEY), Key(b"of somebody else"))
    assert not blamed({"A": "INFO"}, {"A": "VERBOSE"}, printed, Disclosure(KEY), None)


def test_what_the_good_side_has_is_no_reason_to_blame() -> None:
    assert not blamed({"A": "VERBOSE"}, {"A": "INFO"}, "ValueError: Unknown level: 'VERBOSE'", Disclosure(KEY))


@pytest.mark.parametrize("value", ["true", "on", "ab"])
def test_a_common_or_short_word_tells_nothing(value: str) -> None:
    assert not blamed({"A": "other"}, {"A": value}, f"ValueError: {value} is not so", Disclosure(KEY))
