"""The stories of how hosts and people get in, each by mouse and by keyboard alone: what the pages show is done."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.forking import Ended
from tests.system.commands import run
from tests.system.fleet import Fleet, Host
from tests.system.hands import PASSWORD, Hand, Kind, visit
from tests.system.serving import Served, envparity, served
from tests.system.workspaces import workspace

pytestmark = [
    pytest.mark.system,
    pytest.mark.browser,
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ON_SQLITE = pytest.mark.parametrize("server", ["sqlite"], indirect=True)
INSTALLED = "/opt/envparity"


@pytest.fixture
def fresh() -> Iterator[Served]:
    """A server that nobody has used yet."""
    with workspace("fresh") as home, served(home, f"sqlite:///{home / 'server.db'}") as running:
        yield running


@pytest.fixture
def newcomer(kind: Kind, browser: Browser, fresh: Served) -> Iterator[Hand]:
    """The hand of the first person who comes to a server."""
    with visit(browser, fresh.address, kind) as hand:
        yield hand


def do_as_shown(shown: str, server: Served, host: Host) -> list[Ended]:
    """Run the commands of the page Add host, for a host that lies in a directory and reports once."""
    making, installing, *commands = shown.replace("/root/", f"{server.home}/").splitlines()
    assert making == f"python3 -m venv {INSTALLED}"
    assert installing == f"{INSTALLED}/bin/pip install envparity"
    ended = []
    for command in commands:
        program, *words = shlex.split(command)
        if program != f"{INSTALLED}/bin/envparity":
            run("sh", "-ec", command)
            continue
        here: list[str | Path] = ["--state", server.state(host)]
        if "enroll" in words:
            here += ["--root", host.root, "--name", host.name]
        once = ["once" if word == "run" else word for word in words]
        ended.append(envparity(*once, *here, environment=server.keyed))
    return ended


def arrive(shown: str, server: Served, host: Host) -> None:
    """Have a host come by the commands of the page."""
    for ended in do_as_shown(shown, server, host):
        assert ended.exit_code == 0, ended.complaint


def test_from_the_first_run_to_the_first_drift(newcomer: Hand, fresh: Served, fleet: Fleet) -> None:
    hand, page = newcomer, newcomer.content
    hand.come()
    hand.write("One-time code", fresh.login())
    hand.press("Log in with the code")
    hand.write("Name", "ada")
    hand.write("Password, of at least 12 characters", PASSWORD)
    hand.write("The same again", PASSWORD)
    hand.press("Make the administrator")
    hand.follow("Add a host")
    hand.write("Environment", "prod")
    hand.write("Hosts that may enrol by it", "2")
    hand.press("Make the token")
    shown = page.get_by_label("Commands").inner_text()
    expect(page.get_by_text("waiting for the first one")).to_be_visible()
    arrive(shown, fresh, Host("web-1", "prod", fleet.prod.root, None))
    expect(hand.row("web-1")).to_contain_text("here: ", timeout=20_000)
    arrive(shown, fresh, Host("web-2", "prod", fleet.dev.root, None))
    hand.go("Baselines")
    form = page.get_by_role("region", name="Propose a version")
    hand.write("Name", "as-tested", form)
    hand.write("What is right", "host:web-1", form)
    hand.write("For the hosts of", "env:prod", form)
    hand.write("Reason", "it passed its tests", form)
    hand.press("Propose", form)
    hand.press("Approve version 1")
    hand.go("Overview")
    expect(hand.row("prod")).to_contain_text("0 of 2")
    fresh.run_job("evaluate")
    expect(hand.row("prod")).to_contain_text("1 of 2", timeout=20_000)
    hand.follow("1 high", hand.row("prod"))
    hand.pick(re.compile("idna 3.4, not 3.7"))
    hand.follow("Compare, with likely causes")
    expect(hand.row("idna")).to_contain_text("3.4 → 3.7")


@ON_SQLITE
def test_a_token_lets_a_new_host_in_and_no_other_once_it_is_revoked(hand: Hand, server: Served, fleet: Fleet) -> None:
    page, name = hand.content, f"new-{hand.name}"
    hand.log_in("ada")
    hand.go("Hosts")
    hand.follow("Add host")
    hand.write("Environment", name)
    hand.write("Hosts that may enrol by it", "2")
    hand.write("Labels may stay empty", "role=web")
    hand.press("Make the token")
    shown = page.get_by_label("Commands").inner_text()
    arrive(shown, server, Host(name, name, fleet.prod.root, None))
    hand.go("Hosts")
    hand.pick(name)
    expect(page.get_by_text("role=web")).to_be_visible()
    hand.go("Admin")
    hand.go("Tokens", "Admin")
    token = page.get_by_role("row").filter(has_text=name)
    expect(token).to_contain_text("valid")
    identity = token.get_by_role("rowheader").inner_text()
    hand.press(f"Revoke the token {identity}")
    expect(token).to_contain_text("revoked")
    refused, _ = do_as_shown(shown, server, Host(f"other-{hand.name}", name, fleet.prod.root, None))
    assert refused.exit_code != 0
    assert "token" in refused.complaint


@ON_SQLITE
def test_a_viewer_cannot_decide_and_an_operator_can(hand: Hand, server: Served, fleet: Fleet) -> None:
    page, place = hand.content, f"staff-{hand.name}"
    server.join(Host(place, place, fleet.prod.root, None))
    hand.log_in("vera")
    hand.go("Hosts")
    hand.pick(place)
    expect(page.get_by_role("heading", name="What it runs on")).to_be_visible()
    expect(page.get_by_label("Labels")).to_have_count(0)
    hand.come("/rules/new")
    expect(page).to_contain_text("the role viewer may not do this")
    refused = [hand.watched.complaints.pop() for _ in ("the answer", "the browser's word on it")]
    assert all("403" in one for one in refused)
    hand.log_out()
    hand.log_in("olga")
    hand.go("Hosts")
    hand.pick(place)
    hand.write("Labels", "role=web")
    hand.press("Save")
    expect(page.get_by_text("role=web", exact=True)).to_be_visible()
