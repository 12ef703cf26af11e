"""The main job on real hosts: agents report, people and pipelines learn what differs between dev and prod."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from envparity_server.storage.database import open_database, writing
from envparity_server.storage.tables import host as host_table
from tests.system.engines import Engine
from tests.system.fleet import PLANTED, SHOP_ENVIRONMENT, Fleet, Host
from tests.system.images import WORKER_ENVIRONMENT
from tests.system.installs import install_packages
from tests.system.roots import copy_root
from tests.system.serving import Served
from tests.system.wheels import IDNA_ON_DEV, Wheels
from tests.system.workspaces import workspace

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def viewer(server: Served) -> str:
    """A token that may read."""
    return server.token("viewer", "--name", "tests")


@pytest.fixture(scope="module")
def pipeline(server: Served) -> str:
    """A token that may gate, and nothing else."""
    return server.token("ci", "--name", "tests")


def _gate(
    server: Served, token: str, host: Host, *arguments: str, settings: Mapping[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    docker = ["--docker", host.docker] if host.docker else []
    asked = ("gate", "--root", str(host.root), *docker, "--json", *arguments)
    ended = server.ask(*asked, token=token, settings=settings)
    return ended.exit_code, ended.document if ended.output else {}


def test_diff_lists_exactly_what_was_planted(server: Served, viewer: str) -> None:
    ended = server.ask("diff", "env:dev", "env:prod", "--json", token=viewer)
    assert ended.exit_code == 0, ended.complaint
    found = [(one["section"], one["item"]) for one in ended.document["differences"]]
    assert sorted(found) == sorted((planted.section, planted.item) for planted in PLANTED)
    assert ended.document["not_examined"] == []


def test_each_planted_difference_is_told_as_what_it_is(server: Served, viewer: str) -> None:
    ended = server.ask("diff", "env:dev", "env:prod", "--json", token=viewer)
    found = {(one["section"], one["item"]): one for one in ended.document["differences"]}
    shop = "python/srv/shop/.venv"
    assert (found[shop, "idna"]["left"], found[shop, "idna"]["right"]) == ("3.4", "3.7")
    assert (found[shop, "markupsafe"]["attribute"], found[shop, "markupsafe"]["distance"]) == ("content", "rebuild")
    assert found[shop, "tabulate"]["state"] == "only_left"
    assert found["os-packages", "envparity-probe"]["left"] == "1.1"
    patched = found[f"container/worker/python{WORKER_ENVIRONMENT}", "six"]
    assert (patched["origin"], patched["severity"]) == ("added in the left container", "high")
    assert (found["container/web", "image"]["attribute"], found["container/web", "image"]["severity"]) == (
        "config",
        "critical",
    )


def test_a_twin_does_not_differ(server: Served, viewer: str) -> None:
    ended = server.ask("diff", "env:twin", "env:prod", "--json", token=viewer)
    assert ended.document["differences"] == []
    assert ended.document["summary"]["same"] > 100


@pytest.mark.parametrize("release", ["bullseye", "trixie"])
def test_another_release_is_readable_on_one_screen(server: Served, viewer: str, release: str) -> None:
    everything = server.ask("diff", f"env:{release}", "env:prod", "--json", token=viewer).document["differences"]
    folded = server.ask("diff", f"env:{release}", "env:prod", token=viewer)
    assert len(everything) > 100
    assert folded.exit_code == 0
    assert len(folded.output.splitlines()) <= 50


def test_the_gate_stops_dev_and_lets_the_twin_pass(server: Served, pipeline: str, fleet: Fleet) -> None:
    code, verdict = _gate(server, pipeline, fleet.dev, "--against", "env:prod")
    assert (code, verdict["verdict"]) == (1, "drift")
    code, verdict = _gate(server, pipeline, fleet.twin, "--against", "env:prod")
    assert (code, verdict["verdict"]) == (0, "parity"), verdict


def test_the_gate_cannot_tell_about_values_without_a_key_and_can_about_all_else(
    server: Served, pipeline: str, fleet: Fleet
) -> None:
    code, verdict = _gate(server, pipeline, fleet.twin, "--against", "env:prod", settings={})
    assert (code, verdict["verdict"]) == (3, "unknown")
    assert verdict["reasons"] == [f"container/{name}/config: here: partial(no-key)" for name in ("web", "worker")]
    scope = ("--only", "python,container")
    code, verdict = _gate(server, pipeline, fleet.twin, "--against", "env:prod", *scope, settings={})
    assert (code, verdict["verdict"]) == (0, "parity"), verdict
    code, verdict = _gate(server, pipeline, fleet.dev, "--against", "env:prod", *scope, settings={})
    assert (code, verdict["verdict"]) == (1, "drift")


def test_the_gate_cannot_tell_where_docker_could_not_be_asked(
    server: Served, pipeline: str, fleet: Fleet, fresh_engine: Callable[[], Engine]
) -> None:
    dead = fresh_engine()
    dead.kill()
    code, verdict = _gate(server, pipeline, replace(fleet.twin, docker=dead.url), "--against", "env:prod")
    assert (code, verdict["verdict"]) == (3, "unknown")
    assert "containers" in str(verdict["reasons"])


def test_the_gate_asks_only_about_its_scope(server: Served, pipeline: str, fleet: Fleet) -> None:
    code, _ = _gate(
        server, pipeline, replace(fleet.dev, docker="unix:///nowhere"), "--against", "env:prod", "--only", "os"
    )
    assert code == 0


def test_the_gate_refuses_an_environment_that_was_never_seen(server: Served, pipeline: str, fleet: Fleet) -> None:
    asked = server.ask("gate", "--root", fleet.twin.root, "--only", "os", "--against", "env:prdo", token=pipeline)
    assert (asked.exit_code, asked.output) == (2, "")
    assert "env:prdo: never seen" in asked.complaint
    assert "did you mean env:prod?" in asked.complaint


def test_the_gate_cannot_tell_against_a_host_that_never_reported(server: Served, pipeline: str, fleet: Fleet) -> None:
    silent = replace(fleet.twin, name="silent", environment="silent")
    assert server.enrol(silent).exit_code == 0
    code, verdict = _gate(server, pipeline, fleet.twin, "--against", "env:silent")
    assert (code, verdict["verdict"]) == (3, "unknown")


def test_the_gate_cannot_tell_against_a_stale_reference(server: Served, pipeline: str, fleet: Fleet) -> None:
    late = replace(fleet.twin, name="late", environment="late")
    assert server.enrol(late).exit_code == 0
    assert server.report(late).exit_code == 0
    engine = open_database(server.database_url)
    with writing(engine) as connection:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        connection.execute(update(host_table).where(host_table.c.name == "late").values(seen_at=yesterday))
    engine.dispose()
    code, verdict = _gate(server, pipeline, fleet.twin, "--against", "env:late")
    assert (code, verdict["verdict"]) == (3, "unknown")
    assert "1 of 1 stale: late (last seen" in str(verdict["reasons"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--agianst", "env:prod"),
        ("--against", "evn:prod"),
        ("--against", "env:prod", "--only", "pyhton"),
        ("--against", "env:prod", "--fail-on", "worst"),
    ],
)
def test_a_misspelt_question_is_a_usage_error(
    server: Served, pipeline: str, fleet: Fleet, arguments: tuple[str, ...]
) -> None:
    code, _ = _gate(server, pipeline, fleet.bullseye, *arguments)
    assert code == 2


def test_a_server_that_cannot_be_reached_is_never_green(server: Served, fleet: Fleet, pipeline: str) -> None:
    code, _ = _gate(replace(server, address="http://127.0.0.1:9"), pipeline, fleet.bullseye, "--against", "env:prod")
    assert code == 3


def test_a_pipelines_token_may_do_nothing_else(server: Served, pipeline: str) -> None:
    ended = server.ask("diff", "env:dev", "env:prod", token=pipeline)
    assert ended.exit_code == 3
    assert "role ci" in ended.complaint


def test_the_same_host_twice_has_the_same_root(server: Served, fleet: Fleet) -> None:
    first, second = server.report(fleet.prod), server.report(fleet.prod)
    assert first.document["root"] == second.document["root"]


def test_a_host_that_changed_shows_its_change_between_two_moments(
    server: Served, viewer: str, fleet: Fleet, cached: tuple[object, Wheels]
) -> None:
    with workspace("changing") as home:
        changing = Host("changing", "changing", home / "root", None)
        copy_root(fleet.prod.root, changing.root)
        assert server.enrol(changing).exit_code == 0
        assert server.report(changing).exit_code == 0
        before = datetime.now(UTC).isoformat()
        install_packages(changing.root, SHOP_ENVIRONMENT, cached[1].python_3_11, [IDNA_ON_DEV])
        assert server.report(changing).exit_code == 0
    ended = server.ask("diff", f"host:changing@{before}", "host:changing", "--json", token=viewer)
    assert [(one["item"], one["left"], one["right"]) for one in ended.document["differences"]] == [
        ("idna", "3.7", "3.4")
    ]
