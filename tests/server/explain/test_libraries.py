"""Tests of native libraries: missing, newer, who loads them, and what brought them."""

from dataclasses import replace

from envparity_agent.fingerprint import Attributes
from envparity_server.explain.libraries import libraries
from tests.server.explain.situations import Found, causes, dist, environment, situation
from tests.server.making import host, section


def between(good: dict[str, Attributes], bad: dict[str, Attributes], psycopg: str = "2.9") -> dict[str, Found]:
    """The causes between two hosts with these libraries, of which the good one has an OS package more."""
    return causes(
        host(section("python"), environment({"psycopg2": dist("2.9")}), section("os/libraries", good, kind="libraries"),
             section("os-packages", {"libpq5": {"version": "15.4"}, "zlib1g": {"version": "1.2"}})),
        host(section("python"), environment({"psycopg2": dist(psycopg)}),
             section("os/libraries", bad, kind="libraries"), section("os-packages", {})),
    )  # fmt: skip


LIBPQ: Attributes = {"build_id": "a", "used_by": ("psycopg2",), "owner": "deb:libpq5 15.4"}


def test_a_library_that_is_missing_is_blamed_with_who_loads_it_and_what_brought_it() -> None:
    found = between({"libpq.so.5": LIBPQ}, {"libpq.so.5": {"missing": True, "used_by": ("psycopg2",)}})
    assert list(found)[:2] == ["libpq.so.5", "libpq5"]
    assert found["libpq.so.5"].says("libpq.so.5 is not found on the bad side; it is loaded by psycopg2")
    assert found["libpq5"].says("on the good side it brings libpq.so.5")
    assert not found["zlib1g"].says("brings")


def test_a_library_of_a_module_that_the_application_does_not_import_weighs_less() -> None:
    good = host(section("os/libraries", {"libcurses.so.6": {"build_id": "a"}}, kind="libraries"))
    bad = host(
        section("os/libraries", {"libcurses.so.6": {"missing": True, "used_by": ("_curses",)}}, kind="libraries")
    )
    told = []
    for imported in ("curses", "json"):
        source = section("symbols/@application", {"app.py": {"uses": (f"1 import {imported}",)}}, kind="symbols")
        [points] = [one.points for one in libraries(replace(situation(good, bad), application=source))]
        told.append(points)
    assert told[0] > 2 * told[1] > 0


def test_who_newly_asks_for_what_nobody_has_is_blamed_as_well() -> None:
    found = between({}, {"libpq.so.6": {"missing": True, "used_by": ("psycopg2",)}}, psycopg="3.0")
    assert found["psycopg2"].says("libpq.so.6 is not found on the bad side", "nobody asks for it on the good one")


def test_a_library_of_another_version_is_told_from_another_build() -> None:
    good: dict[str, Attributes] = {
        "libssl.so.3": {"version": "OpenSSL 3.0.15 3 Sep 2024", "build_id": "a", "used_by": ("_ssl",)},
        "libz.so.1": {"build_id": "a"},
    }
    bad: dict[str, Attributes] = {
        "libssl.so.3": {"version": "OpenSSL 3.5.1 1 Jul 2025", "build_id": "b", "used_by": ("_ssl",)},
        "libz.so.1": {"build_id": "b"},
    }
    found = between(good, bad)
    assert found["libssl.so.3"].says("OpenSSL 3.5.1 1 Jul 2025 instead of OpenSSL 3.0.15", "loaded by _ssl")
    assert found["libz.so.1"].says("another build")
    assert found["libssl.so.3"].score > 0 > found["libz.so.1"].score


def test_a_library_on_one_side_only_weighs_by_which_side() -> None:
    found = between({"libgone.so.1": {"build_id": "a"}}, {"libnew.so.1": {"build_id": "a"}})
    assert found["libgone.so.1"].score > 0 > found["libnew.so.1"].score
