"""Makes reports of gates and keeps them as runs, as the API does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from envparity_server.compare.model import State
from envparity_server.gating.model import Coverage, Finding, Report, Standing, Verdict
from envparity_server.storage import gate_runs
from envparity_server.storage.gate_runs import Key, Origin
from tests.server.making import NOON

SHOP = Key("acme/shop", "env:prod", "", "image shop")
MAIN = Origin("acme/shop", "main", "9fceb02d", "https://ci.example/shop/512")


def finding(item: str = "libssl3", standing: Standing = Standing.FAILS, **changed: Any) -> Finding:
    """A package whose patch version differs."""
    usual = {
        "id": f"id of {item}", "content": f"content of {item}", "section": "os-packages", "item": item,
        "attribute": "version", "state": State.CHANGED, "left": "3.0.11", "right": "3.0.15", "severity": "medium",
        "distance": "patch", "words": "3.0.15 → 3.0.11", "standing": standing,
    }  # fmt: skip
    return Finding(**{**usual, **changed})


def report(verdict: Verdict = Verdict.DRIFT, findings: Sequence[Finding] = (), **changed: Any) -> Report:
    """A report about the image shop."""
    usual = {
        "verb": "gate", "subject": "image shop", "reference": "env:prod", "verdict": verdict, "threshold": "low",
        "summary": f"a run in {verdict}", "findings": tuple(findings), "coverage": Coverage(412, 412),
    }  # fmt: skip
    return Report(**{**usual, **changed})


def kept(
    connection: Connection,
    one: Report | None = None,
    key: Key = SHOP,
    origin: Origin = MAIN,
    environments: tuple[str, ...] = ("prod",),
    at: datetime = NOON,
) -> int:
    """A run that is kept; its number."""
    return int(gate_runs.record(connection, key, origin, one or report(), "token:ci", environments, at))
