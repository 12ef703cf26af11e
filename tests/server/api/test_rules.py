"""Tests of the rules' API: who may decide what, what a rule hides, and that every decision is in the audit log."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from envparity_agent.fingerprint import Fingerprint
from envparity_server.api.rules import router
from envparity_server.storage import access, audit, rules
from envparity_server.storage.database import reading, writing
from tests.server.asking import LIFE, Asking
from tests.server.fleet import reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages

MATCH = "python/*/idna"
RULE = {"match": MATCH, "hosts": "env:prod", "reason": "being rolled out"}


def running(idna: str, flask: str = "3.0") -> Fingerprint:
    """A host with two distributions."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": idna, "flask": flask}))


@pytest.fixture
def fleet(api: Asking) -> Asking:
    """Prod with three hosts, two of which deviate, dev with one, and a stale host that nobody asks."""
    now = datetime.now(UTC)
    with writing(api.engine) as connection:
        reported(connection, "web-1", running("3.7"), now, "prod", {"role": "web"})
        reported(connection, "web-2", running("3.7", "2.0"), now, "prod", {"role": "web"})
        reported(connection, "web-3", running("3.4"), now, "prod", {"role": "web"})
        reported(connection, "dev-1", running("3.4"), now, "dev")
        reported(connection, "old-1", running("1.0"), now - timedelta(days=2), "prod")
    return api


@pytest.fixture
def operator(fleet: Asking) -> Asking:
    """Somebody who decides about everything."""
    return fleet.as_role("operator")


def operator_of(fleet: Asking, environment: str) -> Asking:
    """Somebody who sees one environment and decides there."""
    with writing(fleet.engine) as connection:
        now, seen = datetime.now(UTC), frozenset({environment})
        return fleet.bearing(access.make_access_token(connection, "operator", "tests", LIFE, now, environments=seen))


def made(asking: Asking, **changed: Any) -> dict[str, Any]:
    """A rule that was made, with what its maker was told."""
    answer = asking.ask("POST", "/api/v1/rules", json={**RULE, **changed})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def actions(fleet: Asking) -> list[tuple[str, str | None]]:
    """What the audit log tells, the newest first."""
    with reading(fleet.engine) as connection:
        return [(one.action, one.environment) for one in audit.entries(connection)]


def test_a_rule_is_made_listed_shown_changed_and_removed(fleet: Asking, operator: Asking) -> None:
    rule = made(operator, owner="ada", expires="2099-03-01")["rule"]
    assert {key: rule[key] for key in ("match", "hosts", "reason", "owner", "expires", "severity", "state")} == {
        **RULE, "owner": "ada", "expires": "2099-03-01T00:00:00Z", "severity": None, "state": "active",
    }  # fmt: skip
    assert (rule["environment"], rule["created_by"], rule["hits"], rule["version"]) == ("prod", "token:tests", 0, 1)
    viewer = fleet.as_role("viewer")
    assert viewer.get("/api/v1/rules").json() == {"rules": [rule], "total": 1}
    path = f"/api/v1/rules/{rule['id']}"
    assert viewer.get(path).json() == rule
    changed = operator.ask("PATCH", path, json={"version": 1, "expires": None, "reason": "it lasts"}).json()
    assert changed == {**rule, "expires": None, "reason": "it lasts", "version": 2}
    assert operator.ask("DELETE", path).json() == changed
    assert viewer.get(path).status_code == 404
    assert actions(fleet) == [("rule.remove", "prod"), ("rule.change", "prod"), ("rule.add", "prod")]


def test_of_two_who_decide_at_once_the_second_is_told(operator: Asking) -> None:
    path = f"/api/v1/rules/{made(operator)['rule']['id']}"
    answers = [operator.ask("PATCH", path, json={"version": 1, "reason": reason}) for reason in ("a", "b")]
    assert [one.status_code for one in answers] == [200, 409]
    assert "version 2" in answers[1].json()["detail"]
    assert operator.get(path).json()["reason"] == "a"


def test_the_same_rule_again_changes_nothing_and_another_reason_is_a_conflict(fleet: Asking, operator: Asking) -> None:
    assert made(operator)["rule"] == made(operator)["rule"]
    answer = operator.ask("POST", "/api/v1/rules", json={**RULE, "reason": "another"})
    assert (answer.status_code, "rules change" in answer.json()["advice"]) == (409, True)
    assert actions(fleet) == [("rule.add", "prod")]


def test_a_preview_says_what_a_rule_would_hide_and_makes_nothing(fleet: Asking, operator: Asking) -> None:
    found = operator.ask("POST", "/api/v1/rules/preview", json={"match": MATCH, "hosts": "env:prod"}).json()
    assert found == {
        "words": "hides 50 % of what differs now: 1 of 2 differences, on 1 of 3 hosts",
        "share": 50, "covered": 1, "differences": 2, "hosts": 3, "hosts_there": 4, "hosts_covered": 1,
        "examples": [
            {
                "section": "python/srv/shop", "item": "idna", "attribute": "version", "words": "3.4 → 3.7",
                "hosts": 1,
            }
        ],
        "warnings": [
            "hides 50 % of what differs now: 1 of 2 differences, on 1 of 3 hosts",
            "only 3 of 4 fresh hosts were looked at: others have no reference, or are too many",
        ],
    }  # fmt: skip
    assert operator.get("/api/v1/rules").json()["total"] == 0
    assert actions(fleet) == []


def test_what_another_rule_expects_already_is_not_counted_again(operator: Asking) -> None:
    made(operator)
    found = operator.ask("POST", "/api/v1/rules/preview", json={"match": "python/*"}).json()
    assert (found["covered"], found["differences"]) == (1, 1)


def test_a_rule_for_other_hosts_hides_nothing(operator: Asking) -> None:
    found = operator.ask("POST", "/api/v1/rules/preview", json={"match": "*", "hosts": "env:dev"}).json()
    assert (found["covered"], found["share"]) == (0, 0)
    assert "fits whatever differs" in found["warnings"][0]


def test_a_rule_for_everything_is_made_but_warned_of_and_that_is_in_the_log(fleet: Asking, operator: Asking) -> None:
    warnings = made(operator, match="*", hosts="")["warnings"]
    assert "fits whatever differs" in warnings[0]
    assert warnings[1].startswith("hides 100 % of what differs now: 2 of 2 differences")
    with reading(fleet.engine) as connection:
        (entry,) = audit.entries(connection)
    assert (entry.detail["share"], entry.detail["warnings"], entry.environment) == (100, warnings, None)


def test_a_list_is_narrowed_by_state(fleet: Asking, operator: Asking) -> None:
    made(operator)
    ended = made(operator, match="os", expires="2020-01-01T00:00:00Z")["rule"]
    assert ended["state"] == "expired"
    hit = made(operator, match="containers")["rule"]
    with writing(fleet.engine) as connection:
        rules.count_hits(connection, {hit["id"]: 1}, datetime.now(UTC))
    listed = {
        state: [one["match"] for one in operator.get("/api/v1/rules", state=state).json()["rules"]]
        for state in ("active", "expired", "never-hit")
    }
    assert listed == {"active": [MATCH, "containers"], "expired": ["os"], "never-hit": [MATCH]}
    assert len(operator.get("/api/v1/rules", limit="1", offset="1").json()["rules"]) == 1


@pytest.mark.parametrize(
    "query", [{"state": "all"}, {"limit": "0"}, {"limit": "1001"}, {"offset": "-1"}, {"offset": "1" * 20}]
)
def test_a_wrong_list_is_refused(small_api: Asking, query: dict[str, str]) -> None:
    assert small_api.as_role("viewer").get("/api/v1/rules", **query).status_code == 422


def test_a_file_is_imported_once_however_often_it_is_sent(fleet: Asking, operator: Asking) -> None:
    file = {"rules": [RULE, {"match": "*", "reason": "noise", "severity": "info"}, {**RULE, "reason": "twice"}]}

    def imported() -> dict[str, Any]:
        found: dict[str, Any] = operator.ask("POST", "/api/v1/rules/import", json=file).json()
        return found

    first = imported()
    assert (first["added"], first["changed"], first["unchanged"]) == (2, 0, 0)
    assert ["fits whatever differs" in one for one in first["warnings"]] == [True]
    assert imported() == {**first, "added": 0, "unchanged": 2}
    file["rules"][0] = {**RULE, "reason": "better known"}
    assert imported() == {**first, "added": 0, "changed": 1, "unchanged": 1}
    listed = operator.get("/api/v1/rules").json()["rules"]
    assert [(one["match"], one["reason"]) for one in listed] == [(MATCH, "better known"), ("*", "noise")]
    assert actions(fleet) == [("rule.change", "prod"), ("rule.add", None), ("rule.add", "prod")]


def test_of_a_file_with_a_wrong_rule_nothing_is_imported(operator: Asking) -> None:
    answer = operator.ask("POST", "/api/v1/rules/import", json={"rules": [RULE, {**RULE, "hosts": "evn:prod"}]})
    assert (answer.status_code, operator.get("/api/v1/rules").json()["total"]) == (422, 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"reason": None}, {"reason": ""}, {"reason": " "}, {"match": ""}, {"match": "a" * 1025}, {"match": 5},
        {"hosts": "prod"}, {"hosts": "host:nobody"}, {"hosts": "env:prod@yesterday"}, {"hosts": "env:prod#os"},
        {"severity": "worst"}, {"severity": 3}, {"expires": "soon"}, {"expires": "0001-01-01T00:00:00+12:00"},
        {"owner": "a\0b"}, {"match": "\ud800"}, {"regex": ".*"},
    ],
    ids=ascii,
)  # fmt: skip
def test_a_wrong_rule_is_refused_with_words(small_api: Asking, changed: dict[str, Any]) -> None:
    operator, body = small_api.as_role("operator"), {**RULE, **changed}
    for path, sent in (("", body), ("/import", {"rules": [body]})):
        text = {"content": json.dumps(sent), "headers": {"Content-Type": "application/json"}}
        answer = operator.ask("POST", f"/api/v1/rules{path}", **text)
        assert (answer.status_code, bool(answer.json()["detail"])) == (422, True)
    assert operator.get("/api/v1/rules").json()["total"] == 0


def test_who_sees_one_environment_sees_and_decides_nothing_of_others(fleet: Asking, operator: Asking) -> None:
    prod, everywhere = made(operator)["rule"], made(operator, hosts="")["rule"]
    dev = operator_of(fleet, "dev")
    own = made(dev, hosts="env:dev")["rule"]
    assert [one["id"] for one in dev.get("/api/v1/rules").json()["rules"]] == [everywhere["id"], own["id"]]
    unknown = dev.get("/api/v1/rules/" + "0" * 16)
    for method, body in (("GET", None), ("PATCH", {"version": 1, "reason": "mine"}), ("DELETE", None)):
        answer = dev.ask(method, f"/api/v1/rules/{prod['id']}", json=body)
        assert answer.status_code == unknown.status_code == 404
        assert answer.json()["detail"].replace(prod["id"], "0" * 16) == unknown.json()["detail"]
    for method, body in (("PATCH", {"version": 1, "reason": "mine"}), ("DELETE", None)):
        assert dev.ask(method, f"/api/v1/rules/{everywhere['id']}", json=body).status_code == 403
    for hosts, status in (
        ("", 403),
        ("role=web", 403),
        ("env:*", 403),
        ("env:prod", 422),
        ("host:web-1", 422),
        ("env:nowhere", 422),
    ):
        for path, sent in (("", {**RULE, "hosts": hosts}), ("/import", {"rules": [{**RULE, "hosts": hosts}]})):
            assert dev.ask("POST", f"/api/v1/rules{path}", json=sent).status_code == status
    assert dev.ask("POST", "/api/v1/rules/preview", json={"match": "*"}).json()["differences"] == 0


def test_a_rule_for_a_host_is_for_that_host_and_no_other_of_its_name(fleet: Asking, operator: Asking) -> None:
    with writing(fleet.engine) as connection:
        other = reported(connection, "other", running("3.4"), datetime.now(UTC), "dev")
    rule = made(operator, hosts="host:web-3")["rule"]
    assert (rule["environment"], rule["hosts"].startswith("host:")) == ("prod", True)
    compared = operator.get("/api/v1/compare", left="host:web-3", right="host:web-1").json()
    assert compared["summary"]["expected"] == 1
    assert (
        "expected" not in operator.get("/api/v1/compare", left=f"host:{other.id}", right="host:web-1").json()["summary"]
    )


@pytest.mark.parametrize("role", ["ci", "viewer"])
def test_only_who_decides_may_decide(fleet: Asking, operator: Asking, role: str) -> None:
    path = f"/api/v1/rules/{made(operator)['rule']['id']}"
    asking = fleet.as_role(role)
    for method, where, body in (
        ("POST", "/api/v1/rules", RULE),
        ("POST", "/api/v1/rules/import", {"rules": []}),
        ("POST", "/api/v1/rules/preview", {"match": "*"}),
        ("PATCH", path, {"version": 1}),
        ("DELETE", path, None),
    ):
        assert asking.ask(method, where, json=body).status_code == 403
    assert asking.get("/api/v1/rules").status_code == (200 if role == "viewer" else 403)


def test_every_route_tells_what_it_takes_and_answers(fleet: Asking) -> None:
    document = fleet.app.openapi()["paths"]
    operations = [
        one for path, methods in document.items() if path.startswith("/api/v1/rules") for one in methods.values()
    ]
    assert len(operations) == len(router.routes) == 7
    for one in operations:
        (answer,) = (one["responses"][code] for code in ("200", "201") if code in one["responses"])
        assert "$ref" in answer["content"]["application/json"]["schema"]


# --- what rules do to comparisons and gates --------------------------------------------------------------------------


def gate(asking: Asking, subject: Fingerprint, **more: Any) -> dict[str, Any]:
    """The verdict of a gate against prod."""
    question = {"fingerprint": subject.document(), "against": "env:prod", **more}
    answer = asking.ask("POST", "/api/v1/gates", json=question)
    assert answer.status_code == 200, answer.text
    verdict: dict[str, Any] = answer.json()
    return verdict


def test_the_server_s_rules_hold_for_comparisons_of_their_hosts(operator: Asking) -> None:
    rule = made(operator, hosts="env:dev")["rule"]
    found = operator.get("/api/v1/compare", left="env:dev", right="env:prod").json()
    assert found["summary"] == {"same": 3, "expected": 1}
    (difference,) = found["differences"]
    assert (difference["state"], difference["found"], difference["rule"], difference["reason"]) == (
        "expected", "changed", rule["id"], "being rolled out",
    )  # fmt: skip
    other = operator.get("/api/v1/compare", left="host:web-3", right="host:web-1").json()
    assert other["summary"]["changed"] == 1


def test_a_gate_counts_what_the_server_expects_and_the_rule_s_hits(fleet: Asking, operator: Asking) -> None:
    rule = made(operator)["rule"]
    pipeline = fleet.as_role("ci")
    verdict = gate(pipeline, running("3.4"))
    assert (verdict["verdict"], verdict["expected"], verdict["differences"]) == ("parity", 1, [])
    assert verdict["summary"] == "3 items the same as env:prod, none differs at low or over; 1 expected"
    assert verdict["rules"] == [{"rule": rule["id"], "reason": "being rolled out", "expected": 1}]
    assert gate(pipeline, running("3.4", "1.0"))["summary"] == "1 high against env:prod: flask 3.0 → 1.0; 1 expected"
    shown = operator.get(f"/api/v1/rules/{rule['id']}").json()
    assert (shown["hits"], bool(shown["last_hit_at"])) == (2, True)


def test_a_project_s_rules_come_first_and_are_no_hit_of_the_server_s(fleet: Asking, operator: Asking) -> None:
    rule = made(operator)["rule"]
    own = {
        "match": "python/*",
        "hosts": "env:prod",
        "reason": "the project knows",
        "owner": "",
        "expires": None,
        "severity": None,
    }
    verdict = gate(fleet.as_role("ci"), running("3.4"), rules=[own])
    assert [one["reason"] for one in verdict["rules"]] == ["the project knows"]
    assert operator.get(f"/api/v1/rules/{rule['id']}").json()["hits"] == 0


def test_a_project_s_severities_decide_and_unfitting_rules_do_not(fleet: Asking) -> None:
    pipeline = fleet.as_role("ci")
    lowered = gate(pipeline, running("3.4"), severity=[{"match": "python/*", "severity": {"minor": "info"}}])
    assert (lowered["verdict"], lowered["expected"]) == ("parity", 0)
    raised = gate(
        pipeline, running("3.4"), fail_on="critical", severity=[{"match": "python/*", "severity": "critical"}]
    )
    assert (raised["verdict"], raised["differences"][0]["severity"]) == ("drift", "critical")
    elsewhere = gate(pipeline, running("3.4"), rules=[{"match": "*", "hosts": "env:dev", "reason": "not here"}])
    assert (elsewhere["verdict"], elsewhere["expected"]) == ("drift", 0)


def test_an_expired_rule_covers_nothing_and_a_gate_tells_it(fleet: Asking) -> None:
    ended = {"match": "python/*", "reason": "until spring", "expires": "2026-01-01"}
    verdict = gate(fleet.as_role("ci"), running("3.4"), rules=[ended])
    assert verdict["verdict"] == "drift"
    assert verdict["remarks"] == [
        "the rule python/* (until spring) expired on 2026-01-01: 1 difference no longer covered"
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"rules": {}}, {"rules": None}, {"rules": "os"}, {"rules": [{"match": "os"}]},
        {"rules": [{"match": "os", "reason": "why", "regex": 1}]}, {"rules": [{"match": "os", "reason": "a\0"}]},
        {"rules": [{"match": "os", "reason": "why"}] * 1001}, {"severity": {"os": "low"}},
        {"severity": [{"match": "os", "severity": "worst"}]}, {"severity": [{"match": "os", "severity": {"major": 1}}]},
    ],
    ids=range(10),
)  # fmt: skip
def test_wrong_rules_of_a_pipeline_are_refused(small_api: Asking, wrong: dict[str, Any]) -> None:
    question = {"fingerprint": running("3.7").document(), "against": "env:prod", **wrong}
    answer = small_api.as_role("ci").ask("POST", "/api/v1/gates", json=question)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_the_fingerprint_of_a_selector_says_whom_it_names(operator: Asking) -> None:
    subject = operator.get("/api/v1/fingerprints", of="host:web-1").json()["subject"]
    assert (subject["name"], subject["environment"], subject["labels"]) == ("web-1", "prod", {"role": "web"})


def test_a_rule_for_a_host_goes_along_to_another_environment(fleet: Asking, operator: Asking) -> None:
    (one,) = fleet.as_role("viewer").get("/api/v1/hosts", name="dev-1").json()["hosts"]
    rule = made(operator_of(fleet, "dev"), hosts=f"host:{one['id']}")["rule"]
    moved = operator.ask("PATCH", f"/api/v1/hosts/{one['id']}", json={"environment": "prod"})
    assert moved.status_code == 200, moved.text
    change = {"version": 1, "reason": "it stays hidden"}
    answers = [
        operator_of(fleet, name).ask("PATCH", f"/api/v1/rules/{rule['id']}", json=change) for name in ("dev", "prod")
    ]
    assert [answer.status_code for answer in answers] == [404, 200]
