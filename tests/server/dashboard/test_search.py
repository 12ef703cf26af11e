"""Tests of the page Search: hosts, packages, images and applications by a part of their name."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.dashboard.test_hostile import HOSTILE, hostile
from tests.server.fleet import reported
from tests.server.making import ENGINE, SEARCHED, host, packages, section, versions

DIGEST = "sha256:" + "0a1b2c3d" * 8
IMAGE = "registry.example/shop/web:2.4"
RUNNING = host(
    SEARCHED,
    ENGINE,
    packages({"shop-client": "1.0", "requests": "2.32"}, "python/shop"),
    section("os-packages", versions({"openssl": "3.0.11", "openssl-dev": "3.0.11"})),
    section("container/shop.web", {"image": {"reference": IMAGE, "config": DIGEST}}),
)


def fill(asking: Asking, environment: str = "prod", name: str = "shop-1") -> str:
    """A host that has a bit of everything; its id."""
    with writing(asking.engine) as connection:
        return reported(connection, name, RUNNING, datetime.now(UTC), environment, {"role": "web"}).id


def test_everything_with_the_text_is_found_by_sort(pages: Asking) -> None:
    id = fill(pages)
    fill(pages, "dev", "dev-1")
    page = seen(pages.get("/search", q="SHOP"))
    assert "Hosts 1 shop-1 prod" in page.text
    assert "Packages 1 shop-client Python environment" in page.text
    assert f"Images 1 {IMAGE} on 2 hosts" in page.text
    assert "Applications 1 shop in dev, prod" in page.text
    for address in (
        f"/hosts/{id}",
        "/packages/item?section=python&item=shop-client",
        f"/images?q={quote(IMAGE, safe='')}",
        "/compare?left=env%3Adev&right=env%3Aprod&app=shop",
    ):
        assert address in page.links


def test_a_host_is_found_by_its_environment_and_labels(pages: Asking) -> None:
    fill(pages)
    assert "Hosts 1 shop-1 prod" in seen(pages.get("/search", q="role=web")).text


def test_an_image_is_found_by_the_first_digits_of_a_digest(pages: Asking) -> None:
    fill(pages)
    for text in ("0a1b2c", "sha256:0a1b2c3d", "0A1B2C"):
        assert IMAGE in seen(pages.get("/search", q=text)).text
    for text in ("0a1b", "1b2c3d"):
        assert IMAGE not in seen(pages.get("/search", q=text)).text


def test_what_alone_has_exactly_this_name_is_opened_at_once(pages: Asking) -> None:
    id = fill(pages)
    opened = {text: pages.get("/search", q=text) for text in ("openssl", "shop-1", "shop", "open")}
    assert {text: answer.headers.get("location") for text, answer in opened.items()} == {
        "openssl": "/packages/item?section=os-packages&item=openssl",
        "shop-1": f"/hosts/{id}",
        "shop": None,  # of several sorts
        "open": None,
    }
    assert opened["openssl"].status_code == 303
    assert "openssl-dev" in seen(pages.get("/search", q="openssl", only="packages")).text


def test_the_first_of_many_are_told_and_lead_to_all(pages: Asking) -> None:
    many = {f"package-{number:03}": "1" for number in range(250)}
    with writing(pages.engine) as connection:
        reported(connection, "web-1", host(SEARCHED, packages(many)), datetime.now(UTC))
    page = seen(pages.get("/search", q="package"))
    assert ("package-009" in page.text, "package-010" in page.text) == (True, False)
    assert "All 250" in page.text
    whole = seen(pages.get("/search", q="package", only="packages"))
    assert ("package-199" in whole.text, "package-200" in whole.text) == (True, False)
    assert "The first 200 of 250" in whole.text


def test_the_exact_name_comes_first_and_then_what_begins_with_the_text(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        pinned = packages({"a-ssl": "1", "ssl": "1", "ssl-z": "1", "web": "1"})
        reported(connection, "ssl-host", host(SEARCHED, pinned), datetime.now(UTC))
    text = seen(pages.get("/search", q="ssl")).text
    assert text.index("ssl Python") < text.index("ssl-z Python") < text.index("a-ssl Python")


@pytest.mark.parametrize(("text", "told"), [("", "Search"), (" a ", "Too little"), ("nope", "Nothing has “nope”")])
def test_what_finds_nothing_says_why(pages: Asking, text: str, told: str) -> None:
    fill(pages)
    page = seen(pages.get("/search", q=text))
    assert told in page.text
    assert "Hosts 1" not in page.text


def test_nothing_of_an_environment_that_one_does_not_see_is_found_or_counted(small_api: Asking) -> None:
    fill(small_api, "vault", "shop-secret")
    ada = small_api.as_person("ada", Role.VIEWER, frozenset({"dev"}))
    for text in ("shop", "openssl", "vault", "registry", "0a1b2c3d", "requests"):
        assert "Nothing has" in seen(ada.get("/search", q=text)).text
    id = fill(small_api, "dev", "shop-seen")
    page = seen(ada.get("/search", q="shop"))
    assert f"/hosts/{id}" in page.links
    assert "on 1 host" in page.text
    assert "secret" not in page.text
    assert "vault" not in page.text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_in_what_is_found(pages: Asking, text: str) -> None:
    with writing(pages.engine) as connection:
        reported(connection, text, hostile(text, "1.0"), datetime.now(UTC), text)
        reported(connection, f"{text}!", hostile(text, "2.0"), datetime.now(UTC), text)
    for query in ({"q": text}, {"q": text, "only": "packages"}, {"q": text, "only": "hosts"}):
        page = seen(pages.get("/search", **query))
        assert page.dangers() == []
        assert " ".join(text.split()) in page.text
