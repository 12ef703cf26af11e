"""Where tags of images pointed when their registries were asked, and which containers were started from which tag."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, or_, select

from envparity_agent.fingerprint import Attributes
from envparity_server.storage import content
from envparity_server.storage.actors import Environments
from envparity_server.storage.content import batches
from envparity_server.storage.tables import host, page_item, section_history, section_page, tag
from envparity_server.storage.upserts import putting

_IMAGE = "image"  # the item of a container that says what it runs
_TAG = "tag"  # and where the tag points on its own host
_LAYER = "layer:"  # how the items begin that say what was changed in it

Platforms = Mapping[str, Mapping[str, str]]  # os/architecture -> the digests of its image, by kind


@dataclass(frozen=True)
class Pointed:
    """What a tag points at: its digest, of the kind `index` or `manifest`, and each platform's digests.

    A lone manifest has one platform, by an empty name; a platform that the index lacks has no digest.
    """

    digest: str
    kind: str
    platforms: Platforms


@dataclass(frozen=True)
class Tag:
    """A tag as its registry was asked last; `pointed` is what it answered last, also where it failed since."""

    pointed: Pointed | None
    asked_at: datetime
    problem: str | None
    failures: int


@dataclass(frozen=True)
class Running:
    """A container of a host now; of identical replicas there is one."""

    host_id: str
    host: str
    environment: str
    section: str
    image: Attributes


def running(connection: Connection, seen: Environments = None) -> dict[str, list[Running]]:
    """The containers that hosts have now, by the reference that they were started from, both in their order."""
    where = [] if seen is None else [host.c.environment.in_(sorted(seen))]
    rows = connection.execute(
        select(
            host.c.id, host.c.name.label("host"), host.c.environment, section_history.c.path, section_page.c.page
        )
        .join_from(section_history, host, host.c.id == section_history.c.host_id)
        .join(section_page, section_page.c.section == section_history.c.hash)
        .join(page_item, page_item.c.page == section_page.c.page)
        .where(
            page_item.c.name == _IMAGE, section_history.c.kind == "container",
            section_history.c.path.startswith("container/"), section_history.c.last_seen.is_(None),
            host.c.retired_at.is_(None), *where,
        )
        .order_by(host.c.environment, host.c.name, host.c.id, section_history.c.path)
    ).all()  # fmt: skip
    pages = content.load(connection, (row.page for row in rows))
    found: dict[str, list[Running]] = {}
    for row in rows:
        image = pages[row.page]["items"][_IMAGE]
        if isinstance(image.get("reference"), str):
            one = Running(row.id, row.host, row.environment, row.path, image)
            found.setdefault(image["reference"], []).append(one)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Marks:
    """What a container's host itself says of it."""

    layers: int = 0  # what was changed in its writable layer
    is_behind: bool = False  # its engine has another image under the tag now


def marks(connection: Connection, seen: Environments = None) -> dict[tuple[str, str], Marks]:
    """What is said of each container of which there is something to say, by host id and section."""
    items = or_(page_item.c.name == _TAG, page_item.c.name.startswith(_LAYER, autoescape=True))
    where = [] if seen is None else [host.c.environment.in_(sorted(seen))]
    rows = connection.execute(
        select(host.c.id, section_history.c.path, section_page.c.page, page_item.c.name)
        .join_from(section_history, host, host.c.id == section_history.c.host_id)
        .join(section_page, section_page.c.section == section_history.c.hash)
        .join(page_item, page_item.c.page == section_page.c.page)
        .where(
            items, section_history.c.kind == "container", section_history.c.path.startswith("container/"),
            section_history.c.last_seen.is_(None), host.c.retired_at.is_(None), *where,
        )
    ).all()  # fmt: skip
    pages = content.recall(connection, (row.page for row in rows if row.name == _TAG))
    found: dict[tuple[str, str], Marks] = {}
    for row in rows:
        one = found.get((row.id, row.path), Marks())
        if row.name != _TAG:
            found[row.id, row.path] = replace(one, layers=one.layers + 1)
        elif pages[row.page]["items"][_TAG].get("moved") is True:
            found[row.id, row.path] = replace(one, is_behind=True)
    return found


def asked(connection: Connection) -> dict[str, Tag]:
    """Every tag that was asked, by its reference."""
    return {
        row.reference: Tag(
            Pointed(row.digest, row.kind, row.platforms) if row.digest else None,
            row.asked_at, row.problem, row.failures,
        )
        for row in connection.execute(select(tag))
    }  # fmt: skip


def put(connection: Connection, tags: Mapping[str, Tag]) -> None:
    """Write down how tags were asked, in the place of what was known of them."""
    rows = [
        {
            "reference": reference,
            "digest": one.pointed.digest if one.pointed else None,
            "kind": one.pointed.kind if one.pointed else None,
            "platforms": one.pointed.platforms if one.pointed else {},
            "asked_at": one.asked_at,
            "problem": one.problem,
            "failures": one.failures,
        }
        for reference, one in sorted(tags.items())
    ]
    for batch in batches(rows):
        connection.execute(putting(connection, tag), batch)


def forget(connection: Connection, references: Iterable[str]) -> None:
    """Take out tags that nobody runs any more."""
    for batch in batches(sorted(references)):
        connection.execute(delete(tag).where(tag.c.reference.in_(batch)))
