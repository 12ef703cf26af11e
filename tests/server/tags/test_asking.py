"""Tests of the job that asks: each tag once, again when it is due, and a registry that is away left alone."""

from datetime import timedelta

from sqlalchemy import Engine

from envparity_agent.fingerprint import Attributes, Fingerprint
from envparity_server.storage import hosts, tags
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tags import Tag
from envparity_server.tags.asking import EVERY, FIRST_DELAY, LONGEST_DELAY, ask_due, wait
from tests.server.fleet import report, reported
from tests.server.making import ENGINE, NOON, host, section
from tests.server.tags.images import AMD64, index, manifest
from tests.server.tags.registries import Registry, Reply, registry

ONE, TWO = manifest("one"), manifest("two")
MINUTE = timedelta(minutes=1)


def runs(*references: str, **image: str) -> Fingerprint:
    """A host with a container of each reference."""
    plain: Attributes = {"platform": "linux/amd64", **image}
    return host(
        ENGINE,
        *(section(f"container/c{number}", {"image": {"reference": one, **plain}})
          for number, one in enumerate(references)),
    )  # fmt: skip


def known(engine: Engine) -> dict[str, Tag]:
    with reading(engine) as connection:
        return tags.asked(connection)


def named(held: Registry) -> list[str]:
    return [f"registry.test={held.url}"]


def test_a_tag_that_many_hosts_run_is_asked_once_and_again_when_it_is_due(database: Engine) -> None:
    with registry() as held:
        held.push("shop/web", "1", ONE, index((ONE, AMD64)))
        with writing(database) as connection:
            for name in ("web-1", "web-2", "web-3"):
                reported(connection, name, runs("registry.test/shop/web:1"), NOON)
        assert ask_due(database, NOON, named(held)) == 1
        assert held.asked().count("HEAD shop/web/manifests/1") == 1
        assert ask_due(database, NOON + EVERY - MINUTE, named(held)) == 0
        held.push("shop/web", "1", TWO)
        assert ask_due(database, NOON + EVERY, named(held)) == 1
    (tag,) = known(database).values()
    assert tag.pointed is not None
    assert (tag.pointed.digest, tag.pointed.kind, tag.asked_at) == (TWO.digest, "manifest", NOON + EVERY)
    assert tag.pointed.platforms[""]["manifest"] == TWO.digest


def test_without_the_setting_nobody_is_asked_and_by_digest_neither(database: Engine) -> None:
    by_digest = f"registry.test/shop/web:1@{ONE.digest}"
    with registry() as held:
        held.push("shop/web", "1", ONE)
        with writing(database) as connection:
            reported(connection, "web-1", runs("registry.test/shop/web:1", by_digest, "docker.io/library/x:1"), NOON)
        assert ask_due(database, NOON, []) == 0
        assert held.got == []
        assert ask_due(database, NOON, named(held)) == 1
    assert list(known(database)) == ["registry.test/shop/web:1"]


def test_what_failed_is_kept_and_asked_again_later_and_later(database: Engine) -> None:
    with registry() as held:
        held.push("shop/web", "1", ONE)
        with writing(database) as connection:
            reported(connection, "web-1", runs("registry.test/shop/web:1"), NOON)
        ask_due(database, NOON, named(held))
        held.documents.clear()
        moment = NOON + EVERY
        assert ask_due(database, moment, named(held)) == 0
        (tag,) = known(database).values()
        assert tag.pointed is not None
        assert (tag.pointed.digest, tag.failures) == (ONE.digest, 1)
        assert "404" in str(tag.problem)
        held.push("shop/web", "1", ONE)
        assert ask_due(database, moment + FIRST_DELAY - MINUTE, named(held)) == 0
        assert ask_due(database, moment + FIRST_DELAY, named(held)) == 1
    (tag,) = known(database).values()
    assert (tag.problem, tag.failures) == (None, 0)
    assert [wait(failures) for failures in (1, 2, 3)] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY]
    assert wait(10**6) == LONGEST_DELAY


def test_a_registry_that_is_away_is_left_and_the_others_are_asked(sqlite: Engine) -> None:
    def broken(_: Registry, __: str, ___: str) -> Reply:
        return Reply(503)

    with registry() as held, registry(instead=broken) as other:
        held.push("shop/web", "1", ONE)
        wanted = [f"away.test/shop/web:{number}" for number in range(60)]
        with writing(sqlite) as connection:
            reported(connection, "web-1", runs("registry.test/shop/web:1", *wanted), NOON)
        assert ask_due(sqlite, NOON, [*named(held), f"away.test={other.url}"]) == 1
        assert len(other.got) <= 4  # those that were asked at once


def test_a_tag_that_nobody_runs_any_more_is_forgotten(database: Engine) -> None:
    with registry() as held:
        held.push("shop/web", "1", ONE)
        held.push("shop/web", "2", TWO)
        with writing(database) as connection:
            one = reported(connection, "web-1", runs("registry.test/shop/web:1", "registry.test/shop/web:2"), NOON)
            other = reported(connection, "web-2", runs("registry.test/shop/web:1"), NOON)
        assert ask_due(database, NOON, named(held)) == 2
        with writing(database) as connection:
            report(connection, one, runs("registry.test/shop/web:2"), NOON + MINUTE)
            hosts.retire(connection, other.id, NOON)
        ask_due(database, NOON + MINUTE, named(held))
    assert list(known(database)) == ["registry.test/shop/web:2"]


def test_who_runs_a_tag_is_told_of_present_containers_in_environments_that_are_seen(database: Engine) -> None:
    picture = host(section("image", {"image": {"reference": "registry.test/a:1"}}), name="a", kind="image")
    with writing(database) as connection:
        one = reported(connection, "web-1", runs("registry.test/a:1"), NOON)
        report(connection, one, runs("registry.test/b:1"), NOON + MINUTE)
        reported(connection, "dev-1", runs("registry.test/b:1", "registry.test/c:1"), NOON, "dev")
        reported(connection, "odd-1", picture, NOON)
    with reading(database) as connection:
        everywhere = tags.running(connection)
        dev = tags.running(connection, frozenset({"dev"}))
    shown = {reference: [(one.host, one.section) for one in found] for reference, found in everywhere.items()}
    assert shown == {
        "registry.test/b:1": [("dev-1", "container/c0"), ("web-1", "container/c0")],
        "registry.test/c:1": [("dev-1", "container/c1")],
    }
    assert {reference: [one.host for one in found] for reference, found in dev.items()} == {
        "registry.test/b:1": ["dev-1"],
        "registry.test/c:1": ["dev-1"],
    }
