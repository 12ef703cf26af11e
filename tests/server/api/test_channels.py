"""Tests of the channels' API: who may, what is shown, what is refused, and a test that really arrives."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from envparity_server.app import create_app
from envparity_server.notify.queue import enqueue
from envparity_server.settings import ServerSettings
from envparity_server.storage import access, audit, channels
from envparity_server.storage.database import reading, writing
from tests.server.asking import Asking
from tests.server.making import NOON
from tests.server.notify.drifting import Moved, channel_in, drift_in
from tests.server.notify.receivers import http_receiver

PATH = "/api/v1/channels"
NEW = {"name": "ops", "kind": "webhook", "address": "http://127.0.0.2:9/secret-part", "hosts": "env:prod"}
SETTINGS = ServerSettings.model_construct(webhook_networks=(ip_network("127.0.0.0/8"),), public_url="https://e.example")


@pytest.fixture
def local(database: Engine) -> Asking:
    """The application, which may send to this machine, asked by an admin."""
    return Asking(create_app(database, SETTINGS), database).as_role("admin")


def scoped(api: Asking, *environments: str) -> Asking:
    with writing(api.engine) as connection:
        token = access.make_access_token(
            connection, "admin", "tests", timedelta(days=1), datetime.now(UTC), environments=frozenset(environments)
        )
    return api.bearing(token)


def add(api: Asking, **changed: Any) -> httpx.Response:
    return api.ask("POST", PATH, json={**NEW, **changed})


def test_a_channel_is_added_shown_changed_and_removed(local: Asking) -> None:
    added = add(local)
    assert added.status_code == 201, added.text
    secret = added.json().pop("secret")
    assert secret.startswith("eps_")
    shown = local.get(f"{PATH}/ops").json()
    assert shown == {key: value for key, value in added.json().items() if key != "secret"}
    assert (shown["address"], shown["hosts"], shown["severity"]) == ("http://127.0.0.2:9/…", "env:prod", "medium")
    changed = local.ask("PATCH", f"{PATH}/ops", json={"severity": "critical", "enabled": False, "hosts": ""})
    assert (changed.json()["severity"], changed.json()["enabled"], changed.json()["hosts"]) == ("critical", False, "")
    assert local.get(PATH).json() == {"channels": [changed.json()], "total": 1}
    assert local.ask("DELETE", f"{PATH}/ops").json() == changed.json()
    assert local.get(PATH).json() == {"channels": [], "total": 0}
    with reading(local.engine) as connection:
        entries = audit.entries(connection)
    assert [one.action for one in entries] == ["channel.remove", "channel.change", "channel.add"]
    assert "secret-part" not in str(entries)
    assert secret not in str(entries)


def test_addresses_and_secrets_are_never_shown(local: Asking) -> None:
    secret = add(local).json()["secret"]
    for path in (PATH, f"{PATH}/ops", "/api/v1/deliveries"):
        assert "secret-part" not in local.get(path).text
        assert secret not in local.get(path).text


def test_a_name_is_taken_once(local: Asking) -> None:
    assert add(local).status_code == 201
    assert add(local).status_code == 409


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "carrier-pigeon"}, {"address": "file:///etc/passwd"}, {"address": "http://10.0.0.1/"},
        {"hosts": "host:web-1"}, {"hosts": "prod"}, {"hosts": "baseline:shop"}, {"severity": "loud"},
        {"name": ""}, {"name": "a b"},
        {"name": "x" * 64}, {"address": "x" * 1025}, {"hosts": "env:a\0"}, {"more": 1}, {"name": None},
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(local: Asking, changed: dict[str, Any]) -> None:
    assert add(local, **changed).status_code == 422
    assert local.get(PATH).json()["total"] == 0


def test_a_name_without_an_address_is_a_question_without_an_answer(local: Asking) -> None:
    assert add(local, address="https://nowhere.invalid/").status_code == 424


def test_a_changed_address_is_looked_at_too(local: Asking) -> None:
    add(local)
    assert local.ask("PATCH", f"{PATH}/ops", json={"address": "http://10.0.0.1/"}).status_code == 422
    assert local.ask("PATCH", f"{PATH}/ops", json={"address": "http://127.0.0.3/"}).status_code == 200
    with reading(local.engine) as connection:
        one = channels.by_name(connection, "ops")
    assert one is not None
    assert one.address == "http://127.0.0.3/"


def test_nothing_of_this_machine_is_taken_unless_it_is_allowed(small_api: Asking) -> None:
    refused = add(small_api.as_role("admin"))
    assert refused.status_code == 422
    assert "webhook_networks" in refused.json()["advice"]


@pytest.mark.parametrize("role", ["ci", "viewer", "operator"])
def test_channels_are_for_admins(small_api: Asking, role: str) -> None:
    asking = small_api.as_role(role)
    for method, path in (("GET", PATH), ("POST", PATH), ("GET", f"{PATH}/x"), ("GET", "/api/v1/deliveries")):
        assert asking.ask(method, path).status_code == 403


@pytest.mark.parametrize(("method", "below"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test")])
@pytest.mark.parametrize("name", ["none", "global", "of-prod", "x%00y"])
def test_what_is_of_other_environments_is_as_if_it_were_not_there(
    small_api: Asking, method: str, below: str, name: str
) -> None:
    with writing(small_api.engine) as connection:
        channel_in(connection, "global")
        channel_in(connection, "of-prod", hosts="env:prod,role=web")
        channel_in(connection, "of-dev", hosts="env:dev")
    asking = scoped(small_api, "dev")
    answer = asking.ask(method, f"{PATH}/{name}{below}", **({"json": {}} if method == "PATCH" else {}))
    assert answer.status_code == 404
    assert [one["name"] for one in asking.get(PATH).json()["channels"]] == ["of-dev"]


def test_nobody_makes_a_channel_beyond_their_environments(local: Asking) -> None:
    asking = scoped(local, "dev")
    assert add(asking).status_code == 403
    for everywhere in ("", "env:*", "role=web"):
        assert add(asking, hosts=everywhere).status_code == 403
    assert add(asking, hosts="env:dev").status_code == 201
    assert asking.ask("PATCH", f"{PATH}/ops", json={"hosts": "env:prod"}).status_code == 403
    assert asking.ask("PATCH", f"{PATH}/ops", json={"hosts": ""}).status_code == 403


def test_a_test_arrives_and_its_end_is_told(local: Asking) -> None:
    with http_receiver() as receiver:
        add(local, address=receiver.url)
        assert local.ask("POST", f"{PATH}/ops/test").json() == {"delivered": True, "words": "ops got it"}
        receiver.status = 404
        words = "ops did not get it: the receiver answered 404"
        assert local.ask("POST", f"{PATH}/ops/test").json() == {"delivered": False, "words": words}
    assert b"Nothing happened" in receiver.got[0].body
    log = local.get("/api/v1/deliveries").json()
    assert [(one["event"], one["state"]) for one in log["deliveries"]] == [("test", "given up"), ("test", "delivered")]
    assert local.get("/api/v1/deliveries", state="delivered", channel="ops").json()["total"] == 1


def test_the_log_says_what_became_of_each(local: Asking) -> None:
    with writing(local.engine) as connection:
        channel_in(connection)
        channel_in(connection, "of-prod", hosts="env:prod")
        enqueue(connection, [Moved(drift_in(connection), "new")], NOON, "")
    log = local.get("/api/v1/deliveries", limit="1").json()
    assert (log["total"], len(log["deliveries"])) == (2, 1)
    assert log["deliveries"][0]["state"] == "waiting"
    assert {one["channel"] for one in scoped(local, "prod").get("/api/v1/deliveries").json()["deliveries"]} == {
        "of-prod"
    }
    local.ask("PATCH", f"{PATH}/ops", json={"enabled": False})
    (given_up,) = local.get("/api/v1/deliveries", state="given up").json()["deliveries"]
    assert (given_up["channel"], given_up["problem"]) == ("ops", "the channel was disabled")


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "1001"}, {"offset": "-1"}, {"state": "lost"}])
def test_a_wrong_page_is_refused(small_api: Asking, query: dict[str, str]) -> None:
    assert small_api.as_role("admin").get("/api/v1/deliveries", **query).status_code == 422


def test_the_schema_is_for_anybody(small_api: Asking) -> None:
    assert small_api.get("/api/v1/schemas/notification").json()["title"] == "Notification"
