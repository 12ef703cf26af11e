"""Tests that no other site can use a person's session: what changes something is asked from this server's own pages."""

import pytest

from envparity_server.storage.actors import Role
from tests.server.asking import Asking

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "something new"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://envparity.test:8080"},
    {"Origin": "http://envparity.test.evil.example"},
    {"Origin": "http://envparity.test@evil.example"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://envparity.test"},
    {"Origin": "https://envparity.test"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://ENVPARITY.test"},
]


@pytest.fixture
def admin(small_api: Asking) -> Asking:
    """A person who may do everything, with a session."""
    return small_api.as_person("ada", Role.ADMIN)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_site_changes_nothing_with_the_cookie(admin: Asking, headers: dict[str, str]) -> None:
    answer = admin.ask("PUT", "/api/v1/environments/mine", json={}, headers=headers)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert admin.ask("POST", "/logout", headers=headers).status_code == 403
    assert admin.get("/api/v1/environments").json()["total"] == 0
    assert admin.ask("GET", "/api/v1/hosts", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_the_servers_own_pages_and_programs_do(admin: Asking, headers: dict[str, str]) -> None:
    assert admin.ask("PUT", "/api/v1/environments/mine", json={}, headers=headers).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_token_is_meant_wherever_it_comes_from(small_api: Asking, headers: dict[str, str]) -> None:
    operator = small_api.as_role("operator")
    assert operator.ask("PUT", "/api/v1/environments/mine", json={}, headers=headers).status_code == 200


def test_a_header_of_a_token_lets_no_cookie_through(admin: Asking) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer x"}
    assert admin.ask("PUT", "/api/v1/environments/mine", json={}, headers=headers).status_code == 401
    assert admin.ask("POST", "/logout", headers=headers).status_code == 403


def test_a_form_is_no_body_of_the_api(admin: Asking) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        headers = {"Content-Type": content_type}
        answer = admin.ask("PUT", "/api/v1/environments/mine", content=b'{"against": null}', headers=headers)
        assert answer.status_code in (415, 422)
