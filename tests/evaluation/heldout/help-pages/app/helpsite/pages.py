"""Pages are Markdown below a head of YAML."""

from dataclasses import dataclass
from pathlib import Path

import frontmatter
import markdown
from slugify import slugify


@dataclass(frozen=True)
class Page:
    slug: str
    title: str
    html: str


def load(directory: Path, settings: dict, drafts: bool) -> list[Page]:
    """All pages that are to be seen, by title."""
    renderer = markdown.Markdown(
        extensions=["toc", "tables", "fenced_code", *settings.get("extensions", ())],
        extension_configs={"toc": {"permalink": settings.get("permalink", False)}},
    )
    found = []
    for file in sorted(directory.glob("*.md")):
        post = frontmatter.load(str(file))
        if post.get("draft") and not drafts:
            continue
        found.append(Page(slugify(post["title"]), post["title"], renderer.reset().convert(post.content)))
    return sorted(found, key=lambda page: page.title)
