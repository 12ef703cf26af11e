"""What is to be undone: an item on both sides, and where the bad side's is: on a host, in a container, in a file."""

import re
from dataclasses import dataclass

from envparity_agent.fingerprint import Attributes, FingerprintLike, Items, Section, SectionLike
from envparity_server.compare.covering import container_of
from envparity_server.compare.model import Difference
from envparity_server.explain.model import Cause, Situation
from envparity_server.explain.undo.words import command, line

HOST, CONTAINER, IMAGE, DOCKERFILE, COMPOSE, DECLARED = (
    "host", "container", "image", "dockerfile", "compose", "declared",
)  # fmt: skip
_LIBRARY = re.compile(r"/lib(?:64)?/(?:python|pypy)\d[\d.]*t?(?:/(?:site|dist)-packages)?$")
_FILES = frozenset({DOCKERFILE, COMPOSE, DECLARED})


@dataclass(frozen=True)
class Home:
    """Where something is: `form` is one of the words above, `name` the container's, the image's or the file's."""

    form: str
    name: str = ""
    service: str = ""  # of compose, where that started the container

    @property
    def is_built(self) -> bool:
        """Whether what is there comes from a Dockerfile, and would be lost if it was changed in place."""
        return self.form in (CONTAINER, IMAGE, DOCKERFILE)

    def in_dockerfile(self, text: str, number: object = None) -> str:
        """A line of its Dockerfile."""
        file = self.name if self.form == DOCKERFILE else "Dockerfile"
        return line(file, text, number if isinstance(number, int) else None)

    def rebuilt(self) -> tuple[str, ...]:
        """The command that builds and starts it anew, where it is known."""
        return (command("docker", "compose", "up", "-d", "--build", self.service),) if self.service else ()

    def recreated(self) -> tuple[str, ...]:
        """The command that starts it anew from its image, where it is known."""
        return (command("docker", "compose", "up", "-d", "--force-recreate", self.service),) if self.service else ()

    def to_be_rebuilt(self) -> str:
        """What else is to be done, in words, where no command is known."""
        return "" if self.service else "Then build the image anew, and start the container from it."


@dataclass(frozen=True)
class Sides:
    """One suspect with its sections; a side that does not have it has none, or no body."""

    situation: Situation
    item: str
    kind: str
    differences: tuple[Difference, ...]
    good: SectionLike | None
    bad: SectionLike | None

    @property
    def good_body(self) -> Attributes | None:
        """The item of the side that works."""
        return _body(self.good, self.item)

    @property
    def bad_body(self) -> Attributes | None:
        """The item of the side that fails."""
        return _body(self.bad, self.item)

    def of_other(self, path: str, item: str) -> "Sides":
        """Another item, of sections that have this path on both sides."""
        good, bad = (side.sections.get(path) for side in (self.situation.good, self.situation.bad))
        kind = next((one.kind for one in (good, bad) if one), "")
        return Sides(self.situation, item, kind, (), good, bad)

    @property
    def path(self) -> str:
        """The path of the section that is to be changed; of the good side's, where only that has one."""
        section = self.bad or self.good
        return section.path if section else ""

    @property
    def home(self) -> Home:
        """Where the bad side's item is, or would be."""
        return home_of(self.situation.bad, self.path)

    def good_text(self, attribute: str) -> str:
        """What the good side tells of it; empty for nothing."""
        return text_of(self.good_body, attribute)

    def bad_text(self, attribute: str) -> str:
        """What the bad side tells of it; empty for nothing."""
        return text_of(self.bad_body, attribute)


def sides_of(situation: Situation, cause: Cause) -> Sides:
    """The two sections of a cause: differences go by the path of the good side, where the two were paired."""
    path = cause.suspect.section
    pairs = situation.comparison.pairs
    to_bad = {one.left: one.right for one in pairs}
    to_good = {one.right: one.left for one in pairs}
    good = situation.good.sections.get(path) or situation.good.sections.get(to_good.get(path, ""))
    bad = situation.bad.sections.get(to_bad.get(path, path))
    return Sides(situation, cause.suspect.item, cause.kind, tuple(cause.differences), good, bad)


def home_of(side: FingerprintLike, path: str) -> Home:
    """Where what a section of a fingerprint tells is."""
    kind, name = side.target.kind, side.target.name
    if kind == COMPOSE:
        return Home(COMPOSE, name, path.removeprefix("container/").removesuffix("/config").rpartition(".")[2])
    if kind in _FILES or kind == IMAGE:
        return Home(kind, name)
    own = container_of(side.sections, path)
    if path in side.sections and side.sections[path].kind == "container":
        own = path
    if not own and kind == "container":
        own = next((one for one, section in side.sections.items() if section.kind == "container"), name)
    if not own:
        return Home(HOST)
    config = side.sections.get(f"{own}/config")
    label = (config.items if config else {}).get("label:com.docker.compose.service")
    return Home(CONTAINER, own.removeprefix("container/"), text_of(label, "value"))


def prefix_of(section: SectionLike, side: FingerprintLike) -> str:
    """The directory of an environment, such as /srv/app/.venv; empty where only its name is known."""
    inside = container_of(side.sections, section.path)
    name = section.path.removeprefix(f"{inside}/").removeprefix("python/")
    place = f"/{name}" if "/" in name else ""
    if isinstance(section, Section):  # as an agent told it: what it was given another name for has its place beside it
        place = str(section.observed.get("location") or f"/{name}")
    elif side.target.kind == "python":
        place = side.target.name
    return _LIBRARY.sub("", place)


def system_of(side: FingerprintLike, path: str) -> Items:
    """The items of the section `os` of the host or the container that a section is in; none where it was not read."""
    inside = container_of(side.sections, path)
    found = side.sections.get(f"{inside}/os" if inside else "os")
    return found.items if found else {}


def text_of(body: Attributes | None, attribute: str) -> str:
    """An attribute as text; empty where there is none."""
    value = (body or {}).get(attribute)
    return "" if value is None or value is False else str(value)


def _body(section: SectionLike | None, item: str) -> Attributes | None:
    """The item of a section; in a file one name may stand several times, each with a marker or a version behind it."""
    if section is None:
        return None
    found = section.items.get(item)
    if found is None and section.kind == "declared":
        return next((body for name, body in sorted(section.items.items()) if name.startswith(f"{item}#")), None)
    return found
