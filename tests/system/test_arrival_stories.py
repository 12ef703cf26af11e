"""The stories of how hosts and people get in, each by mouse and by keyboard alone: what the pages show is done."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.forking import PROGRAM
from tests.system.commands import CommandError, run
from tests.system.fleet import Fleet, Host
from tests.system.hands import PASSWORD, Hand, Kind, visit
from tests.system.serving import Served, served
from tests.system.workspaces import workspace

pytestmark = [
    pytest.mark.system,
    pytest.mark.browser,
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ON_SQLITE = pytest.mark.parametrize("server", ["sqlite"], indirect=True)
INSTALLED = "/opt/envparity/bin/envparity"


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


def do_as_shown(shown: str, server: Served, host: Host) -> None:
    """Run the commands of the page Add host, for a host that lies in a directory and reports once."""
    installing, commands = shown.split(f"{INSTALLED.rpartition('/')[0]}/pip install envparity\n")
    assert installing == "python3 -m venv /opt/envparity\n"
    state = f"--state {server.state(host)}"
    for given, here in (
        ("agent enroll", f"agent enroll --root {host.root} --name {host.name} {state}"),
        ("agent run", f"agent once {state}"),
        ("/root/", f"{server.home}/"),
        (INSTALLED, str(PROGRAM)),
    ):
        assert given in commands
        commands = commands.replace(given, here)
    run("sh", "-ec", commands, environment={"PATH": "/usr/bin:/bin", **server.keyed})


def test_from_the_first_run_to_the_first_drift(newcomer: Hand, fresh: Served, fleet: Fleet) -> None:
    hand, page = newcomer, newcomer.page
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
    do_as_shown(shown, fresh, Host("web-1", "prod", fleet.prod.root, None))
    first = hand.row("web-1")
    expect(first).to_contain_text("here: ", timeout=20_000)
    do_as_shown(shown, fresh, Host("web-2", "prod", fleet.dev.root, None))
    expect(hand.row("web-2")).to_contain_text("here: ", timeout=20_000)
    hand.go("Baselines")
    form = hand.content.get_by_role("region", name="Propose a version")
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
    hand.follow("1", hand.row("prod").get_by_role("cell").nth(0))


@ON_SQLITE
def test_a_token_lets_a_new_host_in_and_no_other_once_it_is_revoked(hand: Hand, server: Served, fleet: Fleet) -> None:
    page, name = hand.page, f"new-{hand.name}"
    hand.log_in("admin")
    hand.go("Hosts")
    hand.follow("Add host")
    hand.write("Environment", name)
    hand.write("Hosts that may enrol by it", "2")
    hand.write("Labels may stay empty", "role=web")
    hand.press("Make the token")
    shown = page.get_by_label("Commands").inner_text()
    do_as_shown(shown, server, Host(name, name, fleet.prod.root, None))
    expect(hand.row(name)).to_contain_text("here: ", timeout=20_000)
    hand.follow(name)
    expect(page.get_by_text("role=web")).to_be_visible()
    hand.go("Admin")
    hand.go("Tokens", "Admin")
    token = page.get_by_role("row").filter(has_text=name)
    expect(token).to_contain_text("valid")
    identity = token.get_by_role("rowheader").inner_text()
    hand.press(f"Revoke the token {identity}")
    expect(token).to_contain_text("revoked")
    with pytest.raises(CommandError, match="token"):
        do_as_shown(shown, server, Host(f"other-{hand.name}", name, fleet.prod.root, None))


@ON_SQLITE
def test_a_viewer_cannot_decide_and_an_operator_can(hand: Hand, server: Served, fleet: Fleet) -> None:
    page, place = hand.page, f"staff-{hand.name}"
    server.join(Host(place, place, fleet.prod.root, None))
    hand.log_in("admin")
    hand.go("Admin")
    hand.go("People", "Admin")
    for role in ("viewer", "operator"):
        form = page.get_by_role("form", name="Add a person")
        hand.write("Name", f"{role}-{hand.name}", form)
        hand.choose("Role", role, form)
        hand.write("Environments", place, form)
        hand.write("Password", PASSWORD, form)
        hand.press("Add", form)
    hand.log_out()
    hand.log_in(f"viewer-{hand.name}")
    hand.go("Hosts")
    hand.pick(place)
    expect(page.get_by_role("heading", name="What it runs on")).to_be_visible()
    expect(page.get_by_label("Labels")).to_have_count(0)
    hand.go("Rules")
    hand.log_out()
    hand.log_in(f"operator-{hand.name}")
    hand.go("Hosts")
    hand.pick(place)
    hand.write("Labels", "role=web")
    hand.press("Save")
    expect(page.get_by_text("role=web").first).to_be_visible()
