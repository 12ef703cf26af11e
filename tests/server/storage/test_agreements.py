"""Tests that what hosts agree on is remembered as long as they run the same, and not longer."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from envparity_agent.fingerprint import Fingerprint, FingerprintLike
from envparity_server.references import resolve
from envparity_server.storage.database import reading, writing
from tests.server.fleet import known, report, reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages

NOW = datetime.now(UTC)
SHOP = "python/srv/shop"


def running(idna: str) -> Fingerprint:
    """A host with one distribution."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": idna}))


def agreed(engine: Engine, text: str, moment: datetime = NOW) -> FingerprintLike:
    """What the hosts of a selector agree on."""
    with reading(engine) as connection:
        return resolve(connection, text, moment).fingerprint


def idna(found: FingerprintLike) -> object:
    """The version in it."""
    return found.sections[SHOP].items["idna"].get("version")


def fill(engine: Engine, version: str) -> list[str]:
    """Three hosts that run the same; their ids."""
    with writing(engine) as connection:
        return [reported(connection, f"web-{number}", running(version), NOW, "prod").id for number in range(3)]


def test_votes_are_not_counted_again_while_all_run_the_same(sqlite: Engine) -> None:
    fill(sqlite, "3.3")
    first, second = agreed(sqlite, "env:prod"), agreed(sqlite, "env:prod")
    assert first.sections[SHOP] is second.sections[SHOP]


def test_votes_are_counted_again_where_a_host_runs_something_else(sqlite: Engine) -> None:
    ids = fill(sqlite, "3.4")
    assert idna(agreed(sqlite, "env:prod")) == "3.4"
    later = NOW + timedelta(minutes=10)
    with writing(sqlite) as connection:
        for id in ids[:2]:
            report(connection, known(connection, id), running("3.7"), later)
    assert idna(agreed(sqlite, "env:prod", later)) == "3.7"
    assert idna(agreed(sqlite, f"env:prod@{NOW.isoformat()}", later)) == "3.4"


def test_what_is_remembered_says_when_it_was_taken_last(sqlite: Engine) -> None:
    ids = fill(sqlite, "3.5")
    first = agreed(sqlite, "env:prod")
    later = NOW + timedelta(minutes=10)
    with writing(sqlite) as connection:
        report(connection, known(connection, ids[0]), running("3.5"), later, taken_at=later.isoformat())
    second = agreed(sqlite, "env:prod", later)
    assert second.taken_at == later.isoformat() > first.taken_at
    assert first.sections[SHOP] is second.sections[SHOP]


def test_other_hosts_of_one_environment_are_counted_for_themselves(sqlite: Engine) -> None:
    with writing(sqlite) as connection:
        for number, role in enumerate(("web", "web", "db", "db", "db")):
            fingerprint = running("3.6" if role == "web" else "3.8")
            reported(connection, f"{role}-{number}", fingerprint, NOW, "prod", {"role": role})
    found = [idna(agreed(sqlite, text)) for text in ("env:prod", "env:prod,role=web", "env:prod,role=db")]
    assert found == ["3.8", "3.6", "3.8"]
