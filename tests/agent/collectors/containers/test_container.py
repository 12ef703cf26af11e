"""Checks what is said of running containers, by an engine that gives recorded answers over a real socket."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envparity_agent.collectors import INSIDE
from envparity_agent.collectors.containers.changes import topmost_changes
from envparity_agent.collectors.containers.container import MAX_CHANGES
from envparity_agent.fingerprint import Fingerprint, Reason, Section, Status
from tests.agent.collectors.answers import (
    CHANGES,
    CONFIG_DIGEST,
    INDEX_DIGEST,
    INFO_CONTAINERD,
    MANIFEST_DIGEST,
    NEWER_DIGEST,
    VERSION_148,
    Engine,
    compose,
    container,
    containerd_image,
    image,
    running_engine,
)
from tests.agent.roots import fingerprint_of
from tests.agent.trees import system

WEB = "container/shop.web"


@pytest.fixture
def engine() -> Iterator[Engine]:
    with running_engine() as started:
        yield started


@pytest.fixture
def host(tmp_path: Path) -> Path:
    return system(tmp_path)


def containers(found: Fingerprint) -> dict[str, Section]:
    return {path: section for path, section in found.sections.items() if section.kind == "container"}


def test_an_engine_that_runs_nothing_is_well(host: Path, engine: Engine) -> None:
    section = fingerprint_of(host, engine.url).sections["containers"]
    assert (section.status, section.schema) == (Status.OK, 2)
    assert section.items == {
        "consent": {"level": "inside"},
        "engine": {
            "version": "20.10.24",
            "api": "1.41",
            "store": "graphdriver",
            "cgroup": "2",
            "kernel": "6.1.0-18-amd64",
            "rootless": False,
        },
    }


def test_a_container_is_told_by_the_image_that_it_runs(host: Path, engine: Engine) -> None:
    engine.has(container("a", "web"))
    section = fingerprint_of(host, engine.url).sections["container/web"]
    assert section.status is Status.OK
    assert section.items["image"]["config"] == CONFIG_DIGEST
    assert section.items["image"]["reference"] == "registry.example:5000/shop/web:1.4"
    assert section.items["tag"] == {"moved": False, "points_at": CONFIG_DIGEST}
    assert section.observed == {"id": "a" * 12, "name": "web", "instances": 1}


def test_a_container_under_containerds_store_has_its_manifest(host: Path, engine: Engine) -> None:
    engine.answers |= {
        "/version": VERSION_148,
        "/info": INFO_CONTAINERD,
        f"/images/{INDEX_DIGEST}/json": containerd_image(),
        "/images/registry.example:5000/shop/web:1.4/json": containerd_image(),
    }
    engine.has(container("a", "web", Image=INDEX_DIGEST, ImageManifestDescriptor={"digest": MANIFEST_DIGEST}))
    found = fingerprint_of(host, engine.url)
    facts = found.sections["container/web"].items["image"]
    assert (facts["manifest"], facts["index"]) == (MANIFEST_DIGEST, INDEX_DIGEST)
    assert "config" not in facts
    assert found.sections["containers"].items["engine"]["store"] == "containerd"


def test_a_tag_that_moved_on_is_said(host: Path, engine: Engine) -> None:
    engine.has(container("a", "web"))
    engine.answers["/images/registry.example:5000/shop/web:1.4/json"] = image(NEWER_DIGEST)
    section = fingerprint_of(host, engine.url).sections["container/web"]
    assert section.items["tag"] == {"moved": True, "points_at": NEWER_DIGEST}
    assert section.items["image"]["config"] == CONFIG_DIGEST


@pytest.mark.parametrize("declared", [CONFIG_DIGEST, CONFIG_DIGEST[7:], CONFIG_DIGEST[7:19]])
def test_an_id_is_no_reference_and_no_tag(host: Path, engine: Engine, declared: str) -> None:
    engine.has(container("a", "web", Config={"Image": declared}))
    engine.answers[f"/images/{declared}/json"] = image(NEWER_DIGEST)
    items = fingerprint_of(host, engine.url).sections["container/web"].items
    assert "reference" not in items["image"]
    assert "tag" not in items


@pytest.mark.parametrize("declared", [f"x@{CONFIG_DIGEST}", f"host:5000/x:1@{CONFIG_DIGEST}"])
def test_what_names_a_digest_has_no_tag_that_could_move(host: Path, engine: Engine, declared: str) -> None:
    engine.has(container("a", "web", Config={"Image": declared}))
    engine.answers[f"/images/{declared}/json"] = image(NEWER_DIGEST)
    assert "tag" not in fingerprint_of(host, engine.url).sections["container/web"].items


def test_a_tag_that_is_gone_is_no_fault_of_the_container(host: Path, engine: Engine) -> None:
    engine.has(container("a", "web"))
    del engine.answers["/images/registry.example:5000/shop/web:1.4/json"]
    section = fingerprint_of(host, engine.url).sections["container/web"]
    assert section.status is Status.OK
    assert "tag" not in section.items


def test_an_image_that_is_gone_leaves_a_partial_section(host: Path, engine: Engine) -> None:
    engine.has(container("a", "web"))
    del engine.answers[f"/images/{CONFIG_DIGEST}/json"]
    section = fingerprint_of(host, engine.url).sections["container/web"]
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.VANISHED,))
    assert "image" not in section.items


def test_equal_replicas_are_one(host: Path, engine: Engine) -> None:
    engine.has(container("a", "shop-web-1", compose("web")), container("b", "shop-web-2", compose("web")))
    found = containers(fingerprint_of(host, engine.url))
    assert set(found) == {WEB}
    assert found[WEB].observed["instances"] == 2


def test_unequal_replicas_are_numbered(host: Path, engine: Engine) -> None:
    odd = container("c", "shop-web-3", compose("web"))
    engine.has(container("a", "shop-web-1", compose("web")), container("b", "shop-web-2", compose("web")), odd)
    engine.answers[f"/containers/{odd['Id']}/changes"] = [{"Path": "/patched", "Kind": 1}]
    found = containers(fingerprint_of(host, engine.url))
    assert set(found) == {f"{WEB}#1", f"{WEB}#2"}
    assert sorted(section.observed["instances"] for section in found.values()) == [1, 2]  # type: ignore[type-var]


def test_containers_of_other_names_are_no_replicas(host: Path, engine: Engine) -> None:
    """Two names with the same image and no change have the same facts, but each is one container."""
    engine.has(container("a", "blue"), container("b", "green"))
    found = containers(fingerprint_of(host, engine.url))
    assert {path: section.observed["instances"] for path, section in found.items()} == {
        "container/blue": 1,
        "container/green": 1,
    }


def test_the_order_in_which_the_engine_lists_them_never_matters(host: Path, engine: Engine) -> None:
    some = [container(one, f"shop-web-{one}", compose("web")) for one in "abc"]
    roots = set()
    for order in (some, some[::-1]):
        engine.has(*order)
        engine.answers[f"/containers/{some[0]['Id']}/changes"] = [{"Path": "/patched", "Kind": 1}]
        roots.add(fingerprint_of(host, engine.url).root)
    assert len(roots) == 1


@pytest.mark.parametrize("part", ["json", "changes"])
def test_a_container_that_ends_while_it_is_asked_about_is_left_out(host: Path, engine: Engine, part: str) -> None:
    engine.has(container("a", "web"), container("b", "db"))
    engine.answers[f"/containers/{'b' * 64}/{part}"] = 404
    found = fingerprint_of(host, engine.url)
    assert set(containers(found)) == {"container/web"}
    assert found.sections["containers"].status is Status.OK


def test_a_container_of_which_the_engine_fails_to_tell_fails_alone(host: Path, engine: Engine) -> None:
    engine.has(container("a", "web"), container("b", "worker"))
    engine.answers[f"/containers/{'a' * 64}/json"] = 500
    sections = fingerprint_of(host, engine.url).sections
    failed = {path for path, section in sections.items() if path.startswith("container/web") and not section.items}
    assert failed == {"container/web", "container/web/config", *(f"container/web/{one.path}" for one in INSIDE)}
    assert {sections[path].status for path in failed} == {Status.FAILED}
    assert sections["container/worker"].status is sections["containers"].status is Status.OK


def test_changes_that_the_engine_does_not_tell_leave_the_rest_of_the_container(host: Path, engine: Engine) -> None:
    engine.has(container("a", "web"), changes=500)
    section = fingerprint_of(host, engine.url).sections["container/web"]
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.UNREACHABLE,))
    assert set(section.items) == {"image", "tag"}


@pytest.mark.parametrize("path", ["/version", "/info", "/containers/json"])
@pytest.mark.parametrize("answer", [500, b"<html>", b'{"cut', None, b"[1, 2]", b'"text"'], ids=repr)
def test_an_answer_that_is_none_fails_and_takes_nothing_with_it(
    host: Path, engine: Engine, path: str, answer: Any
) -> None:
    engine.has(container("a", "web"))
    engine.answers[path] = answer
    found = fingerprint_of(host, engine.url)
    section = found.sections["containers"]
    assert section.status is Status.FAILED
    assert section.reasons
    assert found.sections["os"].status is found.sections["os-packages"].status is Status.OK


def test_an_engine_that_says_nothing_is_not_waited_for(
    host: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envparity_agent.collectors.containers.client.TIMEOUT_SECONDS", 0.2)
    at_the_end = threading.Event()
    engine.answers["/info"] = at_the_end
    try:
        section = fingerprint_of(host, engine.url).sections["containers"]
    finally:
        at_the_end.set()
    assert (section.status, section.reasons) == (Status.FAILED, (Reason.TIMEOUT,))


def test_what_is_no_json_is_said_to_be_invalid(host: Path, engine: Engine) -> None:
    engine.answers["/info"] = b"<html>"
    assert fingerprint_of(host, engine.url).sections["containers"].reasons == (Reason.INVALID,)


def test_an_engine_is_only_ever_asked_with_get(host: Path, engine: Engine) -> None:
    engine.has(container("a", "web"), changes=CHANGES)
    fingerprint_of(host, engine.url)
    assert {method for method, _ in engine.requests} == {"GET"}
    assert {path.split("/")[1] for _, path in engine.requests} == {"version", "info", "containers", "images"}


def test_what_was_patched_in_place_is_told_at_its_topmost_path(host: Path, engine: Engine) -> None:
    engine.has(container("a", "web"), changes=CHANGES)
    items = fingerprint_of(host, engine.url).sections["container/web"].items
    assert {name: body["change"] for name, body in items.items() if name.startswith("layer:")} == {
        "layer:/usr/lib/python3/six.py": "modified",
        "layer:/opt/tool": "added",
        "layer:/etc/motd": "deleted",
    }


@pytest.mark.parametrize("directory", ["/sbin", "/usr/sbin"])
def test_where_the_engine_mounts_its_init_nothing_was_changed_by_hand(
    host: Path, engine: Engine, directory: str
) -> None:
    changes = [{"Path": directory, "Kind": 0}, {"Path": f"{directory}/docker-init", "Kind": 1}]
    engine.has(container("a", "web"), changes=changes)
    assert set(fingerprint_of(host, engine.url).sections["container/web"].items) == {"image", "tag"}
    engine.has(container("a", "web"), changes=[*changes, {"Path": f"{directory}/tool", "Kind": 1}])
    items = fingerprint_of(host, engine.url).sections["container/web"].items
    assert set(items) == {"image", "tag", f"layer:{directory}/tool"}


def test_no_change_at_all_is_none(host: Path, engine: Engine) -> None:
    engine.has(container("a", "web"), changes=b"null")  # what the engine answers then
    section = fingerprint_of(host, engine.url).sections["container/web"]
    assert section.status is Status.OK
    assert set(section.items) == {"image", "tag"}


def test_more_changes_than_the_cap_are_said(host: Path, engine: Engine) -> None:
    engine.has(
        container("a", "web"), changes=[{"Path": f"/srv-{number}", "Kind": 1} for number in range(MAX_CHANGES + 1)]
    )
    section = fingerprint_of(host, engine.url).sections["container/web"]
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.CAP,))
    assert section.count == MAX_CHANGES + 2


def test_a_change_of_an_unknown_kind_is_kept_as_such() -> None:
    assert topmost_changes([{"Path": "/x", "Kind": 7}]) == {"/x": "kind-7"}


def test_a_directory_that_was_replaced_keeps_what_was_deleted_below() -> None:
    changes = [{"Path": "/srv", "Kind": 0}, {"Path": "/srv/a", "Kind": 2}, {"Path": "/srv/ab", "Kind": 1}]
    assert topmost_changes(changes) == {"/srv/a": "deleted", "/srv/ab": "added"}


@pytest.mark.parametrize("volatile", ["/run/x", "/var/log/app.log", "/root/.cache/pip", "/dev/x", "/etc/resolv.conf"])
def test_places_that_a_container_writes_to_in_its_work_do_not_count(volatile: str) -> None:
    assert topmost_changes([{"Path": volatile, "Kind": 1}]) == {}
    assert topmost_changes([{"Path": f"/srv{volatile}", "Kind": 1}]) != {}
