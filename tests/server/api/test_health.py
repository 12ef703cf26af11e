"""Tests of what machines ask that watch the server: alive, ready, metrics."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, event, text

from envparity_server.app import create_app
from envparity_server.storage import health
from envparity_server.storage.database import migrate, open_database, writing
from tests.server.asking import Asking
from tests.server.making import OPERATING_SYSTEM, host, packages


def test_the_process_lives_whatever_the_database_does() -> None:
    gone = open_database("sqlite:////nowhere/at/all.db")
    answer = Asking(create_app(gone), gone).get("/livez")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_a_server_that_can_write_is_ready_and_leaves_nothing_behind(api: Asking) -> None:
    assert api.get("/readyz").json() == {"ready": True}
    assert api.as_role("viewer").get("/api/v1/environments").json()["total"] == 0


def test_without_its_database_a_server_is_not_ready() -> None:
    gone = open_database("sqlite:////nowhere/at/all.db")
    answer = Asking(create_app(gone), gone).get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert "nowhere" not in answer.text


def test_another_schema_is_not_ready(api: Asking) -> None:
    with writing(api.engine) as connection:
        number = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    answer = Asking(create_app(api.engine), api.engine).get("/readyz")
    with writing(api.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": number})
    assert (answer.status_code, "schema ffff" in answer.json()["detail"]) == (503, True)


def test_a_locked_database_is_not_ready_and_recovers(sqlite: Engine) -> None:
    event.listen(sqlite, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=50"))
    other = open_database(sqlite.url.render_as_string())
    with writing(other):
        assert Asking(create_app(sqlite), sqlite).get("/readyz").status_code == 503
    other.dispose()
    assert Asking(create_app(sqlite), sqlite).get("/readyz").status_code == 200


def test_many_who_ask_at_once_make_one_look(sqlite: Engine) -> None:
    looks: list[object] = []
    event.listen(sqlite, "rollback", looks.append)
    readiness = health.Readiness(sqlite)
    assert [readiness.problem() for _ in range(100)] == [None] * 100
    assert len(looks) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB."""
    if os.geteuid() != 0:
        pytest.skip("a disk of the test's own needs root")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", place], check=False)
    if mounted.returncode != 0:
        pytest.skip("a disk of the test's own needs the right to mount")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_told_acknowledges_nothing_and_recovers(small_disk: Path) -> None:
    engine = open_database(f"sqlite:///{small_disk / 'server.db'}")
    migrate(engine)
    asking = Asking(create_app(engine), engine)
    agent = asking.as_agent()
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(b"x" * 65536)
                file.flush()
        except OSError:
            pass
    large = host(OPERATING_SYSTEM, packages({f"package-{number}": str(number) for number in range(5000)}))
    sent = agent.upload(*large.objects().values())
    assert sent.status_code == 503
    assert "retry-after" in sent.headers
    assert Asking(create_app(engine), engine).get("/readyz").status_code == 503
    filler.unlink()
    assert Asking(create_app(engine), engine).get("/readyz").status_code == 200
    agent.deliver(large)
    engine.dispose()


def samples(asking: Asking) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels."""
    answer = asking.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (one.name, tuple(one.labels.values())): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def test_metrics_tell_what_was_done(api: Asking) -> None:
    agent, viewer = api.as_agent(), api.as_role("viewer")
    fingerprint = host(OPERATING_SYSTEM)
    agent.report(fingerprint)
    agent.deliver(fingerprint)
    agent.deliver(fingerprint)
    found = samples(viewer)
    outcomes = {labels[0]: value for (name, labels), value in found.items() if name == "envparity_reports_total"}
    assert outcomes == {"missing objects": 1, "accepted": 1, "duplicate": 1}
    assert found["envparity_objects_received_total", ()] == 2 * len(fingerprint.objects())
    assert found["envparity_hosts", ("fresh",)] == 1
    route = "/api/v1/reports/{epoch}/{seq}"
    assert found["envparity_requests_total", ("PUT", route, "200")] == 3
    assert found["envparity_request_seconds_count", (route,)] == 3
    assert found["envparity_deliveries_waiting", ()] == 0


def test_nothing_from_outside_becomes_a_label(api: Asking) -> None:
    for number in range(20):
        api.ask(f"METHOD{number}", f"/somewhere/{number}")
        api.get(f"/api/v1/hosts/{number}")
    routes = {labels for (name, labels) in samples(api.as_role("viewer")) if name == "envparity_requests_total"}
    assert routes == {("other", "-", "404"), ("GET", "/api/v1/hosts/{host_id}", "401")}


def test_metrics_are_for_whoever_may_read_everything(small_api: Asking) -> None:
    assert small_api.get("/metrics").status_code == 401
    assert small_api.as_role("ci").get("/metrics").status_code == 403
    assert small_api.as_role("viewer").get("/metrics").status_code == 200


def test_two_applications_count_for_themselves(sqlite: Engine) -> None:
    one, other = (Asking(create_app(sqlite), sqlite) for _ in range(2))
    one.get("/livez")
    name = ("envparity_requests_total", ("GET", "/livez", "200"))
    assert name in samples(one.as_role("viewer"))
    assert name not in samples(other.as_role("viewer"))
