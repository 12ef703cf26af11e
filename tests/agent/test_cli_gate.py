"""Checks that a gate exits by the server's verdict, and by none where there is no verdict."""

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
