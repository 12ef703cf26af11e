"""Writes the digests: the newest stories of the topics that a reader follows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digest.settings import Settings
from jinja2 import Environment, PackageLoader
from markdown import markdown

DATA = Path(__file__).parent.parent / "data"


@dataclass(frozen=True)
class Digest:
    to: str
    subject: str
    html: str


def digests(settings: Settings) -> Iterator[Digest]:
    template = Environment(loader=PackageLoader("digest"), autoescape=True).get_template("digest.html")
    stories = json.loads((DATA / "stories.json").read_text())
    stories.sort(key=lambda one: one["at"], reverse=True)
    for reader in json.loads((DATA / "readers.json").read_text()):
        wanted = [one for one in stories if one["topic"] in reader["topics"]][: settings.stories]
        if wanted:
            texts = [{**one, "html": markdown(one["text"])} for one in wanted]
            html = template.render(reader=reader, stories=texts, track_opens=settings.track_opens)
            yield Digest(reader["mail"], f"{len(wanted)} stories for you, {reader['name']}", html)
