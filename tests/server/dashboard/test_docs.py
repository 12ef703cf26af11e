"""Tests of the page API: only for those who are logged in, and made of this server's own files."""

import re
from pathlib import Path

import envparity_server.dashboard
from tests.server.asking import Asking

STATIC = Path(envparity_server.dashboard.__file__).parent / "static"


def test_the_page_of_the_api_needs_a_login(small_api: Asking) -> None:
    answer = small_api.get("/api/docs")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fapi%2Fdocs")


def test_a_token_is_no_login_for_the_page(small_api: Asking) -> None:
    assert small_api.as_role("admin").get("/api/docs").status_code == 303


def test_the_page_loads_scripts_and_styles_from_its_own_server_and_has_none_inline(pages: Asking) -> None:
    page = pages.get("/api/docs").text
    assert "/static/vendor/swagger-ui-bundle.js" in page
    assert all(one.startswith("/static/") for one in re.findall(r'<(?:script src|link [^>]*href)="([^"]+)"', page))
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    assert "<style" not in page
    assert " style=" not in page


def test_the_page_shows_the_document_that_the_server_has(pages: Asking) -> None:
    (address,) = re.findall(r'data-document="([^"]+)"', pages.get("/api/docs").text)
    assert pages.get(address).json()["info"]["title"] == "envparity"
    assert "https://" not in (STATIC / "docs.js").read_text("utf-8")


def test_every_page_leads_there(pages: Asking) -> None:
    assert '<a href="/api/docs">API</a>' in pages.get("/hosts").text
    assert "/api/docs" not in pages.get("/login").text
