"""Tests of the pages Matrix and All in one picture: columns, rows, cells, groups, export, and who sees what."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from urllib.parse import quote

import pytest

from envparity_agent.fingerprint import Fingerprint, Reason, Section, Status
from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing
from envparity_server.storage.hosts import all_hosts
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.dashboard.test_hostile import HOSTILE, hostile
from tests.server.fleet import enrolled, report, reported
from tests.server.making import SEARCHED, host, packages

NEW = host(SEARCHED, packages({"idna": "3.7", "flask": "3.0"}, "python/shop"))
OLD = host(SEARCHED, packages({"idna": "3.4", "flask": "3.0"}, "python/shop"))
BARE = host(SEARCHED, packages({"flask": "3.0"}, "python/shop"))
BLIND = host(SEARCHED, Section("python/shop", "python", 1, {}, Status.FAILED, (Reason.PERMISSION,)))


def fill(asking: Asking, **environments: list[Fingerprint]) -> None:
    """Hosts `ENVIRONMENT-NUMBER` with these fingerprints."""
    now = datetime.now(UTC)
    with writing(asking.engine) as connection:
        for environment, of in environments.items():
            for number, one in enumerate(of):
                reported(connection, f"{environment}-{number}", one, now, environment)


@pytest.fixture
def fleet(pages: Asking) -> Asking:
    """Production agrees, development is behind and blind in part, a stage has neither."""
    fill(pages, dev=[OLD, OLD, BLIND], prod=[NEW, NEW, NEW, NEW, NEW], stage=[OLD, BARE])
    return pages


@pytest.mark.parametrize(
    ("address", "words"), [("/matrix", "Nothing to lay side by side"), ("/matrix/all", "Nothing to draw")]
)
def test_an_empty_server_says_what_to_do_next(pages: Asking, address: str, words: str) -> None:
    page = seen(pages.get(address))
    assert words in page.text
    assert "/hosts" in page.links


def test_a_row_tells_what_each_environment_has_against_the_majority(fleet: Asking) -> None:
    page = seen(fleet.get("/matrix"))
    assert "idna python/shop ◆ differs 3.4 ≠ split 3.4 1 host absent 1 host = same 3.7" in page.text
    assert "flask" not in page.text
    assert "python/shop could not be read on dev-2" in page.text
    assert "/packages/item?section=python%2Fshop&item=idna" in page.links
    assert "/matrix?of=env%3Aprod" in page.links  # the groups behind a number


def test_what_was_counted_before_is_counted_again_where_a_host_has_changed(fleet: Asking) -> None:
    assert "idna python/shop ◆ differs 3.4" in seen(fleet.get("/matrix")).text
    with writing(fleet.engine) as connection:
        for one in all_hosts(connection):
            if one.environment == "dev":
                report(connection, one, NEW, datetime.now(UTC))
    page = seen(fleet.get("/matrix"))
    assert "idna python/shop = same 3.7 ≠ split 3.4 1 host absent 1 host = same 3.7" in page.text
    assert "could not be read" not in page.text


def test_what_is_the_same_is_shown_where_that_is_asked(fleet: Asking) -> None:
    text = seen(fleet.get("/matrix", everything="true")).text
    assert text.index("idna python/shop") < text.index("flask python/shop")


def test_cells_are_held_against_an_environment_and_lead_to_the_comparison(fleet: Asking) -> None:
    page = seen(fleet.get("/matrix", against="dev"))
    assert "idna python/shop = same 3.4 ≠ split 3.4 1 host absent 1 host ◆ differs 3.7" in page.text
    assert "/compare?left=env%3Adev&right=env%3Aprod&section=python%2Fshop" in page.links
    assert "wide is none of the columns" in seen(fleet.get("/matrix", against="wide")).text


def test_hosts_that_are_alike_are_one_column(fleet: Asking) -> None:
    page = seen(fleet.get("/matrix", of="env:stage"))
    assert "1 host stage-0" in page.text
    assert "1 host stage-1" in page.text
    text = seen(fleet.get("/matrix", of="env:prod", everything="true")).text
    assert "5 hosts prod-0 , prod-1 , prod-2 …" in text
    assert "Nothing differs" in seen(fleet.get("/matrix", of="env:prod")).text


def test_at_most_sixty_groups_are_columns_and_the_others_are_counted(pages: Asking) -> None:
    fill(pages, prod=[host(SEARCHED, packages({"idna": str(number)})) for number in range(63)])
    page = seen(pages.get("/matrix", of="env:prod"))
    assert "The first 60 of 63 groups" in page.text
    assert page.values("th", "scope").count("col") == 61


def test_rows_are_paged_and_filtered(pages: Asking) -> None:
    many = {f"package-{number:03}": "1" for number in range(60)}
    fill(pages, dev=[host(SEARCHED, packages(dict.fromkeys(many, "2")))], prod=[host(SEARCHED, packages(many))] * 2)
    assert "60 rows, page 1 of 2" in seen(pages.get("/matrix")).text
    second = seen(pages.get("/matrix", page="2")).text
    assert ("package-049" in second, "package-050" in second) == (False, True)
    assert "package-007" in seen(pages.get("/matrix", q="PACKAGE-007 srv")).text
    assert "No row matches “nothing”" in seen(pages.get("/matrix", q="nothing")).text


def test_stale_and_silent_hosts_are_left_out_and_told(fleet: Asking) -> None:
    with writing(fleet.engine) as connection:
        reported(connection, "late", BARE, datetime.now(UTC) - timedelta(days=2), "late")
        enrolled(connection, "silent", "late")
    text = seen(fleet.get("/matrix")).text
    assert "1 host left out, stale" in text
    assert "1 host left out, never reported" in text
    assert "late 1 host" not in text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"of": "env:nowhere"}, 422), ({"of": "nonsense"}, 422), ({"of": "baseline:shop"}, 422),
        ({"of": "env:prod@yesterday"}, 422), ({"kind": "pyhton"}, 422), ({"page": "0"}, 422),
    ],
)  # fmt: skip
def test_a_wrong_question_is_answered_with_a_page(fleet: Asking, query: dict[str, str], status: int) -> None:
    answer = fleet.get("/matrix", **query)
    assert answer.status_code == status
    assert seen(answer).text


def test_all_rows_leave_as_a_table_without_formulas(pages: Asking) -> None:
    one, other = (host(SEARCHED, packages({"=1+1": version, "b": "1"})) for version in ("@SUM(1)", "2"))
    fill(pages, dev=[one], prod=[other, other])
    answer = pages.get("/matrix.csv", everything="true")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(StringIO(answer.text))) == [
        ["section", "item", "dev", "dev: state", "prod", "prod: state"],
        ["python/srv/shop", "'=1+1", "'@SUM(1)", "changed", "2", "same"],
        ["python/srv/shop", "b", "1", "same", "1", "same"],
    ]


def test_a_person_sees_and_counts_only_what_is_theirs(fleet: Asking) -> None:
    ada = fleet.as_person("ada", Role.ADMIN, frozenset({"stage"}))
    for address in ("/matrix", "/matrix/all", "/matrix.csv", "/matrix/all.bin", "/matrix?everything=true"):
        text = ada.get(address).text
        assert "stage" in text
        assert "3.7" not in text
        assert "prod" not in text
    assert ada.get("/matrix", of="env:prod").status_code == 422
    nobody = fleet.as_person("eve", Role.VIEWER, frozenset())
    assert "Nothing to lay side by side" in seen(nobody.get("/matrix")).text
    assert seen(fleet.as_person("vic", Role.VIEWER).get("/matrix")).text


def test_the_picture_has_a_byte_for_every_host_and_package(fleet: Asking) -> None:
    body = fleet.ask("GET", "/matrix/all.bin").content  # the client opens what is compressed
    length = int.from_bytes(body[:4])
    head = json.loads(body[4 : 4 + length])
    assert [name for _, name, _ in head["hosts"]][:4] == ["dev-0", "dev-1", "dev-2", "stage-0"]
    assert head["lines"] == [["python/shop", "idna", ["3.7", "3.4", "absent"]], ["python/shop", "flask", ["3.0"]]]
    cells = body[4 + length :]
    assert [cell & 7 for cell in cells] == [1, 1, 5, 1, 2, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]
    plain = fleet.ask("GET", "/matrix/all.bin", headers={"Accept-Encoding": "identity"})
    assert plain.content == body
    assert "content-encoding" not in plain.headers


def test_beside_the_picture_are_its_tables(fleet: Asking) -> None:
    page = seen(fleet.get("/matrix/all"))
    assert "2 rows by 10 hosts" in page.text
    assert "dev (3), stage (2), prod (5) from left to right" in page.text
    assert "idna python/shop 3.7 4 of 9" in page.text
    assert "stage-1 stage 1" in page.text
    assert page.values("section", "data-source") == ["/matrix/all.bin"]
    address = next(one for one in page.links if one.startswith("/compare?left=env%3Adev"))
    assert fleet.get(address).status_code == 200


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(pages: Asking, text: str) -> None:
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        for number in range(3):
            reported(connection, f"{text}{number}", hostile(text, f"{number}"), now, text)
        reported(connection, "plain", hostile(text, "9"), now, "plain")
    told = quote(text, safe="")
    for address in (
        "/matrix", "/matrix/all", f"/matrix?of=env:{told}", f"/matrix?q={told}&against={told}", f"/matrix?of={told}",
        "/matrix?of=env:plain&everything=true",
    ):  # fmt: skip
        page = seen(pages.get(address))
        assert page.dangers() == [], address
    assert " ".join(text.split()) in seen(pages.get("/matrix")).text
