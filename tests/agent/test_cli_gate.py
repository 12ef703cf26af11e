"""Checks that a gate exits by the server's verdict, and by none where there is no verdict."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.agent.commands import envparity
from tests.agent.serving import answering
from tests.agent.trees import distribution, venv

DIFFERENCE = {"section": "python/app", "item": "idna", "severity": "high", "state": "changed", "words": "3.4 -> 3.7"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    distribution(venv(tmp_path, "shop"), "idna", "3.4")
    return tmp_path / "shop"


def gate(shop: Path, status: int, verdict: Any, *more: str) -> Any:
    with answering(lambda *_: (status, verdict)) as server:
        ended = envparity(
            *("gate", "--against", "env:prod", "--target", str(shop), "--server", server.url, *more),
            ENVPARITY_TOKEN="secret",  # noqa: S106
        )
    assert [path for path, _ in server.requests] == ["/api/v1/gates"]
    assert "Traceback" not in ended.stderr
    return ended


def test_the_project_s_rules_go_with_the_question_and_what_they_expect_is_told(shop: Path) -> None:
    file = shop.parent / "ours.toml"
    file.write_text('[[rule]]\nmatch = "os"\nreason = "why"\nexpires = 2037-03-01\n[severity]\n"os" = "low"\n')
    answer = {
        "verdict": "parity", "summary": "in short; 4 expected", "differences": [], "reasons": [],
        "rules": [{"rule": "3f2a9c0d1e5b7a86", "reason": "why", "expected": 4}], "remarks": ["one has expired"],
    }  # fmt: skip
    with answering(lambda *_: (200, answer)) as server:
        ended = envparity(
            *("gate", "--against", "env:prod", "--target", str(shop), "--server", server.url, "--rules", str(file)),
            ENVPARITY_TOKEN="secret",  # noqa: S106
        )
    ((_, body),) = server.requests
    question = json.loads(body)
    assert question["rules"] == [
        {
            "match": "os", "hosts": "", "reason": "why", "owner": "", "expires": "2037-03-01T00:00:00+00:00",
            "severity": None,
        }
    ]  # fmt: skip
    assert question["severity"] == [{"match": "os", "severity": "low"}]
    assert "expected: 4 by the rule 3f2a9c0d1e5b7a86: why" in ended.stdout
    assert "one has expired" in ended.stdout


def test_a_wrong_project_file_is_told_before_anything_is_asked(shop: Path) -> None:
    file = shop.parent / "ours.toml"
    file.write_text('[[rule]]\nmatch = "os"\n')
    with answering(lambda *_: (200, {})) as server:
        ended = envparity(
            *("gate", "--against", "env:prod", "--target", str(shop), "--server", server.url, "--rules", str(file)),
            ENVPARITY_TOKEN="secret",  # noqa: S106
        )
    assert (ended.returncode, server.requests) == (2, [])
    assert "ours.toml, line 1: the rule has no reason" in ended.stderr


@pytest.mark.parametrize(("verdict", "code"), [("parity", 0), ("drift", 1), ("unknown", 3)])
def test_the_verdict_is_the_exit_code(shop: Path, verdict: str, code: int) -> None:
    answer = {"verdict": verdict, "summary": "in short", "differences": [DIFFERENCE], "reasons": ["web-3 is stale"]}
    ended = gate(shop, 200, answer)
    assert ended.returncode == code
    assert f"{verdict}: in short" in ended.stdout
    assert "python/app idna: 3.4 -> 3.7" in ended.stdout
    assert "web-3 is stale" in ended.stdout


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (200, {}, 3),
        (200, {"verdict": ["parity"]}, 3),
        (200, {"verdict": "parity"}, 0),
        (200, [], 3),
        (500, {"detail": "no"}, 3),
        (404, {"detail": "no such environment"}, 2),
    ],
    ids=str,
)
def test_what_is_no_verdict_never_passes(shop: Path, status: int, answer: Any, code: int) -> None:
    assert gate(shop, status, answer, "--json").returncode == code
