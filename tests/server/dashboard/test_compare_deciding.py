"""Tests of what leads on from a comparison: its causes, its layouts, its downloads, and what people decide about it."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest

from envparity_agent.fingerprint import Fingerprint, Reason, Status
from envparity_server.compare.model import Severity
from envparity_server.dashboard.compare_page import MOST_EQUAL
from envparity_server.drift.findings import Item, Key, Moved
from envparity_server.drift.life import State
from envparity_server.storage import drifts
from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing
from envparity_server.storage.drifts import Drift
from tests.server.asking import Asking
from tests.server.dashboard.reading import Seen, seen
from tests.server.fleet import reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages, section, versions

SHOP = "python/shop"
SIDES = {"left": "env:dev", "right": "env:prod"}


def running(urllib3: str, **more: str) -> Fingerprint:
    """A host of the shop, whose code is in one file."""
    code = section("app/shop", {"code": {"tree": f"tree of {urllib3}"}}, kind="application")
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, code, packages({"flask": "3.0", "urllib3": urllib3, **more}, SHOP))


@pytest.fixture
def fleet(pages: Asking) -> Asking:
    """Dev, where it works, and prod, which has an older urllib3, other code, and gunicorn beside."""
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        reported(connection, "dev-1", running("2.2.1"), now, "dev")
        reported(connection, "web-1", running("1.26.18", gunicorn="22.0"), now, "prod")
        reported(connection, "secret-1", running("9.9"), now, "vault")
    return pages


def expecting(page: Seen, item: str) -> str:
    """Where the row of an item leads to."""
    (address,) = [one for one in page.links if one.startswith("/rules/new") and item in one]
    return address


def test_the_likely_causes_come_after_the_page_and_without_scripts_by_a_link(fleet: Asking) -> None:
    page = seen(fleet.get("/compare", **SIDES))
    (address,) = page.values("section", "hx-get")
    assert address in page.links
    whole = seen(fleet.get(address))
    assert "urllib3 2.2.1 → 1.26.18 (major)" in whole.text
    assert "pip install urllib3==2.2.1" in whole.text
    assert "Log out" in whole.text
    fragment = fleet.ask("GET", address, headers={"HX-Request": "true"})
    assert "pip install urllib3==2.2.1" in seen(fragment).text
    assert "<html" not in fragment.text


def test_either_side_may_be_the_one_that_works(fleet: Asking) -> None:
    page = seen(fleet.get("/compare/causes", **SIDES, good="right"))
    assert "B works, A does not" in page.text
    assert "gunicorn only in B: 22.0" in page.text
    assert "urllib3 1.26.18 → 2.2.1" in page.text


def test_what_the_failing_run_printed_is_taken_into_account(fleet: Asking) -> None:
    printed = 'Traceback (most recent call last):\n  File "/srv/shop/app.py", line 1, in <module>\n' + (
        "    import gunicorn\nModuleNotFoundError: No module named 'gunicorn'\n"
    )
    address = "/compare/causes?left=env:prod&right=env:dev"
    page = seen(fleet.ask("POST", address, data={"printed": printed}))
    assert page.text.index("gunicorn only in A") < page.text.index("urllib3 1.26.18 → 2.2.1")
    assert "ModuleNotFoundError" in page.text


def test_an_application_is_offered_between_the_first_and_the_last_environment_that_one_sees(fleet: Asking) -> None:
    page = seen(fleet.as_person("ada", Role.VIEWER, frozenset({"dev", "prod"})).get("/compare"))
    assert "shop 1 host in dev, 1 host in prod" in page.text.replace(" ,", ",")
    (address,) = [one for one in page.links if one.endswith("&app=shop")]
    assert address == "/compare?left=env%3Adev&right=env%3Aprod&app=shop"
    assert "app/shop" in seen(fleet.get(address)).text


def test_nothing_is_blamed_where_nothing_differs(fleet: Asking) -> None:
    page = seen(fleet.get("/compare", left="env:prod", right="host:web-1"))
    assert page.values("section", "hx-get") == []


def test_the_applications_own_code_comes_first(fleet: Asking) -> None:
    text = seen(fleet.get("/compare", **SIDES)).text
    assert text.index("app/shop") < text.index(SHOP)


def test_side_by_side_what_is_missing_is_said(fleet: Asking) -> None:
    page = seen(fleet.get("/compare", **SIDES, layout="side"))
    assert "A: env:dev B: env:prod" in page.text
    assert "gunicorn missing 22.0" in page.text
    assert "urllib3 2.2.1 1.26.18 major" in page.text


def test_what_is_equal_is_listed_where_it_is_asked_for(fleet: Asking) -> None:
    assert "flask 3.0" not in seen(fleet.get("/compare", **SIDES)).text
    page = seen(fleet.get("/compare", **SIDES, all="1"))
    assert f"{SHOP} flask 3.0" in page.text
    assert f"{SHOP} urllib3" not in page.text


def test_too_much_that_is_equal_is_cut_and_counted(fleet: Asking) -> None:
    many = host(SEARCHED, packages({f"package-{number:03}": "1.0" for number in range(300)}, SHOP))
    with writing(fleet.engine) as connection:
        for name in ("a", "b"):
            reported(connection, name, many, datetime.now(UTC), name)
    text = seen(fleet.get("/compare", left="env:a", right="env:b", all="1")).text
    assert f"The first {MOST_EQUAL} of 300" in text


def test_the_moments_of_the_form_become_part_of_the_address_and_come_back_into_the_form(fleet: Asking) -> None:
    answer = fleet.get(
        "/compare", left="env:dev#python/shop", left_at="2026-11-01T02:00", right="env:prod", right_at=""
    )
    assert answer.status_code == 303
    told = parse_qs(urlsplit(answer.headers["location"]).query)
    assert told == {"left": ["env:dev@2026-11-01T02:00#python/shop"], "right": ["env:prod"]}
    page = seen(fleet.get(answer.headers["location"]))
    assert {"env:dev#python/shop", "2026-11-01T02:00", "env:prod"} <= set(page.values("input", "value"))


@pytest.mark.parametrize(
    ("format", "media_type", "says"),
    [
        ("csv", "text/csv", "urllib3"),
        ("json", "application/json", '"item": "urllib3"'),
        ("markdown", "text/markdown", "urllib3"),
        ("html", "text/html", "urllib3"),
    ],
)
def test_a_comparison_is_downloaded(fleet: Asking, format: str, media_type: str, says: str) -> None:
    (address,) = [one for one in seen(fleet.get("/compare", **SIDES)).links if f"format={format}" in one]
    answer = fleet.get(address)
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert says in answer.text


def test_a_download_has_every_difference(fleet: Asking) -> None:
    rows = list(csv.DictReader(StringIO(fleet.get("/compare", **SIDES, format="csv").text)))
    assert {"code", "gunicorn", "urllib3"} == {row["item"] for row in rows}


def test_a_gap_is_listed_for_itself_and_never_among_what_differs(fleet: Asking) -> None:
    blind = section("python/shop", versions({"flask": "3.0"}), Status.PARTIAL, Reason.PERMISSION)
    with writing(fleet.engine) as connection:
        reported(connection, "blind", host(OPERATING_SYSTEM, SEARCHED, ENGINE, blind), datetime.now(UTC), "blind")
    page = seen(fleet.get("/compare", left="env:blind", right="env:prod", only="python"))
    assert "No difference, but gaps" in page.text
    assert f"{SHOP} : left: partial(permission)" in page.text
    assert "this is not parity" in page.text
    assert not [one for one in page.links if one.startswith("/rules/new")]


def test_a_difference_is_expected_from_its_row_and_taken_back_again(fleet: Asking) -> None:
    """The whole way: the row, what the rule hides, the rule, the same comparison, the rule, and back."""
    form = seen(fleet.get(expecting(seen(fleet.get("/compare", **SIDES)), "urllib3")))
    fields = {tag["name"]: tag.get("value", "") for name, tag in form.tags if name == "input" and "name" in tag}
    assert fields["match"] == f"{SHOP}/urllib3"
    assert fields["hosts"] == "env:prod"
    assert fields["expires"] == f"{datetime.now(UTC) + timedelta(days=90):%Y-%m-%d}"

    (address,) = form.values("section", "hx-get")
    shown = seen(fleet.get(address))
    assert "In the comparison that you come from it hides 1 of 3 differences." in shown.text
    (previewed,) = [tag["value"] for name, tag in shown.tags if name == "input" and tag.get("name") == "previewed"]

    made = fleet.ask("POST", "/rules", data={**fields, "reason": "rolled out", "previewed": previewed})
    assert made.status_code == 303
    back, _, place = made.headers["location"].partition("#")
    assert place == "expected"
    page = seen(fleet.get(back))
    assert "1 expected by the rule" in page.text
    assert "urllib3" not in "".join(one for one in page.links if one.startswith("/rules/new"))
    (rule,) = [one for one in page.links if one.startswith("/rules/") and not one.startswith("/rules/new")]
    assert f"{rule}/remove" in seen(fleet.get(rule)).links
    assert fleet.ask("POST", f"{rule}/remove").status_code == 303
    assert "expected by the rule" not in seen(fleet.get(back)).text


def test_what_a_name_holds_that_a_glob_would_read_fits_that_name_alone(fleet: Asking) -> None:
    with writing(fleet.engine) as connection:
        for name, version in (("x", "1"), ("y", "2")):
            odd = packages({"a[b]*": version, "a[b]c": version}, SHOP)
            reported(connection, name, host(SEARCHED, odd), datetime.now(UTC), name)
    address = expecting(seen(fleet.get("/compare", left="env:x", right="env:y")), "%2A")
    shown = seen(fleet.get(f"{address}&preview=1"))
    assert "it hides 1 of 2 differences" in shown.text


def test_a_viewer_is_offered_no_decision(fleet: Asking) -> None:
    viewer = fleet.as_person("vera", Role.VIEWER)
    page = seen(viewer.get("/compare", **SIDES))
    assert not [one for one in page.links if one.startswith("/rules/new")]
    assert viewer.get("/rules/new", match="*").status_code == 403


def drift(environment: str, item: str) -> Drift:
    """An open drift about an item of the shop."""
    now = datetime.now(UTC)
    key = Key(SHOP, item, "version")
    found = Item(f"env:{environment}", key, "changed", "1", "2", "major", Severity.HIGH, None, None)
    return Drift(
        drifts.made_id(), f"env:{environment}", environment, "env:prod", SHOP, "python", Severity.HIGH, "words", False,
        State.NEW, now, now, now, now, Moved.HOST, is_whole=True, items=(found,),
    )  # fmt: skip


def test_an_open_drift_is_linked_where_it_covers_the_difference(fleet: Asking) -> None:
    here, elsewhere = drift("prod", "urllib3"), drift("vault", "urllib3")
    with writing(fleet.engine) as connection:
        drifts.save(connection, {}, [here, elsewhere])
    links = seen(fleet.get("/compare", **SIDES)).links
    assert f"/drifts/{here.id}" in links
    assert f"/drifts/{elsewhere.id}" not in links


def test_a_person_of_one_environment_learns_nothing_of_another(fleet: Asking) -> None:
    ada = fleet.as_person("ada", Role.ADMIN, frozenset({"dev", "prod"}))
    shown = [
        ada.get("/compare", **SIDES, all="1"),
        ada.get("/compare/causes", **SIDES),
        ada.get("/compare/causes", left="env:dev", right="env:vault"),
        ada.get("/rules/new", match=f"{SHOP}/*", hosts="env:prod", preview="1"),
        ada.get("/rules/new", match="*", back="/compare?left=env:dev&right=host:secret-1", preview="1"),
    ]
    for answer in shown:
        assert "secret-1" not in answer.text.replace("right=host:secret-1", "").replace("right=host%3Asecret-1", "")
        assert "9.9" not in answer.text
        assert "env:vault" not in answer.text.replace("/compare?left=env:dev&amp;right=env:vault", "") or (
            "there is no such environment" in answer.text
        )
