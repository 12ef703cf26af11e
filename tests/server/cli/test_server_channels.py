"""Tests of `envparity server channel`: add, list, test, deliveries, remove."""

from pathlib import Path

import pytest

from tests.forking import Ended
from tests.server.cli.running import envparity
from tests.server.notify.receivers import http_receiver


def channel(home: Path, *arguments: str, standard_input: str = "", networks: str = "") -> Ended:
    """Run a verb on the database `server.db`."""
    return envparity(
        home, "server", "channel", *arguments, standard_input=standard_input,
        ENVPARITY_DATABASE_URL=f"sqlite:///{home / 'server.db'}", ENVPARITY_WEBHOOK_NETWORKS=networks,
    )  # fmt: skip


@pytest.mark.usefixtures("sqlite_url")
def test_a_channel_is_added_tested_listed_and_removed(tmp_path: Path) -> None:
    with http_receiver() as receiver:
        added = channel(
            tmp_path, "add", "webhook", "ops", "--address-file", "-", "--severity", "high",
            standard_input=f"{receiver.url}/secret-part\n", networks="127.0.0.0/8",
        )  # fmt: skip
        assert added.exit_code == 0, added.complaint
        assert added.output.startswith("eps_")
        assert len(added.output.splitlines()) == 1
        tested = channel(tmp_path, "test", "ops", networks="127.0.0.0/8")
        assert (tested.exit_code, tested.output) == (0, "ops got it\n")
    assert len(receiver.got) == 1
    listed = channel(tmp_path, "list")
    assert listed.output.splitlines()[1].split() == ["ops", "webhook", f"{receiver.url}/…", "all", "high", "yes"]
    refused = channel(tmp_path, "test", "ops")
    assert refused.exit_code == 3
    assert "may not go to 127.0.0.1" in refused.complaint
    deliveries = channel(tmp_path, "deliveries", "--json").document
    assert deliveries["total"] == 2
    assert [one["state"] for one in deliveries["deliveries"]] == ["given up", "delivered"]
    only = channel(tmp_path, "deliveries", "--state", "delivered", "--channel", "ops")
    assert "Test of the channel ops" in only.output
    assert channel(tmp_path, "list", "--json").document["channels"][0]["address"] == f"{receiver.url}/…"
    assert channel(tmp_path, "remove", "ops").exit_code == 0
    assert "no channel" in channel(tmp_path, "list").complaint


@pytest.mark.usefixtures("sqlite_url")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "webhook", "ops", "--address-file", "missing"), "cannot read missing"),
        (("add", "webhook", "ops", "--address-file", "-"), "holds no address"),
        (("add", "webhook", "ops", "--address-file", "-", "--severity", "loud"), "is no severity"),
        (("test", "ops"), "there is no channel ops"),
        (("remove", "ops"), "there is no channel ops"),
        (("deliveries", "--channel", "ops"), "there is no channel ops"),
        (("deliveries", "--state", "lost"), "is no state"),
    ],
)
def test_what_is_wrong_is_told_in_words(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    address = "http://127.0.0.1/" if "--severity" in arguments else ""
    ended = channel(tmp_path, *arguments, standard_input=address)
    assert (ended.exit_code, ended.output) == (2, "")
    assert said in ended.complaint
    assert "Traceback" not in ended.complaint


@pytest.mark.usefixtures("sqlite_url")
def test_an_address_that_is_refused_is_told_with_the_setting(tmp_path: Path) -> None:
    ended = channel(tmp_path, "add", "webhook", "ops", "--address-file", "-", standard_input="http://127.0.0.1/")
    assert ended.exit_code == 2
    assert "webhook_networks" in ended.complaint
