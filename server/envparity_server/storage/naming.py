"""Items that are in use now, found by a part of their name."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select, true

from envparity_server.storage.actors import Environments
from envparity_server.storage.items import key_of
from envparity_server.storage.tables import host, page_item, section_history, section_page


@dataclass(frozen=True, order=True)
class Named:
    """An item of sections of a kind."""

    item: str
    kind: str


def named(connection: Connection, part: str, kinds: Collection[str], seen: Environments = None) -> list[Named]:
    """The items with a text in their name, whatever its capital letters, that some host has now, by name.

    What is there beside the one of its name (requests#lib) is not told again.
    """
    fits = page_item.c.name.icontains(key_of(part), autoescape=True), page_item.c.name.not_like("%#%")
    pages = select(page_item.c.page).where(*fits).distinct().subquery()
    # one section of one host is enough: a page may be shared by thousands
    kind = (
        select(section_history.c.kind)
        .join_from(section_page, section_history, section_history.c.hash == section_page.c.section)
        .join(host, host.c.id == section_history.c.host_id)
        .where(
            section_page.c.page == pages.c.page,
            section_history.c.last_seen.is_(None),
            section_history.c.kind.in_(sorted(kinds)),
            host.c.retired_at.is_(None),
            true() if seen is None else host.c.environment.in_(sorted(seen)),
        )
        .limit(1)
        .scalar_subquery()
    )
    kind_of = {row.page: row.kind for row in connection.execute(select(pages.c.page, kind.label("kind"))) if row.kind}
    rows = connection.execute(select(page_item.c.page, page_item.c.name).where(*fits))
    return sorted({Named(row.name, kind_of[row.page]) for row in rows if row.page in kind_of})
