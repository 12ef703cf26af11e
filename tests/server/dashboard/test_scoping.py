"""Tests that a page shows nothing of an environment that the person does not see."""

from datetime import UTC, datetime

import pytest

from envparity_server.storage import hosts
from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.fleet import reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages

RUNNING = host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": "3.7"}))


@pytest.fixture
def fleet(pages: Asking) -> dict[str, hosts.Host]:
    """A host of each of two environments."""
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        return {
            "dev": reported(connection, "seen-1", RUNNING, now, "dev"),
            "vault": reported(connection, "secret-1", RUNNING, now, "vault"),
        }


@pytest.fixture
def ada(pages: Asking) -> Asking:
    """Somebody who sees dev only."""
    return pages.as_person("ada", Role.ADMIN, frozenset({"dev"}))


@pytest.mark.parametrize(
    "address", ["/hosts", "/hosts?q=secret", "/compare", "/compare?left=env:dev&right=host:seen-1"]
)
def test_a_page_names_no_host_and_no_environment_of_others(
    fleet: dict[str, hosts.Host], ada: Asking, pages: Asking, address: str
) -> None:
    text = ada.get(address).text
    assert "secret-1" not in text
    assert "env:vault" not in text
    assert fleet["vault"].id not in text
    assert "secret-1" in pages.get(address).text or "right=" in address


def test_the_hosts_are_counted_as_they_are_seen(fleet: dict[str, hosts.Host], ada: Asking) -> None:
    assert len(fleet) == 2
    assert "all 1 not compared 1 Host" in seen(ada.get("/hosts")).text


@pytest.mark.parametrize("path", ["/hosts/{id}", "/hosts/{id}/fingerprint.json"])
def test_the_page_of_a_host_of_others_is_not_there(fleet: dict[str, hosts.Host], ada: Asking, path: str) -> None:
    hidden, nowhere = (ada.get(path.replace("{id}", one)) for one in (fleet["vault"].id, "0" * 16))
    assert (hidden.status_code, nowhere.status_code) == (404, 404)
    assert hidden.text.replace(fleet["vault"].id, "X") == nowhere.text.replace("0" * 16, "X")
    assert ada.get(path.replace("{id}", fleet["dev"].id)).status_code == 200


@pytest.mark.parametrize("selector", ["env:vault", "host:secret-1", "env:vault,role=web", "host:secret-1@yesterday"])
def test_what_is_compared_is_what_is_seen(fleet: dict[str, hosts.Host], ada: Asking, selector: str) -> None:
    assert len(fleet) == 2
    answer = ada.get("/compare", left="env:dev", right=selector)
    nowhere = ada.get("/compare", left="env:dev", right=selector.replace("vault", "nope").replace("secret-1", "nope"))
    assert (answer.status_code, nowhere.status_code) in ((422, 422), (424, 424))
    assert "idna" not in answer.text


def test_the_api_resolves_what_is_seen(fleet: dict[str, hosts.Host], pages: Asking) -> None:
    assert len(fleet) == 2
    for role, path, query in (
        ("viewer", "/api/v1/fingerprints", {"of": "env:vault"}),
        ("viewer", "/api/v1/fingerprints", {"of": "host:secret-1"}),
        ("viewer", "/api/v1/compare", {"left": "env:dev", "right": "env:vault"}),
    ):
        assert pages.as_role(role).get(path, **query).status_code == 200
        scoped = pages.as_role(role, frozenset({"dev"})).get(path, **query)
        assert scoped.status_code in (422, 424)
        assert scoped.json()["advice"] in ("known hosts: seen-1", "known environments: env:dev")
    gate = {"fingerprint": RUNNING.document(), "against": "env:vault"}
    told = [
        pages.as_role("ci", scope).ask("POST", "/api/v1/gates", json=gate)
        for scope in (None, frozenset({"vault"}), frozenset({"dev"}))
    ]
    assert [one.json().get("verdict") for one in told] == ["parity", "parity", None]
    assert (told[-1].status_code, told[-1].json()["advice"]) == (422, "known environments: env:dev")
