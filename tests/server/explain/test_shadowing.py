"""Checks that an application's module is blamed where it hides another one, or lacks what an error asks of it."""

from dataclasses import replace

import pytest

from envparity_agent.fingerprint import Attributes, Section
from envparity_server.explain.failures import parse_failure
from envparity_server.explain.shadowing import of_own_modules
from tests.server.explain.situations import dist, environment, situation
from tests.server.making import host, section


def application(*files: str, content: str = "1") -> Section:
    items: dict[str, Attributes] = {f"file:{name}": {"content": content} for name in files}
    return section("app/shop", items, kind="application")


def blamed(good: Section, bad: Section, printed: str = "") -> dict[str, float]:
    common = section("python"), environment({"requests": dist("2.31.0")})
    asked = situation(host(good, *common), host(bad, *common, name="b"))
    if printed:
        asked = replace(asked, failure=parse_failure(printed))
    return {one.suspect.item: one.points for one in of_own_modules(asked)}


@pytest.mark.parametrize("hiding", ["queue.py", "src/queue.py", "queue/__init__.py"])
def test_a_module_that_hides_one_of_pythons_own_is_blamed_without_a_traceback(hiding: str) -> None:
    found = blamed(application("app.py"), application("app.py", hiding, "orders.py"))
    assert found.keys() == {f"file:{hiding}"}


def test_a_module_that_hides_an_installed_one_is_blamed() -> None:
    assert blamed(application("app.py"), application("app.py", "requests.py")).keys() == {"file:requests.py"}


@pytest.mark.parametrize("harmless", ["shop/queue.py", "orders.py", "queue.txt"])
def test_a_module_that_hides_nothing_is_not(harmless: str) -> None:
    assert not blamed(application("app.py"), application("app.py", harmless))


def test_a_module_that_both_sides_have_hides_nothing_new() -> None:
    assert not blamed(application("queue.py", content="1"), application("queue.py", content="2"))


def test_it_counts_more_where_the_error_is_about_that_module() -> None:
    sides = application("app.py"), application("app.py", "queue.py")
    alone = blamed(*sides)
    said = blamed(*sides, "AttributeError: module 'queue' has no attribute 'LifoQueue'")
    elsewhere = blamed(*sides, "AttributeError: module 'json' has no attribute 'x'")
    assert said["file:queue.py"] > 2 * alone["file:queue.py"]
    assert elsewhere == alone


@pytest.mark.parametrize(
    "printed",
    [
        "AttributeError: module 'shop.orders' has no attribute 'open_orders'",
        "ImportError: cannot import name 'open_orders' from 'shop.orders' (/srv/app/shop/orders.py)",
        "ModuleNotFoundError: No module named 'shop.orders'",
    ],
)
def test_a_file_that_lacks_what_is_asked_of_it_is_blamed_where_it_differs(printed: str) -> None:
    good, bad = (application("shop/orders.py", "shop/report.py", content=content) for content in ("1", "2"))
    assert blamed(good, bad, printed).keys() == {"file:shop/orders.py"}
