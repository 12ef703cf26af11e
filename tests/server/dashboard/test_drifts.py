"""Tests of the pages Drifts and Drift: what is shown of a cause, and what a person decides about it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from sqlalchemy import Connection

from envparity_agent.fingerprint import Fingerprint
from envparity_server.dashboard.pages import short
from envparity_server.drift.findings import Key
from envparity_server.drift.globs import fits
from envparity_server.drift.life import State
from envparity_server.evaluation import evaluate
from envparity_server.storage import audit, deploys, drifts
from envparity_server.storage.access import hashed
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading, writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.dashboard.test_hostile import HOSTILE
from tests.server.fleet import enrolled, report, reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)


def running(**pinned: str) -> Fingerprint:
    """A host with these distributions."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": "3.4", "flask": "3.0", **pinned}))


def drifted(connection: Connection, environment: str = "prod", quarters: int = 6, **pinned: str) -> str:
    """An environment of four hosts of which the first changed to these distributions; the id of the drift."""
    now = datetime.now(UTC)
    begun = now - (quarters + 1) * QUARTER
    fleet = [reported(connection, f"{environment}-{number}", running(), begun, environment) for number in range(4)]
    evaluate(connection, begun)
    for passed in range(1, quarters + 1):
        for number, one in enumerate(fleet):
            report(connection, one, running() if number else running(**pinned), begun + passed * QUARTER)
        evaluate(connection, begun + passed * QUARTER)
    (found,), _ = drifts.listed(connection, drifts.Wanted(environment=environment))
    return found.id


@pytest.fixture
def id(pages: Asking) -> str:
    """The drift of a host of prod with idna 4.0."""
    with writing(pages.engine) as connection:
        return drifted(connection, idna="4.0")


def stored(pages: Asking, id: str) -> drifts.Drift:
    """A drift as it is stored."""
    with reading(pages.engine) as connection:
        found = drifts.by_id(connection, id)
    assert found is not None
    return found


def decide(asking: Asking, path: str, *chosen: str, **form: str) -> httpx.Response:
    """Send the form of a decision about `ID:VERSION`s."""
    fields = [*(("drift", one) for one in chosen), *form.items()]
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    return asking.ask("POST", path, content=urlencode(fields), headers=sent)


def test_digests_in_the_words_of_a_drift_are_cut() -> None:
    words = f"markupsafe content {'a' * 60}…, not sha256:{'b' * 64}"
    assert short(words) == "markupsafe content aaaaaaaa…, not sha256:bbbbbbbb…"


def test_without_a_host_the_page_says_where_drifts_come_from(pages: Asking) -> None:
    page = seen(pages.get("/drifts"))
    assert "No host yet" in page.text
    assert "/hosts/add" in page.links


def test_hosts_without_a_reference_are_not_taken_for_parity(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        reported(connection, "web-1", running(), datetime.now(UTC))
        evaluate(connection, datetime.now(UTC))
    text = seen(pages.get("/drifts")).text
    assert "Nothing was compared yet" in text
    assert "None of the 1 host has a reference" in text


def test_hosts_that_are_alike_drift_nowhere(pages: Asking) -> None:
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        for number in range(3):
            reported(connection, f"web-{number}", running(), now)
        enrolled(connection, "web-9")
        evaluate(connection, now)
    assert "Nothing drifts 3 of 4 hosts are held against a reference, last just now" in seen(pages.get("/drifts")).text


def test_one_cause_is_one_line_that_says_what_where_and_since_when(pages: Asking, id: str) -> None:
    page = seen(pages.get("/drifts"))
    assert "▲ high python/srv/shop: idna 3.4 → 4.0 on prod-0" in page.text
    assert "actor unknown prod 1 ● new 1 h ago 15 min ago" in page.text
    assert "Inbox 1 New 1 Came again 0 Ongoing 0" in page.text
    assert {f"/drifts/{id}", f"/drifts/{id}#hosts", "/drifts?environment=prod"} <= page.links.keys()
    assert page.dangers() == []


def test_the_list_is_narrowed_by_everything_that_a_person_knows(pages: Asking, id: str) -> None:
    with writing(pages.engine) as connection:
        other = drifted(connection, "test", flask="3.0.1")

    def listed(**query: str) -> set[str]:
        links = seen(pages.get("/drifts", **query)).links
        return {one for one in (id, other) if f"/drifts/{one}" in links}

    assert listed() == listed(state="new") == listed(state="open") == listed(state="all") == {id, other}
    assert listed(severity="high") == listed(environment="prod") == listed(q="IDNA 4.0") == {id}
    assert listed(severity="low") == {id, other}
    assert (listed(severity="only-high"), listed(severity="only-low")) == ({id}, {other})
    assert listed(severity="only-medium") == listed(severity="critical") == set()
    assert listed(host="test-0") == listed(host=hashed("test-0")[:16]) == listed(q="shop flask") == {other}
    assert listed(state="resolved") == listed(host="prod-1") == listed(q="idna flask") == listed(host="x") == set()


def test_the_tabs_keep_the_filters_and_count_what_they_lead_to(pages: Asking, id: str) -> None:
    page = seen(pages.get("/drifts", host="prod-0", severity="low"))
    assert "Drifts of prod-0" in page.text
    assert "New 1" in page.text
    assert f"/drifts/{id}" in seen(pages.get("/drifts?state=new&severity=low&host=prod-0")).links
    assert "/drifts?state=new&severity=low&host=prod-0" in page.links
    nothing = seen(pages.get("/drifts", host="prod-1"))
    assert "No drift matches" in nothing.text
    assert "Nothing drifts" not in nothing.text
    assert "/drifts" in nothing.links


@pytest.mark.parametrize("query", [{"state": "x"}, {"severity": "x"}, {"page": "0"}, {"q": "\0"}, {"q": "x" * 256}])
def test_a_wrong_query_is_refused_with_a_page(pages: Asking, query: dict[str, str]) -> None:
    answer = pages.get("/drifts", **query)
    assert answer.status_code == 422
    assert seen(answer).dangers() == []


def test_many_drifts_are_shown_page_by_page(pages: Asking, id: str) -> None:
    one = stored(pages, id)
    with writing(pages.engine) as connection:
        drifts.save(connection, {}, [replace(one, id=f"{number:016x}", items=()) for number in range(1, 60)])
    first, second = (seen(pages.get("/drifts", page=number)) for number in ("1", "2"))
    assert "60 drifts, page 1 of 2" in first.text
    assert "/drifts?page=2" in first.links
    shown = [[link for link in page.links if re.fullmatch("/drifts/[0-9a-f]{16}", link)] for page in (first, second)]
    assert list(map(len, shown)) == [50, 10]
    assert not {*shown[0]} & {*shown[1]}


def test_a_drift_shows_what_differs_where_and_against_what(pages: Asking, id: str) -> None:
    page = seen(pages.get(f"/drifts/{id}"))
    assert "▲ high idna python/srv/shop 3.4 → 4.0 between" in page.text
    assert "major prod-0 make a rule" in page.text
    assert "Held against env:prod: what most of them agree on" in page.text
    assert "Who did it not known" in page.text
    assert "Its life began" in page.text
    of_host = hashed("prod-0")[:16]
    compared = f"/compare?left=host%3A{of_host}&right=env%3Aprod"
    ruled = "/rules/new?match=python%2Fsrv%2Fshop%2Fidna&hosts=env%3Aprod"
    package = "/packages/item?section=python%2Fsrv%2Fshop&item=idna"
    assert {f"/hosts/{of_host}", compared, ruled, package} <= page.links.keys()
    assert "3.4" in seen(pages.get(compared)).text
    assert page.dangers() == []


def test_a_drift_on_many_hosts_names_the_first_of_them(pages: Asking, id: str) -> None:
    one = stored(pages, id)
    (item,) = one.items
    with writing(pages.engine) as connection:
        drifts.save(connection, {}, [replace(one, items=tuple(replace(item, subject=f"{n:04}") for n in range(250)))])
    text = seen(pages.get(f"/drifts/{id}")).text
    assert "251 hosts" in text
    assert "The first 200 of 251, by name" in text
    assert "0199" in text
    assert "0200" not in text


def test_the_rule_of_an_item_has_no_wildcards_of_its_name(pages: Asking, id: str) -> None:
    one = stored(pages, id)
    (item,) = one.items
    with writing(pages.engine) as connection:
        odd = replace(item, key=item.key._replace(item="a*[b]?"))
        drifts.save(connection, {}, [replace(one, items=(odd,))])
    (link,) = [
        link for link in seen(pages.get(f"/drifts/{id}")).links if link.startswith("/rules/new") and "%5B" in link
    ]
    (match,) = parse_qs(urlsplit(link).query)["match"]
    assert fits(match, "python/srv/shop/a*[b]?")
    assert not fits(match, "python/srv/shop/ab?")


def test_silence_of_a_host_is_a_drift_that_compares_nothing(pages: Asking) -> None:
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", running(), now - 3 * HOUR)
        evaluate(connection, now - 3 * HOUR)
        evaluate(connection, now)
        (found,), _ = drifts.listed(connection, drifts.Wanted())
    page = seen(pages.get(f"/drifts/{found.id}"))
    assert "web-1 of prod stopped reporting" in page.text
    assert "Silent since Against its reports web-1 between" in page.text
    assert f"/hosts/{one.id}" in page.links
    assert not [link for link in page.links if link.startswith("/compare?")]


@pytest.mark.parametrize("link", ["https://ci.test/7", "javascript:alert(1)"])
def test_the_deploy_that_a_drift_began_in_is_named_with_its_link(pages: Asking, id: str, link: str) -> None:
    one = stored(pages, id)
    with writing(pages.engine) as connection:
        deploy = deploys.begin(connection, "env:prod", "prod", "shop 1.5", link, "token:ci", datetime.now(UTC))
        drifts.save(connection, {id: one}, [replace(one, deploy=deploy.id)])
    page = seen(pages.get(f"/drifts/{id}"))
    assert "Deploy shop 1.5" in page.text
    assert "begun just now by token:ci" in page.text
    assert (link in page.links) == link.startswith("https:")


def test_a_person_acknowledges_and_the_drift_leaves_the_inbox_and_tells_why(pages: Asking, id: str) -> None:
    answer = decide(pages, "/drifts?environment=prod", f"{id}:{stored(pages, id).version}",
                    decision="acknowledge", reason="a hotfix")  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (303, "/drifts?environment=prod")
    empty = seen(pages.get("/drifts"))
    assert "Somebody has decided about every drift" in empty.text
    assert f"/drifts/{id}" in seen(pages.get("/drifts", state="acknowledged")).links
    text = seen(pages.get(f"/drifts/{id}")).text
    with reading(pages.engine) as connection:
        (entry,) = audit.of(connection, id, datetime.now(UTC) - HOUR)
    assert (entry.action, entry.environment, entry.detail["reason"]) == ("drift.acknowledge", "prod", "a hotfix")
    assert f"Acknowledged by {entry.actor}: a hotfix" in text
    assert f"acknowledged by {entry.actor}: a hotfix" in text


def test_a_person_snoozes_for_some_days_and_reopens(pages: Asking, id: str) -> None:
    answer = decide(pages, f"/drifts/{id}", f"{id}:{stored(pages, id).version}",
                    decision="snooze", reason="later", days="3")  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (303, f"/drifts/{id}")
    until = stored(pages, id).until
    assert until is not None
    assert timedelta(days=2) < until - datetime.now(UTC) <= timedelta(days=3)
    assert f"z snoozed until {until:%Y-%m-%d %H:%M} UTC" in seen(pages.get("/drifts", state="snoozed")).text
    decide(pages, f"/drifts/{id}", f"{id}:{stored(pages, id).version}", decision="reopen", reason="")
    assert f"/drifts/{id}" in seen(pages.get("/drifts", state="ongoing")).links
    assert "reopened by" in seen(pages.get(f"/drifts/{id}")).text


@pytest.mark.parametrize("where", ["/drifts?state=all", "/drifts/{id}"])
def test_of_two_decisions_about_one_state_the_second_is_told_in_its_place_and_its_reason_kept(
    pages: Asking, id: str, where: str
) -> None:
    address, chosen = where.format(id=id), f"{id}:{stored(pages, id).version}"
    assert decide(pages, address, chosen, decision="acknowledge", reason="a hotfix").status_code == 303
    answer = decide(pages, address, chosen, decision="snooze", reason="asked ada", days="3")
    page = seen(answer)
    assert answer.status_code == 409
    assert "Somebody decided first, or it has moved on" in page.text
    assert "a hotfix" in page.text
    assert "asked ada" in page.values("input", "value")
    assert stored(pages, id).state == "acknowledged"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"decision": "acknowledge", "reason": " "}, "The reason is missing"),
        ({"decision": "snooze", "reason": "x", "days": "999"}, "The form is not complete"),
        ({"decision": "forget", "reason": "x"}, "The form is not complete"),
    ],
)
def test_a_form_that_lacks_something_says_what(pages: Asking, id: str, form: dict[str, str], said: str) -> None:
    answer = decide(pages, "/drifts", f"{id}:1", **form)
    assert answer.status_code == 422
    assert said in seen(answer).text
    assert stored(pages, id).state == "new"


def test_nothing_is_decided_where_nothing_is_ticked(pages: Asking, id: str) -> None:
    for chosen in ((), (f"{id}:x",), ("../x:1",)):
        assert "No drift is chosen" in seen(decide(pages, "/drifts", *chosen, decision="acknowledge", reason="x")).text


def test_a_viewer_reads_and_is_offered_no_decision(pages: Asking, id: str) -> None:
    viewer, operator = (pages.as_person(role, role) for role in (Role.VIEWER, Role.OPERATOR))
    for path in ("/drifts", f"/drifts/{id}"):
        assert [f for f in seen(viewer.get(path)).values("button", "value") if f == "acknowledge"] == []
        assert "acknowledge" in seen(operator.get(path)).values("button", "value")
    assert not [link for link in seen(viewer.get(f"/drifts/{id}")).links if link.startswith("/rules/new")]
    chosen = f"{id}:{stored(pages, id).version}"
    assert decide(viewer, "/drifts", chosen, decision="acknowledge", reason="x").status_code == 403
    assert decide(operator, "/drifts", chosen, decision="acknowledge", reason="x").status_code == 303


def test_drifts_of_other_environments_are_not_there(pages: Asking, id: str) -> None:
    ada = pages.as_person("ada", Role.OPERATOR, frozenset({"test"}))
    assert "No host yet" in seen(ada.get("/drifts")).text
    with writing(pages.engine) as connection:
        other = drifted(connection, "test", flask="3.0.1")
    for query in ({}, {"state": "all"}, {"host": "prod-0"}, {"q": "idna"}, {"environment": "prod"}):
        page = seen(ada.get("/drifts", **query))
        assert f"/drifts/{id}" not in page.links
        assert "idna 3.4" not in page.text
        assert "prod-0" not in page.text
    assert "Inbox 1 New 1" in seen(ada.get("/drifts")).text
    hidden, nowhere = ada.get(f"/drifts/{id}"), ada.get(f"/drifts/{'0' * 16}")
    assert (hidden.status_code, hidden.text.replace(id, "")) == (404, nowhere.text.replace("0" * 16, ""))
    chosen = [f"{one}:{stored(pages, one).version}" for one in (id, other)]
    assert decide(ada, "/drifts", *chosen, decision="acknowledge", reason="x").status_code == 404
    assert stored(pages, other).state == "new"  # all of them, or none


@pytest.mark.parametrize("address", ["/drifts/x", "/drifts/%00", "/drifts/a%00b", f"/drifts/{'a' * 16}"])
def test_a_drift_that_is_none_has_a_page_that_says_so(pages: Asking, address: str) -> None:
    answer = pages.get(address)
    assert answer.status_code == 404
    assert seen(answer).dangers() == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(pages: Asking, id: str, text: str) -> None:
    one = stored(pages, id)
    (item,) = one.items
    with writing(pages.engine) as connection:
        odd = replace(item, key=Key(text, text, text), left=text, right=text, distance=text)
        told = {"words": text, "section": text, "reference": text, "selector": text, "actor": text, "reason": text}
        life = {"state": State.ACKNOWLEDGED, "decided_by": text}
        drifts.save(connection, {}, [replace(one, items=(odd,), **told, **life)])  # type: ignore[arg-type]  # texts
        audit.write(connection, text, "drift.acknowledge", id, datetime.now(UTC), "prod", reason=text)
    for path in ("/drifts?state=all", f"/drifts/{id}", f"/drifts?{urlencode({'q': text, 'host': text})}"):
        page = seen(pages.get(path))
        assert page.dangers() == []
        assert " ".join(text.split()) in page.text or "q=" in path
