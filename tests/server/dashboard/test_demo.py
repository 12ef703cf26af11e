"""Tests of the demo fleet: it has something to say, is marked as what it is, and goes without a trace."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select

from envparity_server.demo.fleet import AGAINST, FLEET, RECORDED, states
from envparity_server.demo.loading import is_loaded, load, remove
from envparity_server.storage import audit, drifts, hosts
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tables import (
    change,
    drift,
    drift_item,
    evaluated,
    history,
    section_history,
)
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.fleet import reported
from tests.server.making import OPERATING_SYSTEM, SEARCHED
from tests.server.making import host as fingerprint

LOCAL = Actor("local:tests", Role.ADMIN)
OWN = "The hosts in demo-dev, demo-test and demo-prod are demo data"


def test_what_was_recorded_names_no_machine_and_is_small() -> None:
    assert RECORDED.stat().st_size < 200_000
    assert {state for one in FLEET for state in one.story.values()} == set(states())
    for one in states().values():
        assert (dict(one.identity), dict(one.observed), one.target.name) == ({}, {}, "demo")
        assert ".cache" not in str(one.document())


def test_it_comes_with_days_of_changes_and_drifts_and_goes_without_a_trace(database: Engine) -> None:
    now = datetime.now(UTC)
    with writing(database) as connection:
        kept = reported(connection, "web-1", fingerprint(OPERATING_SYSTEM, SEARCHED), now, "prod")
        load(connection, LOCAL, now)
        load(connection, LOCAL, now)
    with reading(database) as connection:
        assert is_loaded(connection)
        assert [one.state(now) for one in hosts.all_hosts(connection)] == ["fresh"] * (len(FLEET) + 1)
        assert set(AGAINST) < set(hosts.environments(connection))
        changed = set(connection.scalars(select(change.c.item)))
        assert {"idna", "markupsafe"} <= changed
        found = [one for name in AGAINST for one in drifts.open_in(connection, name)]
        assert {"demo-dev", "demo-test", "demo-prod"} == {one.environment for one in found}
    with writing(database) as connection:
        remove(connection, LOCAL, now)
        remove(connection, LOCAL, now)
    with reading(database) as connection:
        assert hosts.all_hosts(connection) == [kept]
        assert hosts.environments(connection) == ["prod"]
        left = {
            one.name: connection.scalar(select(func.count()).select_from(one)) for one in (change, drift, drift_item)
        }
        assert left == {"change": 0, "drift": 0, "drift_item": 0}
        for one in (history, section_history):
            assert set(connection.scalars(select(one.c.host_id))) == {kept.id}
        assert not connection.scalars(select(evaluated.c.subject)).all()
        assert [one.action for one in audit.entries(connection)] == ["demo.remove", "demo.load"]


def test_a_host_that_somebody_enrolled_there_stays(sqlite: Engine) -> None:
    now = datetime.now(UTC)
    with writing(sqlite) as connection:
        load(connection, LOCAL, now)
        reported(connection, "mine", fingerprint(OPERATING_SYSTEM), now, "demo-dev")
        remove(connection, LOCAL, now)
        assert [one.name for one in hosts.all_hosts(connection)] == ["mine"]
        assert hosts.environments(connection) == ["demo-dev"]


def test_one_click_loads_it_and_one_removes_it_and_every_page_says_so_meanwhile(pages: Asking) -> None:
    assert OWN not in seen(pages.get("/hosts")).text
    assert pages.ask("POST", "/demo").headers["location"] == "/"
    for path in ("/hosts", "/gates", "/account", "/admin"):
        page = seen(pages.get(path))
        assert OWN in page.text
        assert "/demo/remove" in page.values("form", "action")
    assert pages.ask("POST", "/demo/remove").status_code == 303
    assert OWN not in seen(pages.get("/hosts")).text


@pytest.mark.parametrize("path", ["/demo", "/demo/remove"])
def test_it_is_for_administrators_of_all_environments(pages: Asking, path: str) -> None:
    pages.ask("POST", "/demo")
    operator = pages.as_person("olaf", Role.OPERATOR)
    assert operator.ask("POST", path).status_code == 403
    assert pages.as_person("ada", Role.ADMIN, frozenset({"demo-dev"})).ask("POST", path).status_code == 403
    page = seen(operator.get("/hosts"))
    assert (OWN in page.text, "/demo/remove" in page.values("form", "action")) == (True, False)
    assert OWN not in seen(pages.as_person("eve", Role.VIEWER, frozenset({"prod"})).get("/hosts")).text
