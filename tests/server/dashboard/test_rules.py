"""Tests of the pages of rules: what is expected and until when, and that nobody makes a rule unseen."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from envparity_agent.fingerprint import Fingerprint
from envparity_server.drift.rules import rule_of
from envparity_server.storage import audit, rules
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading, writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import Seen, seen
from tests.server.dashboard.test_hostile import HOSTILE
from tests.server.fleet import reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages

FIELDS = {"match": "python/*/idna", "hosts": "env:prod", "reason": "being rolled out", "expires": "2099-03-01"}


def running(idna: str) -> Fingerprint:
    """A host with one distribution."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": idna}))


@pytest.fixture
def fleet(pages: Asking) -> Asking:
    """Prod and vault with three hosts each, one of which deviates."""
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        for environment in ("prod", "vault"):
            for number, version in enumerate(("3.7", "3.7", "3.4")):
                reported(connection, f"{environment}-{number}", running(version), now, environment)
    return pages


def keep(fleet: Asking, environment: str | None = "prod", **changed: Any) -> str:
    """A rule on the server; returns its id."""
    rule = rule_of({**FIELDS, **changed})
    with writing(fleet.engine) as connection:
        rules.add(connection, rule, environment, "person:ada", datetime.now(UTC))
    return rule.id


def value(page: Seen, name: str) -> str:
    """What a field of a form holds."""
    (found,) = [tag.get("value", "") for kind, tag in page.tags if kind == "input" and tag.get("name") == name]
    return found


def make(asking: Asking, **changed: str) -> httpx.Response:
    """Look at what a rule hides, and make it."""
    fields = {**FIELDS, **changed}
    shown = seen(asking.get("/rules/new", **fields, preview="1"))
    return asking.ask("POST", "/rules", data={**fields, "previewed": value(shown, "previewed")})


def actions(fleet: Asking) -> list[tuple[str, str | None]]:
    """What the audit log tells, the newest first."""
    with reading(fleet.engine) as connection:
        return [(one.action, one.environment) for one in audit.entries(connection)]


def test_without_a_rule_the_way_to_one_is_shown(pages: Asking) -> None:
    page = seen(pages.get("/rules"))
    assert "There is no rule yet" in page.text
    assert {"/compare", "/rules/new"} <= page.links.keys()


def test_the_list_tells_of_each_rule_what_it_does_why_until_when_and_whether_it_is_used(fleet: Asking) -> None:
    used = keep(fleet)
    keep(fleet, match="os/*", expires="2020-01-01", severity="low", owner="platform")
    with writing(fleet.engine) as connection:
        rules.count_hits(connection, {used: 7}, datetime.now(UTC))
    text = seen(fleet.get("/rules")).text
    assert "python/*/idna env:prod = expected being rolled out ada 2099-03-01 00:00 UTC 7 just now" in text
    assert "rates ▽ low being rolled out platform" in text
    assert "expired 2020-01-01 00:00 UTC ○ never hit" in text


def test_the_list_is_narrowed_to_a_state_and_counts_each(fleet: Asking) -> None:
    keep(fleet)
    keep(fleet, match="os/*", expires="2020-01-01")
    page = seen(fleet.get("/rules", state="expired"))
    assert "All 2 Active 1 Expired 1 Never hit 1" in page.text
    assert "os/*" in page.text
    assert "python/*/idna" not in page.text
    with writing(fleet.engine) as connection:
        rules.remove(connection, rule_of({**FIELDS, "match": "os/*"}).id)
    assert "No rule is so" in seen(fleet.get("/rules", state="expired")).text


def test_more_rules_than_fit_are_on_further_pages(fleet: Asking) -> None:
    for number in range(60):
        keep(fleet, match=f"os/item-{number:02}")
    first, second = (seen(fleet.get("/rules", page=page)) for page in ("1", "2"))
    assert "60 rules, page 1 of 2" in first.text
    assert "item-59" not in first.text
    assert "item-59" in second.text


def test_what_a_rule_hides_is_counted_by_environment_with_examples(fleet: Asking) -> None:
    text = seen(fleet.get("/rules/new", match="python/*/idna", preview="1")).text
    assert "hides 100 % of what differs now: 2 of 2 differences, on 2 of 6 hosts: 1 in prod , 1 in vault" in text
    assert "It is for all environments." in text
    assert "python/srv/shop idna 3.4 → 3.7 2" in text


def test_a_rule_is_made_after_what_it_hides_was_looked_at(fleet: Asking) -> None:
    answer = make(fleet)
    assert answer.status_code == 303
    text = seen(fleet.get(answer.headers["location"])).text
    assert "Reason being rolled out" in text
    assert "Belongs to prod" in text
    assert actions(fleet) == [("rule.add", "prod")]


@pytest.mark.parametrize("previewed", ["", "0" * 16])
def test_a_rule_that_nobody_looked_at_is_shown_and_not_made(fleet: Asking, previewed: str) -> None:
    answer = fleet.ask("POST", "/rules", data={**FIELDS, "previewed": previewed})
    assert answer.status_code == 200
    page = seen(answer)
    assert "hides" in page.text
    assert value(page, "reason") == FIELDS["reason"]
    assert actions(fleet) == []


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"reason": ""}, 422, "the rule has no reason"),
        ({"match": ""}, 422, "match is empty"),
        ({"hosts": "nonsense"}, 422, "'nonsense' is not a selector"),
        ({"hosts": "host:nobody"}, 422, "no host nobody"),
        ({"expires": "soon"}, 422, "expires"),
        ({"severity": "awful"}, 422, "'awful' is no severity"),
    ],
)
def test_a_wrong_rule_is_told_in_the_form_which_keeps_what_was_typed(
    fleet: Asking, changed: dict[str, str], status: int, said: str
) -> None:
    fields = {**FIELDS, **changed}
    answer = fleet.ask("POST", "/rules", data=fields)
    page = seen(answer)
    assert answer.status_code == status
    assert said in page.text
    assert value(page, "match") == fields["match"]
    assert actions(fleet) == []


def test_only_a_comparison_of_this_server_is_led_back_to(fleet: Asking) -> None:
    for back in ("https://evil.example/compare?left=a&right=b", "//evil.example/compare?left=a&right=b", "/logout"):
        answer = make(fleet, match=f"os/{len(back)}", back=back)
        assert answer.headers["location"].startswith("/rules/")


def test_the_page_of_a_rule_tells_what_it_covers_now(fleet: Asking) -> None:
    id = keep(fleet)
    (address,) = seen(fleet.get(f"/rules/{id}")).values("div", "hx-get")
    assert "1 of 2 differences, on 1 of 6 hosts: 1 in prod" in seen(fleet.get(address)).text
    assert "<html" not in fleet.ask("GET", address, headers={"HX-Request": "true"}).text


def test_reason_owner_and_end_are_changed(fleet: Asking) -> None:
    path = f"/rules/{keep(fleet)}"
    fields = {"version": "1", "reason": "it lasts", "owner": "platform", "expires": ""}
    assert fleet.ask("POST", path, data=fields).status_code == 303
    text = seen(fleet.get(path)).text
    assert "Reason it lasts Owner platform Ends never" in text
    assert actions(fleet) == [("rule.change", "prod")]
    again = fleet.ask("POST", path, data=fields)
    assert again.status_code == 409
    assert "somebody else changed it" in seen(again).text
    assert fleet.ask("POST", path, data={**fields, "version": "x"}).status_code == 422


def test_a_rule_is_taken_back_after_a_question(fleet: Asking) -> None:
    path = f"/rules/{keep(fleet)}"
    assert "has covered 0 differences" in seen(fleet.get(f"{path}/remove")).text
    assert fleet.ask("POST", f"{path}/remove").headers["location"] == "/rules"
    assert fleet.get(path).status_code == 404
    assert actions(fleet) == [("rule.remove", "prod")]


def test_a_viewer_reads_and_decides_nothing(fleet: Asking) -> None:
    id, viewer = keep(fleet), fleet.as_person("vera", Role.VIEWER)
    for path in ("/rules", f"/rules/{id}"):
        page = seen(viewer.get(path))
        assert FIELDS["match"] in page.text
        assert not [one for one in page.links if one.endswith(("/new", "/remove"))]
    for path in ("/rules", f"/rules/{id}", f"/rules/{id}/remove"):
        assert viewer.ask("POST", path, data={**FIELDS, "version": "1"}).status_code == 403
    assert actions(fleet)[:-1] == []  # who was added is all


def test_a_rule_of_another_environment_is_neither_seen_nor_counted_nor_taken_back(fleet: Asking) -> None:
    hidden, shared = keep(fleet, "vault", hosts="env:vault"), keep(fleet, None, hosts="", match="os/*")
    ada = fleet.as_person("ada", Role.OPERATOR, frozenset({"prod"}))
    assert "All 1 Active 1" in seen(ada.get("/rules")).text
    assert "vault" not in ada.get("/rules").text
    assert ada.get(f"/rules/{hidden}").status_code == 404
    assert ada.ask("POST", f"/rules/{hidden}/remove").status_code == 404
    assert f"/rules/{shared}/remove" not in seen(ada.get(f"/rules/{shared}")).links
    assert ada.ask("POST", f"/rules/{shared}/remove").status_code == 403
    shown = ada.get("/rules/new", match="python/*/idna", hosts="env:prod", preview="1").text
    assert "1 of 1 differences" in shown
    assert "vault" not in shown
    assert "all environments" in seen(ada.ask("POST", "/rules", data={**FIELDS, "hosts": ""})).text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(fleet: Asking, text: str) -> None:
    id = keep(fleet, match=text, reason=text, owner=text)
    fields = {**FIELDS, "match": text, "reason": text, "owner": text, "hosts": text, "back": text, "expires": text}
    for answer in (
        fleet.get("/rules"),
        fleet.get(f"/rules/{id}"),
        fleet.get(f"/rules/{id}/remove"),
        fleet.get(f"/rules/{id}/preview"),
        fleet.get("/rules/new", **fields, preview="1"),
        fleet.get("/rules/new", match=text, preview="1"),
        fleet.ask("POST", "/rules", data=fields),
    ):
        assert answer.status_code < 500
        assert seen(answer).dangers() == []
