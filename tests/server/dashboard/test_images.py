"""Tests of the page Images: what runs under a tag, where, whether the tag moved, and what was changed in place."""

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest

from envparity_agent.fingerprint import Attributes, Fingerprint, Section
from envparity_server.app import create_app
from envparity_server.settings import ServerSettings
from envparity_server.storage import tags
from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing
from envparity_server.storage.tags import Pointed, Tag
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.dashboard.test_hostile import HOSTILE
from tests.server.fleet import reported
from tests.server.making import ENGINE, host, section

WEB, JOB = "registry.test/shop/web:1", "registry.test/shop/job:1"
OLD, NEW, CONFIG = (f"sha256:{letter * 64}" for letter in "abc")


def runs(reference: str, items: dict[str, Attributes] | None = None, **image: str) -> Fingerprint:
    """A host with a container that was started from a reference."""
    plain: Attributes = {"reference": reference, "platform": "linux/amd64", **image}
    return host(ENGINE, section("container/shop.web", {"image": plain, **(items or {})}, schema=2))


@pytest.fixture
def fleet(pages: Asking) -> Asking:
    """A tag that moved under one of three hosts, and one that nobody asked for, with a container that was patched."""
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        reported(connection, "web-1", runs(WEB, manifest=NEW, config=CONFIG), now)
        reported(connection, "web-2", runs(WEB, config=CONFIG), now)  # the same image, by fewer digests
        reported(connection, "web-3", runs(WEB, manifest=OLD), now)
        patched: dict[str, Attributes] = {
            "layer:/etc/shop.conf": {"change": "modified"},
            "layer:/tmp/x": {"change": "added"},
        }
        reported(connection, "dev-1", runs(JOB, patched, manifest=NEW), now, "dev")
        tags.put(connection, {WEB: Tag(Pointed(NEW, "manifest", {"": {"manifest": NEW}}), now, None, 0)})
    settings = ServerSettings.model_construct(registries=())
    return Asking(create_app(pages.engine, settings), pages.engine, pages.headers)


def test_an_empty_server_says_what_to_do_next(pages: Asking) -> None:
    assert "No container yet" in seen(pages.get("/images")).text


def test_a_tag_that_moved_comes_first_with_who_was_left_behind(fleet: Asking) -> None:
    page = seen(fleet.get("/images"))
    assert page.text.index(WEB) < page.text.index(JOB)
    assert "The tag points at sha256:aaaaaaaa…" not in page.text
    assert "The tag points at sha256:bbbbbbbb…, of the kind manifest" in page.text
    assert "◆ tag moved, container did not the manifest digest is not that of the tag's image" in page.text
    assert "2 references · 1 tag moved, container did not · 1 not the same everywhere · 1 changed in place" in page.text
    assert (
        "Where the tag points is not known: the setting registries does not name registry.test: not asked" in page.text
    )


def test_an_image_is_one_by_whatever_digest_of_one_kind_it_has(fleet: Asking) -> None:
    text = seen(fleet.get("/images", q="web")).text
    assert "the one that most run web-1 prod, shop.web web-2 prod, shop.web" in text
    assert "another image · compare web-1 and web-3" in text


def test_digests_of_unlike_kinds_are_never_said_to_differ(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        reported(connection, "web-1", runs(WEB, manifest=NEW), datetime.now(UTC))
        reported(connection, "web-2", runs(WEB, config=CONFIG), datetime.now(UTC))
    text = seen(pages.get("/images")).text
    assert "its digests are of another kind: it cannot be held against the others" in text
    assert "0 not the same everywhere" in text


def test_a_container_that_was_changed_in_place_is_told(fleet: Asking) -> None:
    page = seen(fleet.get("/images", only="patched"))
    assert (WEB in page.text, JOB in page.text) == (False, True)
    assert "◆ patched in place" in page.text
    assert any(
        one.endswith("?section=container%2Fshop.web") or "section=container/shop.web" in one for one in page.links
    )


def test_what_was_changed_in_place_is_shown_against_a_container_that_was_not(pages: Asking) -> None:
    patched: dict[str, Attributes] = {"layer:/srv/app.py": {"change": "modified"}}
    with writing(pages.engine) as connection:
        one = reported(connection, "web-1", runs(WEB, config=CONFIG), datetime.now(UTC))
        other = reported(connection, "web-2", runs(WEB, patched, config=CONFIG), datetime.now(UTC))
    page = seen(pages.get("/images", only="patched"))
    assert "compare web-2 and web-1" in page.text
    sides = urlencode({"left": f"host:{other.id}#container/shop.web", "right": f"host:{one.id}#container/shop.web"})
    assert f"/compare?{sides}" in page.links


def test_what_the_host_itself_says_of_its_tag_is_told(pages: Asking) -> None:
    moved: dict[str, Attributes] = {"tag": {"moved": True, "points_at": NEW}}
    same: dict[str, Attributes] = {"tag": {"moved": False}}
    with writing(pages.engine) as connection:
        reported(connection, "web-1", runs(WEB, moved, config=CONFIG), datetime.now(UTC))
        reported(connection, "web-2", runs(JOB, same, config=CONFIG), datetime.now(UTC))
    text = seen(pages.get("/images", only="moved")).text
    assert "another image has the tag on the host itself" in text
    assert (WEB in text, JOB in text) == (True, False)


def test_images_are_filtered_and_paged(pages: Asking) -> None:
    with writing(pages.engine) as connection:
        many = [
            Section(f"container/c{number}", "container", 2, {"image": {"reference": f"registry.test/i{number:02}:1"}})
            for number in range(30)
        ]
        reported(connection, "web-1", host(ENGINE, *many), datetime.now(UTC))
    assert "30 references, page 1 of 2" in seen(pages.get("/images")).text
    assert "i29:1" in seen(pages.get("/images", page="2")).text
    assert "No image matches" in seen(pages.get("/images", q="nothing")).text
    assert pages.get("/images", only="all").status_code == 422


def test_a_person_sees_and_counts_only_what_is_theirs(fleet: Asking) -> None:
    text = seen(fleet.as_person("ada", Role.VIEWER, frozenset({"dev"})).get("/images")).text
    assert (WEB in text, JOB in text, "web-1" in text) == (False, True, False)
    assert "1 reference" in text
    assert "No container yet" in seen(fleet.as_person("eve", Role.VIEWER, frozenset()).get("/images")).text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(pages: Asking, text: str) -> None:
    items: dict[str, Attributes] = {f"layer:{text}": {"change": text}, "tag": {"moved": True, "points_at": text}}
    image: Attributes = {"reference": text, "platform": text, "manifest": text, "config": text}
    with writing(pages.engine) as connection:
        one = Section(f"container/{text}", "container", 2, {"image": image, **items})
        reported(connection, text, host(ENGINE, one), datetime.now(UTC), text)
    for address in ("/images", f"/images?q={quote(text, safe='')}"):
        page = seen(pages.get(address))
        assert page.dangers() == []
        assert " ".join(text.split()) in page.text
