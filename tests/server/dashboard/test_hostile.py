"""Tests that hostile text is inert on every page, wherever it stands."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint, Section, Status
from envparity_server.gating.model import Place, Report, Standing, Suspected
from envparity_server.storage.database import writing
from envparity_server.storage.gate_runs import Key, Origin
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.fleet import report, reported
from tests.server.gating import running
from tests.server.making import SEARCHED, host

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</title></textarea></script><script>alert(1)</script>",
    "{{7*7}}${7*7}{% raw %}",
    "javascript:alert(1)",
    '" autofocus onfocus=alert(1) x="',
    "<!--<iframe srcdoc=x>",
]


def hostile(text: str, version: str) -> Fingerprint:
    """A fingerprint with the text in every place that an agent fills."""
    items: dict[str, Attributes] = {
        text: {"version": version, "problem": text, "tags": (text,), text: text},
        "b": {"version": f"{text}{version}"},
    }
    many = {f"{text}{number}": {"version": version} for number in range(12)}
    return host(
        SEARCHED,
        Section("os", "os", 1, {"distribution": {"name": text, "id": text, "version": version}}),
        Section(f"python/{text}", "python", 1, items),
        Section("os-packages", "os-packages", 1, many),
        Section(f"future/{text}", text, 1, {text: {text: version}}),
        Section("containers", "containers", 1, status=Status.FAILED, reasons=(text,)),
    )


def gate(text: str) -> Report:
    """A report with the text in every place that a pipeline or a host fills."""
    findings = [
        running.finding(text, standing, words=text, why=text, origin=text, section=text, place=Place(text, 1))
        for standing in Standing
    ]
    causes = (Suspected(1, text, text, (text,), (text,), text),)
    told = (text,)
    return running.report(
        findings=findings, summary=text, reasons=told, notes=told, remarks=told, causes=causes, subject=text
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_on_every_page(pages: Asking, text: str) -> None:
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        # labels and environments are checked where they come in; a page does not rely on that
        one = reported(connection, text, hostile(text, "1.0"), now - timedelta(days=2), text, {text: text})
        report(connection, one, hostile(text, "2.0"), now)
        other = reported(connection, f"{text}!", hostile(text, "3.0"), now, text, {text: text})
        run = running.kept(connection, gate(text), Key(text, text, text, text), Origin(text, text, text), (text,))
    sides = f"left=host:{one.id}&right=host:{other.id}"
    section = quote(f"python/{text}", safe="")
    shown = [
        "/hosts",
        f"/hosts/{one.id}",
        f"/hosts/{one.id}?section={section}",
        f"/hosts/{one.id}?section=os-packages",
        f"/compare?{sides}",
        f"/compare?{sides}&section={section}",
        f"/compare?{sides}&layout=side&all=1",
        f"/compare/causes?{sides}",
        f"/hosts?q={quote(text, safe='')}",
        "/compare",
        "/gates",
        f"/gates/{run}",
    ]
    echoed = [
        f"/compare?left={quote(text, safe='')}&right={quote(text, safe='')}&only={quote(text, safe='')}",
        f"/compare?left=env:{quote(text, safe='')}&right=host:{quote(text, safe='')}",
        f"/compare?left=host:{one.id}&right={quote(f'host:{other.id}#{text}', safe='')}",
        f"/hosts/{quote(text, safe='')}",
        f"/gates/{quote(text, safe='')}",
        f"/gates?repository={quote(text, safe='')}&ref={quote(text, safe='')}&verdict={quote(text, safe='')}",
        f"/nowhere/{quote(text, safe='')}",
        f"/login?next={quote(text, safe='')}",
        f"/hosts?q={quote(text * 20, safe='')}&page=x",
    ]
    for address in [*shown, *echoed]:
        answer = pages.get(address)
        assert answer.status_code < 500, address
        page = seen(answer)
        assert page.dangers() == [], address
        assert "49" not in page.text or "{{7*7}}" not in text, address
    for address in shown:
        assert " ".join(text.split()) in seen(pages.get(address)).text or address == "/compare", address
    fragment = pages.ask("GET", f"/compare?{sides}&section={section}", headers={"HX-Request": "true"})
    assert seen(fragment).dangers() == []
    assert " ".join(text.split()) in seen(fragment).text


def test_every_form_and_script_of_a_page_is_its_own_servers(pages: Asking) -> None:
    for address in ("/login", "/", "/hosts", "/compare", "/timeline", "/search", "/nowhere"):
        page = seen(pages.get(address))
        assert page.dangers() == []
        assert all(source.startswith("/static/") for source in page.values("script", "src"))
        assert len(page.values("script", "src")) == len([tag for tag, _ in page.tags if tag == "script"])


def test_every_file_that_a_page_names_is_there(pages: Asking) -> None:
    page = seen(pages.get("/hosts"))
    for address in [*page.values("script", "src"), *page.values("link", "href"), *page.values("img", "src")]:
        answer = pages.get(address)
        assert answer.status_code == 200
        assert "no-store" not in answer.headers.get("cache-control", "")
