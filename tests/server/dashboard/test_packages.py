"""Tests of the pages Packages and Package: which versions are in use, who has which since when, and who deviates."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint
from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.dashboard.test_hostile import HOSTILE, hostile
from tests.server.fleet import report, reported
from tests.server.making import ENGINE, SEARCHED, host, packages, section, versions

OPENSSL = "/packages/item?section=os-packages&item=openssl"


def system(version: str, **more: str) -> Fingerprint:
    """A host with openssl and bash of the OS."""
    items: dict[str, Attributes] = {
        "openssl": {"version": version, "manager": "deb", **more},
        "bash": {"version": "5.2"},
    }
    return host(SEARCHED, section("os-packages", items, schema=2))


@pytest.fixture
def fleet(pages: Asking) -> Asking:
    """Three hosts in prod of which one lags behind, and one in dev that changed yesterday."""
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        for name, version in (("web-1", "3.0.15"), ("web-2", "3.0.15"), ("web-3", "3.0.9")):
            reported(connection, name, system(version), now)
        dev = reported(connection, "dev-1", system("3.0.9"), now - timedelta(days=1), "dev")
        report(connection, dev, system("3.0.15"), now)
    return pages


def test_an_empty_server_says_what_to_do_next(pages: Asking) -> None:
    page = seen(pages.get("/packages"))
    assert "Nothing of this kind yet" in page.text
    assert "/hosts" in page.links


def test_packages_on_which_hosts_deviate_come_first(fleet: Asking) -> None:
    page = seen(fleet.get("/packages"))
    assert "openssl OS packages 2 values : 3.0.15, 3.0.9 4 1 ◆ 1 bash OS packages 1 value : 5.2 4 1 none" in page.text
    assert OPENSSL in page.links


def test_packages_are_filtered_by_name_and_kind(fleet: Asking) -> None:
    assert "bash" not in seen(fleet.get("/packages", q="SSL")).text
    assert "No package matches “zlib”" in seen(fleet.get("/packages", q="zlib")).text
    assert "Nothing of this kind yet" in seen(fleet.get("/packages", kind="python")).text
    assert fleet.get("/packages", kind="pyhton").status_code == 422


def test_packages_are_shown_page_by_page(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        many = packages({f"package-{number:03}": "1" for number in range(60)})
        reported(connection, "web-1", host(SEARCHED, many), datetime.now(UTC))
    assert "60 packages, page 1 of 2" in seen(pages.get("/packages")).text
    second = seen(pages.get("/packages", page="2")).text
    assert ("package-049" in second, "package-050" in second) == (False, True)


def test_a_package_tells_its_versions_by_environment_the_newest_first(fleet: Asking) -> None:
    page = seen(fleet.get(OPENSSL))
    assert "Version dev prod 3.0.15 1 2 3.0.9 0 1" in page.text
    assert "os-packages 3.0.15 3 of 4 hosts 3.0.9 on 1 1 0" in page.text
    assert ("bars", "spread") in zip(
        page.values("figure", "data-chart"), page.values("figure", "data-table"), strict=True
    )
    assert f"{OPENSSL}&value=3.0.9&environment=prod#holders" in page.links


def test_a_package_tells_who_has_it_since_when_and_who_deviates(fleet: Asking) -> None:
    text = seen(fleet.get(OPENSSL)).text
    assert "dev-1 dev os-packages 3.0.15 = as most between" in text
    assert "web-3 prod os-packages 3.0.9 ◆ deviates its first report" in text
    assert "version 3.0.9 → 3.0.15" in text  # how it changed


def test_who_has_one_version_is_one_click_away(fleet: Asking) -> None:
    text = seen(fleet.get(f"{OPENSSL}&value=3.0.9")).text
    assert "Who has it: 3.0.9" in text
    assert ("web-3 prod" in text, "web-1 prod" in text) == (True, False)
    text = seen(fleet.get(f"{OPENSSL}&value=3.0.15&environment=dev")).text
    assert ("dev-1 dev" in text, "web-1 prod" in text) == (True, False)


def test_from_all_packages_to_who_has_openssl_is_three_clicks(fleet: Asking) -> None:
    found = seen(fleet.get("/packages", q="openssl"))
    opened = seen(fleet.get(next(one for one in found.links if one.startswith("/packages/item"))))
    holders = seen(fleet.get(next(one for one in opened.links if "value=3.0.9" in one)))
    assert "web-3" in holders.text


def test_the_same_version_with_other_content_is_told_apart(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        for name, letter in (("web-1", "a"), ("web-2", "a"), ("web-3", "b")):
            reported(connection, name, system("3.0.15", content=f"sha256:{letter * 64}"), datetime.now(UTC))
    text = seen(pages.get(OPENSSL)).text
    assert "content sha256:aaaaaaaa…, version 3.0.15 2 content sha256:bbbbbbbb…, version 3.0.15 1" in text
    assert "web-3 prod os-packages 3.0.15 ◆ deviates" in text


def test_hosts_that_do_not_agree_are_split(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        for name, version in (("web-1", "1"), ("web-2", "2")):
            reported(connection, name, system(version), datetime.now(UTC))
    assert "≠ split 1 on 1 , 2 on 1" in seen(pages.get(OPENSSL)).text


def test_a_path_is_one_section_and_a_kind_is_all_of_them(pages: Asking) -> None:
    inside = section("container/web/python/site", versions({"idna": "3.4"}), kind="python")
    web = section("container/web", {"image": {"config": "sha256:a"}})
    running = host(SEARCHED, packages({"idna": "3.7"}, "python/app"), ENGINE, web, inside)
    with writing(pages.engine) as connection:
        reported(connection, "web-1", running, datetime.now(UTC))
    assert "python idna" not in seen(pages.get("/packages")).text
    kind = seen(pages.get("/packages/item?section=python&item=idna")).text
    assert ("python/app" in kind, "container/web/python/site" in kind) == (True, True)
    path = seen(pages.get("/packages/item?section=python%2Fapp&item=idna")).text
    assert ("python/app" in path, "container/web/python/site" in path) == (True, False)
    assert "idna Python environment 2 values" in seen(pages.get("/packages", kind="python")).text


def test_a_shadowed_copy_is_told_as_what_does_not_import(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        reported(connection, "web-1", host(SEARCHED, packages({"idna": "3.7", "idna#lib": "2"})), datetime.now(UTC))
    text = seen(pages.get("/packages/item?section=python&item=idna")).text
    assert "as idna#lib 2 shadowed: not what imports" in text


def test_what_nobody_has_says_so(fleet: Asking) -> None:
    page = seen(fleet.get("/packages/item?section=os-packages&item=zlib"))
    assert "No host has it" in page.text
    assert "/packages" in page.links
    for address in ("/packages/item", "/packages/item?section=&item=a", "/packages/item?section=a&item=%00"):
        assert fleet.get(address).status_code == 422


def test_a_person_sees_and_counts_only_what_is_theirs(fleet: Asking) -> None:
    ada = fleet.as_person("ada", Role.VIEWER, frozenset({"dev"}))
    assert "openssl OS packages 1 value : 3.0.15 1 1 none" in seen(ada.get("/packages")).text
    for more in ("", "&value=3.0.9", "&environment=prod"):
        text = seen(ada.get(OPENSSL + more)).text
        assert "web-" not in text
        assert "prod" not in text.replace("in prod", "")
    nobody = fleet.as_person("eve", Role.ADMIN, frozenset())
    assert "No host has it so" in seen(nobody.get(f"{OPENSSL}&environment=prod")).text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(pages: Asking, text: str) -> None:
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        one = reported(connection, text, hostile(text, "1"), now - timedelta(days=1), text)
        report(connection, one, hostile(text, "2"), now)
        reported(connection, f"{text}!", hostile(text, "3"), now, text)
    told = quote(text, safe="")
    path = quote(f"python/{text}", safe="")
    for address in (
        "/packages", f"/packages?q={told}", f"/packages/item?section={path}&item={told}",
        f"/packages/item?section=python&item={told}&value={told}&environment={told}",
        f"/packages/item?section={told}&item={told}",
    ):  # fmt: skip
        answer = pages.get(address)
        assert answer.status_code == 200, address
        assert seen(answer).dangers() == [], address
    assert " ".join(text.split()) in seen(pages.get(f"/packages/item?section={path}&item={told}")).text
