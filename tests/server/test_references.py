"""Tests of what a selector stands for."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, event, update

from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.fingerprint import SPLIT, Fingerprint, FingerprintLike, Section, SectionLike, Target
from envparity_server.baselining import Proposal, approve, pin, pin_today, withdraw
from envparity_server.compare.differences import compare
from envparity_server.compare.model import State
from envparity_server.compare.scope import parse_scope
from envparity_server.drift import majority
from envparity_server.references import compare_selectors, group_of, references_for, resolve
from envparity_server.storage import hosts
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import writing
from envparity_server.storage.tables import host as host_table
from tests.server.fleet import enrolled, report, reported
from tests.server.making import ENGINE, NOON, OPERATING_SYSTEM, SEARCHED, host, packages, section

HOUR = timedelta(hours=1)
LATE = NOON + timedelta(days=1)
ADA = Actor("person:ada", Role.OPERATOR)


def running(version: str) -> Fingerprint:
    """A host with a version of idna."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": version}))


def idna(found: FingerprintLike) -> object:
    """The version of idna, or what is split."""
    item = found.sections["python/srv/shop"].items["idna"]
    return item.get("version") or item[SPLIT]


@pytest.fixture
def fleet(database: Engine) -> Engine:
    """Three hosts in prod, one in dev, one that never reported."""
    with writing(database) as connection:
        for name, version, labels in (("web-1", "3.7", "web"), ("web-2", "3.7", "web"), ("db-1", "3.4", "db")):
            reported(connection, name, running(version), NOON, "prod", {"role": labels})
        reported(connection, "dev-1", running("3.4"), NOON, "dev")
        enrolled(connection, "silent", "staging")
    return database


def test_a_host_stands_for_its_last_report(fleet: Engine) -> None:
    with writing(fleet) as connection:
        found = resolve(connection, "host:db-1", NOON)
        assert (found.fingerprint.target, idna(found.fingerprint)) == (Target("host", "db-1"), "3.4")
        assert (found.notes, found.doubts) == ((), ())


def test_an_environment_stands_for_what_most_of_its_hosts_agree_on(fleet: Engine) -> None:
    with writing(fleet) as connection:
        found = resolve(connection, "env:prod", NOON)
        assert (found.fingerprint.target, idna(found.fingerprint)) == (Target("environment", "env:prod"), "3.7")


def test_what_hosts_agree_on_is_worked_out_again_only_where_one_of_them_changed(
    fleet: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def agreed(path: str, having: Sequence[SectionLike]) -> Section:
        asked.append(path)
        return majority.agreed(path, having)

    monkeypatch.setattr("envparity_server.references.agreed", agreed)
    with writing(fleet) as connection:
        new = reported(connection, "web-3", running(f"of {fleet.url}"), NOON)
        resolve(connection, "env:prod", NOON)
        asked.clear()
        resolve(connection, "env:prod", NOON)
        assert asked == []
        report(connection, new, running(f"also of {fleet.url}"), NOON)
        resolve(connection, "env:prod", NOON)
        assert asked == ["python/srv/shop"]


def test_labels_choose_among_the_hosts_of_an_environment(fleet: Engine) -> None:
    with writing(fleet) as connection:
        assert idna(resolve(connection, "env:prod,role=db", NOON).fingerprint) == "3.4"


def test_a_split_environment_says_who_has_what(fleet: Engine) -> None:
    with writing(fleet) as connection:
        reported(connection, "db-2", running("3.4"), NOON, "prod", {"role": "db"})
        assert idna(resolve(connection, "env:prod", NOON).fingerprint) == ("3.4: 2 hosts", "3.7: 2 hosts")


def test_who_has_nothing_of_what_is_asked_about_has_no_say_in_it(fleet: Engine) -> None:
    shop = host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": "3.7"}, "python/shop"))
    asked = ("env:mixed", "", None), ("env:mixed", "shop", "3.7"), ("env:mixed#python/shop", "", "3.7")
    with writing(fleet) as connection:
        for name, found in (("shop-1", shop), ("db-8", running("3.4")), ("db-9", running("3.4"))):
            reported(connection, name, found, NOON, "mixed")
        for selector, application, version in asked:
            reference = resolve(connection, selector, NOON, application=application)
            section = reference.fingerprint.sections.get("python/shop")
            assert (section and section.items["idna"]["version"]) == version
            said = (f"{selector}: 1 of 3 hosts have what is asked about",)
            assert reference.notes == (said if version else ())


def test_those_who_have_what_is_asked_about_may_be_split_over_it(fleet: Engine) -> None:
    with writing(fleet) as connection:
        for name, version in (("shop-1", "3.7"), ("shop-2", "3.4")):
            shop = host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": version}, "python/shop"))
            reported(connection, name, shop, NOON, "mixed")
        reported(connection, "db-9", running("3.4"), NOON, "mixed")
        found = resolve(connection, "env:mixed", NOON, application="shop").fingerprint.sections["python/shop"]
        assert found.items["idna"] == {SPLIT: ("3.4: 1 host", "3.7: 1 host")}


def test_an_unknown_host_is_a_wrong_question(fleet: Engine) -> None:
    with writing(fleet) as connection, pytest.raises(UsageError, match="no host web-9") as refused:
        resolve(connection, "host:web-9", NOON)
    assert "web-1" in refused.value.advice


def test_a_name_that_several_hosts_have_is_a_wrong_question(fleet: Engine) -> None:
    with writing(fleet) as connection:
        first = reported(connection, "web-3", running("3.4"), NOON)
        connection.exec_driver_sql("UPDATE host SET name = 'web-3' WHERE name = 'web-2'")
        with pytest.raises(UsageError, match="several hosts") as refused:
            resolve(connection, "host:web-3", NOON)
        assert first.id in refused.value.advice
        assert idna(resolve(connection, f"host:{first.id}", NOON).fingerprint) == "3.4"


@pytest.mark.parametrize("text", ["env:prdo", "env:prdo,role=web", "env:prdo@2026-11-01T02:00#python/app"])
def test_an_environment_that_was_never_seen_is_a_wrong_question(fleet: Engine, text: str) -> None:
    with (
        writing(fleet) as connection,
        pytest.raises(UsageError, match="never seen, there is no such environment") as told,
    ):
        resolve(connection, text, NOON)
    assert told.value.advice.startswith("did you mean env:prod? known environments: env:")


def test_of_an_environment_that_is_like_none_the_known_ones_are_told(fleet: Engine) -> None:
    with writing(fleet) as connection:
        for number in range(20):
            hosts.register_environment(connection, f"many-{number:02}", NOON)
        with pytest.raises(UsageError, match="never seen") as told:
            resolve(connection, "env:qa", NOON)
    assert re.fullmatch(r"known environments: env:.* and \d+ more", told.value.advice)


def test_an_environment_that_somebody_may_not_see_is_never_seen(fleet: Engine) -> None:
    with writing(fleet) as connection, pytest.raises(UsageError, match="never seen") as told:
        resolve(connection, "env:prod", NOON, frozenset({"staging"}))
    assert "env:prod" not in told.value.advice


def test_labels_that_no_host_has_cannot_tell(fleet: Engine) -> None:
    with writing(fleet) as connection, pytest.raises(CannotTell, match="no host is in it") as refused:
        resolve(connection, "env:prod,role=mail", NOON)
    assert "env:prod" in refused.value.advice


def test_an_environment_that_is_listed_and_has_no_host_cannot_tell(fleet: Engine) -> None:
    with writing(fleet) as connection:
        hosts.register_environment(connection, "planned", NOON)
        with pytest.raises(CannotTell, match="env:planned: no host is in it"):
            resolve(connection, "env:planned", NOON)


@pytest.mark.parametrize("text", ["host:silent", "env:staging"])
def test_a_host_that_never_reported_cannot_tell(fleet: Engine, text: str) -> None:
    with writing(fleet) as connection, pytest.raises(CannotTell, match="no report yet from silent"):
        resolve(connection, text, NOON)


def test_a_stale_host_is_said_and_doubted(fleet: Engine) -> None:
    with writing(fleet) as connection:
        found = resolve(connection, "host:db-1", LATE)
    assert found.notes == found.doubts
    assert found.notes == ("host:db-1: 1 of 1 stale: db-1 (last seen 2026-11-01 12:00 UTC, due every 900 s)",)


def test_stale_hosts_do_not_vote_while_there_are_fresh_ones(fleet: Engine) -> None:
    with writing(fleet) as connection:
        (one,) = hosts.named(connection, "db-1")
        report(connection, one, running("3.5"), LATE)
        found = resolve(connection, "env:prod", LATE)
        assert idna(found.fingerprint) == "3.5"
    assert [note.partition(": ")[2][:12] for note in found.notes] == ["2 of 3 stale"]
    assert found.doubts == ()


def test_an_environment_of_stale_hosts_is_doubted(fleet: Engine) -> None:
    with writing(fleet) as connection:
        found = resolve(connection, "env:prod", LATE)
        assert idna(found.fingerprint) == "3.7"
    (doubt,) = found.doubts
    assert doubt.startswith("env:prod: 3 of 3 stale: db-1 (last seen 2026-11-01 12:00 UTC, due every 900 s), web-1 (")


def test_of_many_stale_hosts_the_first_are_named(fleet: Engine) -> None:
    with writing(fleet) as connection:
        for number in range(9):
            reported(connection, f"a-{number}", running("3.4"), NOON, "many")
        (note,) = resolve(connection, "env:many", LATE).notes
    assert note.startswith("env:many: 9 of 9 stale: a-0 (")
    assert note.endswith(" and 6 more")


def test_a_host_that_never_reported_is_said_beside_the_others(fleet: Engine) -> None:
    with writing(fleet) as connection:
        enrolled(connection, "web-9", "prod")
        found = resolve(connection, "env:prod", NOON)
    assert (found.notes, found.doubts) == (("env:prod: 1 of 4 never reported: web-9",), ())


def test_a_moment_stands_for_what_was_known_then(fleet: Engine) -> None:
    with writing(fleet) as connection:
        one = reported(connection, "web-5", running("3.0"), NOON, "old")
        report(connection, one, running("3.1"), NOON + HOUR)

        def at(selector: str) -> object:
            return idna(resolve(connection, selector, NOON + HOUR).fingerprint)

        assert at("host:web-5@2026-11-01T12:00") == at("env:old@2026-11-01T12:30") == "3.0"
        assert at("host:web-5@2026-11-01T13:00") == at("host:web-5@2026-11-01T14:00+01:00") == at("host:web-5") == "3.1"
        with pytest.raises(CannotTell, match="at or before that moment"):
            at("host:web-5@2026-11-01T11:59")


def test_a_moment_in_which_a_host_was_silent_is_doubted(fleet: Engine) -> None:
    with writing(fleet) as connection:
        one = reported(connection, "web-5", running("3.0"), NOON, "old")
        report(connection, one, running("3.1"), LATE)
        assert resolve(connection, "host:web-5@2026-11-01T12:10", LATE).doubts == ()
        assert resolve(connection, "host:web-5@2026-11-01T20:00", LATE).doubts


def test_a_reference_is_as_old_as_the_oldest_report_that_speaks_for_it(fleet: Engine) -> None:
    later = NOON + timedelta(minutes=5)
    with writing(fleet) as connection:
        reported(connection, "web-9", running("3.7"), later, "prod", {"role": "web"})
        assert resolve(connection, "host:web-9", later).confirmed_at == later
        assert resolve(connection, "env:prod,role=web", later).confirmed_at == NOON
        assert resolve(connection, "host:web-9@2026-11-01T12:05:00", later + HOUR).confirmed_at == later


def test_a_part_is_a_target_of_its_own(fleet: Engine) -> None:
    with writing(fleet) as connection:
        found = resolve(connection, "host:db-1#python/srv/shop", NOON).fingerprint
        assert (found.target.kind, set(found.sections)) == ("python", {"python/srv/shop"})
        whole = resolve(connection, "host:db-1#python/", NOON).fingerprint
        assert set(whole.sections) == {"python", "python/srv/shop"}


def containing(*names: str) -> Fingerprint:
    """A host that runs containers, each with what is inside."""
    sections = [
        section(f"container/{name}/{path}".rstrip("/"), items, kind=kind)
        for name in names
        for path, kind, items in (
            ("", "container", {"image": {"config": "sha256:a"}}),
            ("config", "configuration", {"user": {"value": "app"}}),
            ("app", "application", {"code": {"commit": "c"}}),
            ("os", "os", {"distribution": {"id": "debian"}}),
            ("os-packages", "os-packages", {"openssl": {"version": "3.0"}}),
            ("python", "python-search", {}),
            ("python/site", "python", {"idna": {"version": "3.7"}}),
            ("verify/site", "python-files", {}),
        )
    ]
    return host(section("os"), section("os-packages"), ENGINE, *sections)


def test_a_container_that_is_named_as_a_part_is_as_if_it_was_named_alone(fleet: Engine) -> None:
    names = ("shop.web", "team/cart/web", "team/cart")
    with writing(fleet) as connection:
        reported(connection, "box-1", containing(*names), NOON)
        for name in names:
            found = resolve(connection, f"host:box-1#container/{name}", NOON).fingerprint
            own = f"container/{name}"
            assert found.target.kind == "container"
            assert set(found.sections) == {
                own, f"{own}/config", f"{own}/app", "os", "os-packages", "python", "python/site", "verify/site",
            }  # fmt: skip
            assert all(one.path == path for path, one in found.sections.items())
            assert found.sections["os-packages"].items == {"openssl": {"version": "3.0"}}


def test_an_image_is_held_against_a_container_of_the_fleet_package_by_package(fleet: Engine) -> None:
    built, about = containing("new"), ("application", "configuration", "container")
    image = Fingerprint(
        Target("image", "shop:new"),
        built.taken_at,
        {
            path.replace("container/new", "image", 1) if one.kind in about else path.removeprefix("container/new/"): one
            for path, one in built.sections.items()
            if path.startswith("container/new")
        },
    )
    image = replace(image, sections={path: replace(one, path=path) for path, one in image.sections.items()})
    changed = section("os-packages", {"openssl": {"version": "3.1"}})
    image = replace(image, sections={**image.sections, "os-packages": changed})
    with writing(fleet) as connection:
        reported(connection, "box-1", containing("shop.web", "db"), NOON)
        reference = resolve(connection, "host:box-1#container/shop.web", NOON).fingerprint
        found = compare(image, reference)
    assert [(one.section, one.item, one.left, one.right) for one in found.differences] == [
        ("os-packages", "openssl", "3.1", "3.0")
    ]
    assert ("image", "container/shop.web") in found.held
    assert found.unexamined == ()


def test_a_part_that_is_not_there_is_a_wrong_question(fleet: Engine) -> None:
    with writing(fleet) as connection, pytest.raises(UsageError, match="no section python/srv/sho") as refused:
        resolve(connection, "host:db-1#python/srv/sho", NOON)
    assert "python/srv/shop" in refused.value.advice


def test_two_selectors_are_compared_and_rated_with_what_must_be_said(fleet: Engine) -> None:
    with writing(fleet) as connection:
        comparison, notes = compare_selectors(connection, "env:dev", "env:prod", LATE, parse_scope("python"))
    (found,) = comparison.differences
    assert (found.item, found.state, found.left, found.right, found.severity.word) == (
        "idna", State.CHANGED, "3.4", "3.7", "medium"
    )  # fmt: skip
    assert [note.partition(":")[2][:11] for note in notes] == ["dev: 1 of 1", "prod: 3 of "]


def test_two_parts_of_one_host_are_compared(fleet: Engine) -> None:
    with writing(fleet) as connection:
        more = host(packages({"idna": "3.4"}, "python/a"), packages({"idna": "3.7"}, "python/b"), section("os"))
        reported(connection, "web-7", more, NOON)
        comparison, _ = compare_selectors(connection, "host:web-7#python/a", "host:web-7#python/b", NOON)
    assert [(one.item, one.left, one.right) for one in comparison.differences] == [("idna", "3.4", "3.7")]
    assert [(pair.left, pair.right) for pair in comparison.pairs] == [("python/a", "python/b")]


def test_labels_alone_choose_across_environments(fleet: Engine) -> None:
    with writing(fleet) as connection:
        reported(connection, "dev-2", running("3.4"), NOON, "dev", {"role": "web"})
        reported(connection, "dev-3", running("3.4"), NOON, "dev", {"role": "web"})
        for text in ("role=web", "env:*,role=web"):
            found = resolve(connection, text, NOON)
            assert (found.fingerprint.target, idna(found.fingerprint)) == (
                Target("environment", text), ("3.4: 2 hosts", "3.7: 2 hosts"),
            )  # fmt: skip
        assert idna(resolve(connection, "env:*", NOON).fingerprint) == "3.4"
        assert idna(resolve(connection, "role=web", NOON, frozenset({"prod"})).fingerprint) == "3.7"
        with pytest.raises(CannotTell, match="no host is in it"):
            resolve(connection, "role=web", NOON, frozenset({"staging"}))
        with pytest.raises(CannotTell, match="no host is in it"):
            resolve(connection, "role=mail", NOON)


def test_a_retired_host_is_found_by_its_id_and_said_to_be_retired(fleet: Engine) -> None:
    with writing(fleet) as connection:
        (one,) = hosts.named(connection, "db-1")
        retire(connection, "db-1")
        found = resolve(connection, f"host:{one.id}", NOON)
        assert (idna(found.fingerprint), found.notes) == ("3.4", ("db-1 was retired at 2026-11-01 12:00 UTC",))
        with pytest.raises(UsageError, match="no host db-1"):
            resolve(connection, "host:db-1", NOON)


def retire(connection: Connection, name: str) -> None:
    """Take a host out of the fleet."""
    connection.execute(update(host_table).where(host_table.c.name == name).values(retired_at=NOON))


def approved(connection: Connection, name: str, source: str, applies_to: str, now: datetime = NOON) -> None:
    """A baseline with one approved version."""
    number = pin(connection, ADA, Proposal(name, source, applies_to, "a test"), None, now)
    assert approve(connection, ADA, name, number, now)


def references(connection: Connection, now: datetime = NOON) -> dict[str, tuple[str, object]]:
    """Host name -> the name of its reference, and the version of idna there."""
    everyone = hosts.all_hosts(connection)
    found = references_for(connection, everyone, now)
    return {one.name: (found[one.id].name, idna(found[one.id].fingerprint)) for one in everyone if one.id in found}


def more(connection: Connection, versions: Sequence[str], environment: str = "prod", role: str = "web") -> None:
    """Further hosts of a group."""
    for number, version in enumerate(versions):
        reported(connection, f"{environment}-{role}-{number}", running(version), NOON, environment, {"role": role})


def test_a_group_is_an_environment_and_a_role(fleet: Engine) -> None:
    with writing(fleet) as connection:
        groups = {one.name: group_of(one) for one in hosts.all_hosts(connection)}
    assert groups["web-1"] == "env:prod,role=web"
    assert groups["dev-1"] == "env:dev"


def test_a_host_is_held_against_what_most_of_its_peers_agree_on(fleet: Engine) -> None:
    with writing(fleet) as connection:
        more(connection, ["3.4"])
        assert references(connection) == dict.fromkeys(
            ("web-1", "web-2", "prod-web-0"), ("env:prod,role=web", "3.7")
        )  # two hosts of a group, and one, have nothing to be held against
        shared = references_for(connection, hosts.all_hosts(connection), NOON)
        assert len({id(one) for one in shared.values()}) == 1


def test_the_peers_of_one_host_vote_although_only_it_is_asked_about(fleet: Engine) -> None:
    with writing(fleet) as connection:
        more(connection, ["3.4"])
        one = hosts.named(connection, "prod-web-0")
        (found,) = references_for(connection, one, NOON).values()
    assert idna(found.fingerprint) == "3.7"


def test_stale_ephemeral_and_silent_hosts_have_no_vote(fleet: Engine) -> None:
    with writing(fleet) as connection:
        more(connection, ["3.4", "3.4"])
        assert references(connection)["web-1"] == ("env:prod,role=web", ("3.4: 2 hosts", "3.7: 2 hosts"))
        connection.execute(update(host_table).where(host_table.c.name == "prod-web-0").values(ephemeral=True))
        assert references(connection)["web-1"] == references(connection)["prod-web-0"] == ("env:prod,role=web", "3.7")
        enrolled(connection, "web-9", "prod", {"role": "web"})
        assert references(connection)["web-9"] == ("env:prod,role=web", "3.7")
        connection.execute(
            update(host_table).where(host_table.c.name == "prod-web-1").values(seen_at=NOON - timedelta(days=1))
        )
        assert references(connection) == {}  # two are left


def test_the_approved_baseline_comes_before_the_majority(fleet: Engine) -> None:
    with writing(fleet) as connection:
        more(connection, ["3.4"])
        number = pin(connection, ADA, Proposal("shop", "host:db-1", "env:prod", "a test"), None, NOON)
        assert references(connection)["web-1"] == ("env:prod,role=web", "3.7")  # proposed only
        approve(connection, ADA, "shop", number, NOON)
        assert references(connection) == dict.fromkeys(
            ("web-1", "web-2", "db-1", "prod-web-0"), ("baseline:shop", "3.4")
        )
        withdraw(connection, ADA, "shop", number, "a test", NOON)
        assert references(connection)["web-1"] == ("env:prod,role=web", "3.7")


def test_the_baseline_that_names_a_host_most_narrowly_is_its_reference(fleet: Engine) -> None:
    with writing(fleet) as connection:
        for name, applies_to in (
            ("every", "env:*"), ("prod", "env:prod"), ("web", "env:prod,role=web"), ("one", "host:web-1"),
            ("label", "role=db"),
        ):  # fmt: skip
            approved(connection, name, "env:prod", applies_to)
        found = {host: name for host, (name, _) in references(connection).items()}
    assert found == {
        "web-1": "baseline:one",
        "web-2": "baseline:web",
        "db-1": "baseline:label",
        "dev-1": "baseline:every",
        "silent": "baseline:every",
    }


def test_today_is_each_hosts_own_and_a_host_that_joins_is_held_against_the_majority(fleet: Engine) -> None:
    with writing(fleet) as connection:
        assert pin_today(connection, ADA, "today", "env:prod", "the start", NOON) == (1, 3)
        more(connection, ["3.4", "3.4", "3.4"])
        found = references(connection)
        assert {name: found[name] for name in ("web-1", "db-1", "prod-web-0")} == {
            "web-1": ("baseline:today", "3.7"),
            "db-1": ("baseline:today", "3.4"),
            "prod-web-0": ("env:prod,role=web", "3.4"),
        }
        by_id = references_for(connection, hosts.all_hosts(connection), NOON)
        web, other = (hosts.named(connection, name)[0].id for name in ("web-1", "web-2"))
        assert by_id[web] is by_id[other]
        assert idna(resolve(connection, "baseline:today", NOON).fingerprint) == "3.7"


def test_nothing_is_asked_of_the_database_for_each_host(fleet: Engine) -> None:
    def asked(connection: Connection) -> int:
        counted = 0

        def count(*_: object) -> None:
            nonlocal counted
            counted += 1

        event.listen(connection, "before_cursor_execute", count)
        references_for(connection, hosts.all_hosts(connection), NOON)
        event.remove(connection, "before_cursor_execute", count)
        return counted

    with writing(fleet) as connection:
        more(connection, ["3.4"] * 3)
        few = asked(connection)
        more(connection, ["3.4"] * 20, role="mail")
        assert asked(connection) <= few


def test_a_baseline_of_one_environment_is_for_no_host_of_that_name_in_another(database: Engine) -> None:
    dev = Actor("token:dev", Role.OPERATOR, frozenset({"dev"}))
    with writing(database) as connection:
        other = reported(connection, "web-1", host(packages({"idna": "3.7"})), NOON, "prod")
        own = reported(connection, "mine", host(packages({"idna": "0.1"})), NOON, "dev")
        hosts.change(connection, own.id, name="web-1")
        pin(connection, dev, Proposal("sly", "host:web-1", "", "it looks right"), None, NOON)
        assert approve(connection, dev, "sly", 1, NOON)
        found = references_for(connection, hosts.all_hosts(connection), NOON)
    assert {id: one.name for id, one in found.items()} == {own.id: "baseline:sly"}
    assert other.id not in found
