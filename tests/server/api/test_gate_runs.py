"""Tests of the runs of gates over the API: who sees and who accepts them."""

from typing import Any

import httpx
import pytest

from envparity_agent.canonical import decode
from envparity_server.gating.model import Standing, Verdict, read_report
from envparity_server.storage import audit
from envparity_server.storage.database import reading, writing
from tests.server.asking import Asking
from tests.server.gating.running import finding, kept, report

DRIFT = report(findings=[finding(), finding("zlib1g", Standing.EXPECTED, why="by design")])


@pytest.fixture
def runs(api: Asking) -> dict[str, int]:
    """A run with drift and one in parity against prod, one that could not tell against dev."""
    with writing(api.engine) as connection:
        return {
            "drift": kept(connection, DRIFT),
            "parity": kept(connection, report(Verdict.PARITY)),
            "unknown": kept(connection, report(Verdict.UNKNOWN), environments=("dev",)),
        }


def accept(asking: Asking, id: int, **body: Any) -> httpx.Response:
    return asking.ask("POST", f"/api/v1/gate-runs/{id}/accept", json=body)


def test_runs_are_listed_and_narrowed_down(api: Asking, runs: dict[str, int]) -> None:
    viewer = api.as_role("viewer")
    for query, expected in (
        ({}, ["unknown", "parity", "drift"]), ({"verdict": "drift"}, ["drift"]), ({"ref": "v2"}, []),
        ({"repository": "acme/shop", "ref": "main", "limit": "1", "offset": "1"}, ["parity"]),
    ):  # fmt: skip
        answer = viewer.get("/api/v1/gate-runs", **query).json()
        assert [one["id"] for one in answer["runs"]] == [str(runs[name]) for name in expected]
    assert answer["total"] == 3
    assert viewer.get("/api/v1/gate-runs", verdict="green").status_code == 422


def test_a_run_is_shown_with_the_report_that_its_pipeline_got(api: Asking, runs: dict[str, int]) -> None:
    shown = api.as_role("viewer").get(f"/api/v1/gate-runs/{runs['drift']}")
    found = decode(shown.content)
    assert read_report(found["report"]) == DRIFT
    assert (found["repository"], found["ref"], found["link"]) == ("acme/shop", "main", "https://ci.example/shop/512")
    assert (found["counts"]["fails"], found["counts"]["expected"], found["accepted"]) == (1, 1, None)


def test_an_operator_accepts_a_run_with_drift_and_the_first_reason_stays(api: Asking, runs: dict[str, int]) -> None:
    operator = api.as_role("operator")
    accepted = accept(operator, runs["drift"], reason="meant").json()["accepted"]
    assert (accepted["by"], accepted["reason"]) == ("token:tests", "meant")
    again = accept(operator, runs["drift"], reason="other")  # who did not hear the answer sends it again
    assert (again.status_code, again.json()["accepted"]) == (200, accepted)
    with reading(api.engine) as connection:
        assert [one.action for one in audit.entries(connection)] == ["gate.accept"]


@pytest.mark.parametrize("name", ["parity", "unknown"])
def test_what_has_no_drift_cannot_be_accepted(api: Asking, runs: dict[str, int], name: str) -> None:
    answer = accept(api.as_role("operator"), runs[name], reason="meant")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        f"run {runs[name]} ended in {name}: there is nothing to accept",
    )


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "a\0b"}, {"reason": "x" * 1025}, {"why": "x"}])
def test_a_run_is_accepted_for_a_reason(api: Asking, runs: dict[str, int], body: dict[str, str]) -> None:
    assert accept(api.as_role("operator"), runs["drift"], **body).status_code == 422


def test_who_sees_dev_only_sees_no_run_against_prod(api: Asking, runs: dict[str, int]) -> None:
    of_dev = api.as_role("operator", frozenset({"dev"}))
    assert [one["id"] for one in of_dev.get("/api/v1/gate-runs").json()["runs"]] == [str(runs["unknown"])]
    assert of_dev.get(f"/api/v1/gate-runs/{runs['drift']}").status_code == 404
    assert accept(of_dev, runs["drift"], reason="meant").status_code == 404
