"""Tests of what pipelines ask: the verdict on a fingerprint, and what it is made of."""

from datetime import UTC, datetime
from typing import Any

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint, Reason, Status, Target
from envparity_server.api.gates import followed
from envparity_server.gating.model import read_report
from envparity_server.storage import hosts
from envparity_server.storage.database import writing
from tests.server.api.populated import populated, running
from tests.server.asking import Asking
from tests.server.fleet import enrolled, reported
from tests.server.making import NOON, host, section


@pytest.fixture
def fleet(api: Asking) -> Asking:
    """A server with some hosts."""
    return populated(api)


@pytest.fixture
def pipeline(fleet: Asking) -> Asking:
    """A pipeline."""
    return fleet.as_role("ci")


def judged(asking: Asking, subject: Fingerprint, against: str = "env:prod", **more: Any) -> dict[str, Any]:
    """The verdict of the gate."""
    answer = asking.ask("POST", "/api/v1/gates", json={"fingerprint": subject.document(), "against": against, **more})
    assert answer.status_code == 200, answer.text
    verdict: dict[str, Any] = answer.json()
    return verdict


def test_the_gate_lets_parity_pass(pipeline: Asking) -> None:
    verdict = judged(pipeline, running("3.7"))
    assert (verdict["verdict"], verdict["threshold"], verdict["reasons"]) == ("parity", "low", [])
    assert verdict["summary"] == "4 items the same as env:prod, none differs at low or over"
    assert (verdict["coverage"], verdict["causes"]) == ({"compared": 4, "total": 4}, [])
    assert read_report(verdict).document() == verdict


def test_the_gate_stops_on_drift_with_words(pipeline: Asking) -> None:
    verdict = judged(pipeline, running("3.4"))
    assert verdict["verdict"] == "drift"
    assert [(one["item"], one["severity"], one["words"]) for one in verdict["differences"]] == [
        ("idna", "medium", "3.7 → 3.4")
    ]
    assert verdict["summary"] == "1 medium against env:prod: idna 3.7 → 3.4"


def test_the_gate_has_a_threshold_and_a_scope(pipeline: Asking) -> None:
    assert judged(pipeline, running("3.4"), fail_on="HIGH")["verdict"] == "parity"
    assert judged(pipeline, running("3.4"), only="os")["verdict"] == "parity"
    assert judged(pipeline, running("3.4"), only="python")["verdict"] == "drift"
    assert judged(pipeline, running("3.7"), app="nowhere")["verdict"] == "unknown"


@pytest.mark.parametrize("against", ["host:silent", "env:staging", "env:prod,role=mail", "host:old-1"])
def test_the_gate_is_never_green_without_a_good_reference(pipeline: Asking, against: str) -> None:
    verdict = judged(pipeline, running("3.7"), against)
    assert verdict["verdict"] == "unknown"
    assert verdict["reasons"]


def test_the_gate_is_never_green_where_hosts_do_not_agree(fleet: Asking, pipeline: Asking) -> None:
    with writing(fleet.engine) as connection:
        reported(connection, "dev-2", running("3.7"), datetime.now(UTC), "dev")
    verdict = judged(pipeline, running("3.7"), "env:dev")
    assert (verdict["verdict"], verdict["reasons"]) == ("unknown", ["python/srv/shop: idna is unknown"])


def test_the_gate_is_never_green_where_this_side_could_not_be_read(pipeline: Asking) -> None:
    blind = section("containers", {}, Status.FAILED, Reason.UNREACHABLE)
    subject = host(*{**running("3.7").sections, "containers": blind}.values())
    verdict = judged(pipeline, subject)
    assert verdict["verdict"] == "unknown"
    assert verdict["reasons"] == ["containers: here: failed(unreachable)"]


@pytest.mark.parametrize(
    "changed",
    [
        {"against": "evn:prod"},
        {"against": "host:nobody"},
        {"against": "env:prdo"},
        {"against": None},
        {"against": 5},
        {"against": "host:web-1@0001-01-01T00:00+12:00"},
        {"only": "pyhton"},
        {"only": ["os"]},
        {"fail_on": "worst"},
        {"fail_on": ""},
        {"fingerprint": None},
        {"fingerprint": {}},
        {"fingerprint": {**running("3.7").document(), "root": "sha256:" + "0" * 64}},
        {"fingerprint": {**running("3.7").document(), "schema": 999}},
        {"fingerprint": {**running("3.7").document(), "sections": {"os": {"status": {}}}}},
        {"fingerprint": {**running("3.7").document(), "sections": {"os": {"kind": "os", "schema": 1, "status": {}}}}},
    ],
)
def test_a_wrong_question_of_a_pipeline_is_refused(pipeline: Asking, changed: dict[str, Any]) -> None:
    question = {"fingerprint": running("3.7").document(), "against": "env:prod", **changed}
    answer = pipeline.ask("POST", "/api/v1/gates", json=question)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_rule_for_a_host_of_the_same_name_elsewhere_does_not_judge(fleet: Asking) -> None:
    with writing(fleet.engine) as connection:
        other = enrolled(connection, "staging-1", "staging")
        own = reported(connection, "mine", running("3.7"), datetime.now(UTC), "dev")
        hosts.change(connection, own.id, name="staging-1")
    rule = {"match": "python/*", "hosts": f"host:{other.id}", "reason": "a secret of staging"}
    assert fleet.as_role("operator").ask("POST", "/api/v1/rules", json=rule).status_code == 201
    verdict = judged(fleet.as_role("ci", frozenset({"dev"})), running("3.4"), "host:staging-1")
    assert (verdict["verdict"], "secret" in str(verdict)) == ("drift", False)


@pytest.mark.parametrize(
    "changed",
    [
        {"declared": {}},
        {"declared": [{}]},
        {"declared": [running("3.7").document()]},
        {"declared": [host(kind="declared").document()] * 21},
        {"min_coverage": 101},
        {"min_coverage": -1},
        {"min_coverage": "95"},
        {"max_age": -1},
        {"max_age": 10**12},
        {"max_age": "1d"},
        {"new_only": 1},
    ],
    ids=range(11),
)
def test_a_wrong_measure_is_refused(small_api: Asking, changed: dict[str, Any]) -> None:
    question = {"fingerprint": running("3.7").document(), "against": "env:prod", **changed}
    answer = small_api.as_role("ci").ask("POST", "/api/v1/gates", json=question)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_what_a_lock_declares_passes_and_is_told(pipeline: Asking) -> None:
    items: dict[str, Attributes] = {
        "@lock": {"complete": True},
        "idna": {"version": "3.8"},
        "flask": {"version": "3.0"},
    }
    lock = Fingerprint(
        Target("declared", "uv.lock"),
        NOON.isoformat(),
        {"python/uv.lock": section("python/uv.lock", items, kind="declared", schema=2)},
    )
    verdict = judged(pipeline, running("3.8"), declared=[lock.document()])
    assert (verdict["verdict"], verdict["differences"]) == ("parity", [])
    assert [(one["item"], one["standing"], one["why"]) for one in verdict["accounted"]] == [
        ("idna", "declared", "uv.lock")
    ]
    assert judged(pipeline, running("3.9"), declared=[lock.document()])["verdict"] == "drift"


def test_a_reference_may_be_too_old(pipeline: Asking) -> None:
    assert judged(pipeline, running("3.7"), max_age=3600)["verdict"] == "parity"
    old = judged(pipeline, running("3.7"), max_age=0)
    assert old["verdict"] == "unknown"
    assert "older than 0:00:00" in old["doubts"][0]


def test_the_coverage_may_be_less_than_all_of_it(fleet: Asking, pipeline: Asking) -> None:
    with writing(fleet.engine) as connection:
        reported(connection, "dev-2", running("3.7"), datetime.now(UTC), "dev")
    lenient = judged(pipeline, running("3.7"), "env:dev", min_coverage=70)
    assert (lenient["verdict"], lenient["coverage"]) == ("parity", {"compared": 3, "total": 4})
    assert lenient["reasons"] == ["python/srv/shop: idna is unknown"]
    strict = judged(pipeline, running("3.7"), "env:dev", min_coverage=80)
    assert (strict["verdict"], strict["doubts"]) == ("unknown", [])
    assert strict["reasons"][0] == "3 of 4 items could be compared, 75.0 %: under 80 %"


def test_everything_is_new_where_nothing_was_accepted(pipeline: Asking) -> None:
    verdict = judged(pipeline, running("3.4"), new_only=True)
    assert (verdict["verdict"], verdict["notes"]) == (
        "drift", ["no run against env:prod was accepted yet: everything counts as new"],
    )  # fmt: skip


def test_what_fails_comes_with_its_likeliest_cause(pipeline: Asking) -> None:
    (cause,) = judged(pipeline, running("3.4"))["causes"]
    assert (cause["rank"], cause["item"], bool(cause["steps"])) == (1, "idna", True)


def test_what_a_newer_client_asks_beside_is_left_out(pipeline: Asking) -> None:
    assert judged(pipeline, running("3.7"), a_key_of_tomorrow=1)["verdict"] == "parity"


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("image", "shop:2", "image shop"),
        ("image", "registry.example:5000/acme/shop", "image registry.example:5000/acme/shop"),
        ("image", "acme/shop:2@sha256:0af", "image acme/shop"),
        ("container", "shop:2", "container shop:2"),
    ],
)
def test_builds_of_an_image_follow_each_other_whatever_their_tags(kind: str, name: str, told: str) -> None:
    assert followed(Target(kind, name)) == told
