"""Checks that the application's own source tells what it may break by: names, own modules, and what it requires."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from envparity_agent.fingerprint import Attributes, Section
from envparity_server.explain.failures import parse_failure
from envparity_server.explain.source_names import source_names
from envparity_server.explain.system_uses import system_uses
from tests.server.explain.situations import dist, environment, situation
from tests.server.making import host, section

SOURCE: Mapping[str, Attributes] = {
    "app.py": {"uses": ("1 import zoneinfo", "2 from shop import prices", "3 from flask import Flask"),
               "texts": ("SHOP_ZONE", "smtp", "password", "postgresql+psycopg2://")},
    "settings.py": {"uses": ("1 import pydantic_settings",), "texts": ("catalog_delays",)},
}  # fmt: skip


def blamed(good: Section, bad: Section, printed: str = "") -> dict[str, float]:
    """Points by item, of both witnesses; with the source above."""
    asked = situation(host(section("python"), good), host(section("python"), bad, name="b"))
    asked = replace(asked, application=section("symbols/@application", SOURCE, kind="symbols"))
    if printed:
        asked = replace(asked, failure=parse_failure(printed))
    return {one.suspect.item: one.points for one in (*source_names(asked), *system_uses(asked))}


def variables(**values: str) -> Section:
    return section("service/shop", {f"env:{name}": {"value": of} for name, of in values.items()}, kind="configuration")


@pytest.mark.parametrize(
    ("name", "named"),
    [("SHOP_ZONE", True), ("SHOP_CATALOG_DELAYS", True), ("LESS", False)],
)
def test_a_variable_counts_more_where_the_source_names_it_or_a_field_of_it(name: str, named: bool) -> None:
    [points] = blamed(variables(**{name: "a"}), variables(**{name: "b"})).values()
    assert (points > 0) is named


def test_a_variable_that_python_itself_reads_needs_no_name_in_the_source() -> None:
    assert not blamed(variables(TZ="UTC"), variables(TZ="CET"))


def test_a_key_of_a_configuration_file_is_known_by_its_last_word() -> None:
    good, bad = [
        section("config/etc/shop.ini", {"smtp.password": {"value": one}, "smtp.colour": {"value": one}}, kind="file")
        for one in "ab"
    ]
    assert blamed(good, bad).keys() == {"smtp.password"}


def test_a_module_of_the_application_counts_more_where_another_one_imports_it() -> None:
    good, bad = [
        section(
            "app/shop",
            {f"file:{name}": {"content": one} for name in ("shop/prices.py", "shop/tools.py", "README.md")},
            kind="application",
        )
        for one in "ab"
    ]
    assert blamed(good, bad).keys() == {"file:shop/prices.py"}


def test_a_distribution_that_nothing_imported_requires_counts_less() -> None:
    packages = {"flask": dist("3.0", "werkzeug>=3"), "werkzeug": dist("3.0"), "black": dist("24.1")}
    moved = {**packages, "werkzeug": dist("3.1"), "black": dist("24.2")}
    found = blamed(environment(packages), environment(moved))
    assert found.keys() == {"black"}
    assert found["black"] < 0


@pytest.mark.parametrize(
    ("named", "printed"),
    [("psycopg2", ""), ("black", "RuntimeError: black cannot be loaded")],
)
def test_what_the_source_or_the_error_names_counts_in_full_whoever_requires_it(named: str, printed: str) -> None:
    good, bad = ({"flask": dist("3.0"), named: dist(one)} for one in ("1.0", "2.0"))
    assert not blamed(environment(good), environment(bad), printed)


def test_without_its_source_nothing_is_said() -> None:
    one, other = variables(SHOP_ZONE="a"), variables(SHOP_ZONE="b")
    assert not list(source_names(situation(host(one), host(other, name="b"))))


def system(**versions: str) -> Section:
    return section("os-packages", {name: {"version": of} for name, of in versions.items()}, kind="os-packages")


def test_data_of_the_system_is_blamed_where_the_application_imports_what_works_by_it() -> None:
    assert blamed(system(tzdata="2024a", bash="5.1"), system(tzdata="2025b", bash="5.2")).keys() == {"tzdata"}


def test_data_of_the_system_counts_more_where_the_error_went_through_what_works_by_it() -> None:
    good, bad = system(**{"tzdata": "2024a", "media-types": "10"}), system(tzdata="2025b")
    through = (
        'Traceback (most recent call last):\n  File "/usr/lib/python3.11/{}", line 1, in f\n    f()\nKeyError: 1\n'
    )
    assert blamed(good, bad)["tzdata"] < blamed(good, bad, through.format("zoneinfo/_common.py"))["tzdata"]
    assert "media-types" not in blamed(good, bad)
    assert "media-types" in blamed(good, bad, through.format("mimetypes.py"))


def test_a_library_is_blamed_where_the_error_went_through_a_binding_that_is_named_like_it() -> None:
    printed = (
        "Traceback (most recent call last):\n"
        '  File "/srv/shop/lib/python3.11/site-packages/usb/core.py", line 9, in find\n'
        "    raise NoBackendError('No backend available')\n"
        "usb.core.NoBackendError: No backend available\n"
    )
    binding = environment({"pyusb": dist("1.2")})
    sides = [
        host(section("python"), binding, one, name=name)
        for name, one in (("a", system(**{"libusb-1.0-0": "2", "libuuid1": "2"})), ("b", system()))
    ]
    found = [one.suspect.item for one in system_uses(replace(situation(*sides), failure=parse_failure(printed)))]
    assert found == ["libusb-1.0-0"]
