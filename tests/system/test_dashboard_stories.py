"""The stories of people and their hosts, from login to the answer, each by mouse and by keyboard alone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.system.commands import CommandError, run_in_root
from tests.system.fleet import SHOP_ENVIRONMENT, Fleet, Host
from tests.system.hands import Hand
from tests.system.installs import lent
from tests.system.roots import Roots, copy_root
from tests.system.serving import Served
from tests.system.wheels import Wheels
from tests.system.workspaces import workspace

pytestmark = [
    pytest.mark.system,
    pytest.mark.browser,
    pytest.mark.parametrize("server", ["sqlite"], indirect=True),
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def compare(hand: Hand, left: str, right: str) -> None:
    """Hold one against the other, from wherever one is."""
    hand.go("Compare")
    hand.write("A, on the left", left)
    hand.write("B, on the right", right)
    hand.press("Compare")


def test_what_works_on_dev_and_fails_on_prod_is_traced_to_the_culprit_and_undone(
    hand: Hand, fleet: Fleet, cached: tuple[Roots, Wheels]
) -> None:
    invoice = (f"{SHOP_ENVIRONMENT}/bin/python", "-c", "import tabulate; print(tabulate.tabulate([['total', 3]]))")
    assert "total" in run_in_root(fleet.dev.root, *invoice)
    with pytest.raises(CommandError) as failure:
        run_in_root(fleet.prod.root, *invoice)
    hand.log_in("olga")
    compare(hand, "env:dev", "env:prod")
    hand.unfold("Tell what the failing run printed")
    hand.write("A traceback or the end of a log", str(failure.value))
    hand.press("Rank again")
    expect(hand.content.locator(".causes strong").first).to_contain_text("1. tabulate")
    [step] = hand.content.get_by_role("region", name="To undo cause 1").inner_text().splitlines()
    assert step == f"{SHOP_ENVIRONMENT}/bin/python -m pip install tabulate==0.9.0"
    with workspace("undone") as home:
        undone = copy_root(fleet.prod.root, home / "prod")
        with lent(undone, cached[1].python_3_11) as wheels:
            run_in_root(undone, "env", "PIP_NO_INDEX=1", f"PIP_FIND_LINKS={wheels}", "sh", "-ec", step)
        assert "total" in run_in_root(undone, *invoice)


def test_a_difference_is_ignored_with_a_reason_and_an_end_and_counts_again(
    hand: Hand, server: Served, fleet: Fleet
) -> None:
    trial = f"trial-{hand.name}"
    server.join(Host(trial, trial, fleet.dev.root, None))
    end = datetime.now(UTC) + timedelta(days=30)
    hand.log_in("olga")
    compare(hand, "env:prod", f"env:{trial}")
    hand.follow("Expected? idna")
    expect(hand.content.get_by_text("In the comparison that you come from it hides 1 of")).to_be_visible()
    hand.write("Reason", "the resolver is tried out here")
    hand.date("Ends on", end.date())
    hand.press("Make the rule")
    expect(hand.row("idna")).to_have_count(0)
    hand.unfold("the resolver is tried out here")
    hand.follow("The rule, and how to take it back")
    expect(hand.content.locator(f"time[datetime^='{end:%Y-%m-%d}']")).to_be_visible()
    hand.follow("Take it back")
    hand.press("Take it back")
    compare(hand, "env:prod", f"env:{trial}")
    expect(hand.row("idna")).to_contain_text("3.7")


def test_a_baseline_is_proposed_looked_at_and_approved_and_hosts_are_held_against_it(
    hand: Hand, server: Served, fleet: Fleet
) -> None:
    golden, web, name = f"golden-{hand.name}", f"web-{hand.name}", f"release-{hand.name}"
    server.join(Host(golden, golden, fleet.prod.root, None))
    server.join(Host(web, web, fleet.dev.root, None))
    hand.log_in("olga")
    hand.go("Baselines")
    form = hand.content.get_by_role("region", name="Propose a version")
    hand.write("Name", name, form)
    hand.write("What is right", f"host:{golden}", form)
    hand.write("For the hosts of", f"env:{web}", form)
    hand.write("Reason", "it passed its tests", form)
    hand.press("Propose", form)
    expect(hand.content).to_contain_text("no version is approved: its hosts are held against their peers")
    hand.press("Compare")
    expect(hand.row("idna")).to_contain_text("3.7 → 3.4")
    hand.go("Baselines")
    hand.pick(name)
    hand.press("Approve version 1")
    expect(hand.content).to_contain_text("version 1 is the reference")
    expect(hand.row("approved")).to_contain_text("approved by person:olga")
    server.run_job("evaluate")
    hand.go("Hosts")
    hand.pick(web)
    expect(hand.content.get_by_text("in drift")).to_be_visible()
    hand.follow(re.compile("idna 3.4, not 3.7"), hand.content.get_by_role("region", name="Open drifts"))
    expect(hand.content).to_contain_text(f"compared with baseline:{name}")
    decide = hand.content.get_by_role("region", name="Decide")
    hand.write("Why", "rolled back tonight", decide)
    hand.press("Acknowledge", decide)
    expect(hand.content.get_by_role("status")).to_have_text("Acknowledged by person:olga: rolled back tonight")


def test_who_has_this_openssl_is_told_by_a_search(hand: Hand, fleet: Fleet) -> None:
    asked = ("dpkg-query", "--show", "--showformat", "${Version}", "openssl")
    old, new = (run_in_root(host.root, *asked) for host in (fleet.bullseye, fleet.prod))
    hand.log_in("olga")
    hand.search("ssl")
    hand.pick("openssl OS packages")
    holders = hand.content.get_by_role("region", name="Who has it")
    expect(holders).to_contain_text(old)
    expect(holders).to_contain_text(new)
    hand.follow(old, hand.content.get_by_role("region", name="Versions in use"))
    expect(holders).not_to_contain_text(new)
    hand.follow("bullseye", holders)
    expect(hand.content.get_by_role("heading", name="bullseye", exact=True)).to_be_visible()


def test_a_container_that_was_patched_by_hand_is_found_with_what_was_put_in(hand: Hand) -> None:
    hand.log_in("olga")
    hand.go("Images")
    hand.choose("Only", "changed in place")
    hand.press("Filter")
    patched = hand.content.get_by_role("cell").filter(has_text="patched in place")
    expect(patched).to_contain_text("dev, worker")
    hand.follow("compare dev and prod", patched)
    expect(hand.row("six")).to_contain_text("only left: 1.17.0, added in the left container")
    expect(hand.content.get_by_role("link", name="Expected?")).to_have_count(1)


def test_a_tag_that_was_moved_is_told_of_the_containers_that_stayed(hand: Hand, server: Served) -> None:
    server.run_job("tags")
    hand.log_in("olga")
    hand.go("Images")
    hand.choose("Only", "tag moved, container did not")
    hand.press("Filter")
    rows = hand.content.locator("tbody tr")
    stayed, followed = rows.filter(has_text="twin"), rows.filter(has_text="what the tag points at")
    expect(stayed).to_contain_text("prod, web")
    expect(stayed).to_contain_text("tag moved, container did not")
    expect(followed).to_contain_text("dev, web")
    hand.follow("compare prod and dev", followed)
    expect(hand.row("image")).to_contain_text("another image")
