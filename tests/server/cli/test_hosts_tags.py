"""Tests of the verb that tells where tags point."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from envparity_agent.canonical import decode
from envparity_agent.fingerprint import Attributes
from envparity_server.cli.hosts import hosts
from envparity_server.storage import tags
from envparity_server.storage.database import writing
from envparity_server.storage.tags import Pointed, Tag
from tests.server.asking import Asking
from tests.server.cli.served import served
from tests.server.fleet import reported
from tests.server.making import ENGINE, NOON, host, section

WEB = "registry.test/shop/web:1"
OLD, NEW = (f"sha256:{letter * 64}" for letter in "ab")


@pytest.fixture
def fleet(small_api: Asking) -> Asking:
    """A host that runs what the tag pointed at before."""
    image: Attributes = {"reference": WEB, "platform": "linux/amd64", "manifest": OLD}
    other: Attributes = {"reference": "docker.io/library/x:1"}
    with writing(small_api.engine) as connection:
        sections = section("container/shop.web", {"image": image}), section("container/x", {"image": other})
        reported(connection, "web-1", host(ENGINE, *sections), NOON)
        tags.put(connection, {WEB: Tag(Pointed(NEW, "manifest", {"": {"manifest": NEW}}), NOON, None, 0)})
    return small_api


def run(asking: Asking, home: Path, *arguments: str) -> tuple[str, str]:
    """What the verb says, and what it notes beside."""
    token = home / "token"
    token.write_text(asking.as_role("viewer").headers["Authorization"].removeprefix("Bearer "))
    app = typer.Typer()
    app.add_typer(hosts, name="hosts")
    with served(asking) as address:
        options = ["--server", address, "--token-file", str(token)]
        ended = CliRunner().invoke(app, ["hosts", "tags", *arguments, *options])
    assert ended.exit_code == 0, ended.output
    return ended.stdout, ended.stderr


def test_tags_are_a_table_and_who_is_behind_is_told(fleet: Asking, tmp_path: Path) -> None:
    said, noted = run(fleet, tmp_path)
    lines = said.splitlines()
    assert lines[1].split() == ["docker.io/library/x:1", "not", "known", "no", "0", "0", "1"]
    assert lines[2].split() == [WEB, "manifest", "b" * 12, "2026-11-01T12:00", "0", "1", "0"]
    why = "the manifest digest is not that of the tag's image"
    assert lines[3] == f"{WEB} moved: web-1 (prod) container/shop.web: {why}"
    assert "docker.io/library/x:1: the setting registries does not name docker.io: not asked" in noted


def test_only_moved_tags_and_as_json_the_answer(fleet: Asking, tmp_path: Path) -> None:
    said, _ = run(fleet, tmp_path, "--moved", "--json")
    answer = decode(said.encode())
    assert [one["reference"] for one in answer["tags"]] == [WEB]
    with writing(fleet.engine) as connection:
        tags.forget(connection, [WEB])
    assert run(fleet, tmp_path, "--moved")[0] == "no tag has moved, as far as it is known\n"
