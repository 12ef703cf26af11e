"""Reads a page as a browser would: its text, its links, and everything in it that could run."""

from html.parser import HTMLParser

import httpx

URLS = ("href", "src", "action", "formaction", "hx-get", "hx-post")


class Seen(HTMLParser):
    """What a page shows and what it holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._inside = ""
        self.inline: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.inline.append(data)
        self.words.append(data)

    @property
    def text(self) -> str:
        """The text, with runs of white space as one space."""
        return " ".join(" ".join(self.words).split())

    @property
    def links(self) -> dict[str, str]:
        """Every address that the page leads to, with itself as key."""
        return {values["href"]: tag for tag, values in self.tags if tag == "a" and "href" in values}

    def values(self, tag: str, attribute: str) -> list[str]:
        """An attribute of every element of a kind that has it."""
        return [values[attribute] for name, values in self.tags if name == tag and attribute in values]

    def dangers(self) -> list[str]:
        """What could run something or load something from elsewhere."""
        found = [*self.inline]
        for tag, values in self.tags:
            found += [f"<{tag} {name}>" for name in values if name.startswith("on") or name in ("style", "srcdoc")]
            if tag in ("iframe", "object", "embed", "base", "svg", "math"):
                found.append(f"<{tag}>")
            for name in URLS:
                address = values.get(name, "/").strip().lower()
                local = address.startswith(("/", "?", "#")) and not address.startswith(("//", "/\\"))
                if not local:
                    found.append(f"<{tag} {name}={address}>")
        return found


def seen(answer: httpx.Response) -> Seen:
    """A page that was answered with HTML."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.text
    return Seen(answer.text)
