"""What a question is about: an application or some kinds, so that what nobody asked about cannot answer it."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import SectionLike
from envparity_agent.kinds import KINDS


@dataclass(frozen=True)
class Scope:
    """`only`: kinds of section, paths, or globs on paths; `application`: the name that ties sections together."""

    only: tuple[str, ...] = ()
    application: str = ""

    def holds(self, section: SectionLike) -> bool:
        """Whether a section is in the scope."""
        if self.application:
            return _belongs(section.path, self.application)
        return not self.only or any(
            section.kind == one or section.path == one or fnmatchcase(section.path, one) for one in self.only
        )

    def reaches(self, prefix: str) -> bool:
        """Whether a kind or a glob of the scope asks for whatever there is below a prefix: `container/`."""
        return any(one == prefix.rstrip("/") or ("*" in one and one.startswith((prefix, "*"))) for one in self.only)

    def named(self) -> tuple[str, ...]:
        """The paths that the scope asks for by their full name."""
        return tuple(one for one in self.only if "/" in one and "*" not in one)


EVERYTHING = Scope()


def parse_scope(only: str = "", application: str = "") -> Scope:
    """Read `--only KINDS` and `--app NAME`; raises UsageError for a word that is neither a kind nor a path."""
    if only and application:
        raise UsageError("--only and --app exclude each other", "give one of them")
    words = tuple(word.strip() for word in only.split(",") if word.strip())
    known = {kind for kind, _ in KINDS}
    for word in words:
        if word not in known and "/" not in word and "*" not in word:
            raise UsageError(f"{word} is no kind of section", f"kinds: {', '.join(sorted(known))}; or a path: python/*")
    return Scope(words, application)


def application_of(path: str, kind: str) -> str:
    """The application that a section belongs to by its name, empty for none: shop of app/shop and container/shop.web.

    A Python environment that nobody named has a path of several parts, and belongs to none.
    """
    top, _, name = path.partition("/")
    if (top, kind) == ("container", "container"):
        return name.partition("/")[0].partition("#")[0].partition(".")[0]
    return name if (top, kind) in (("app", "application"), ("python", "python")) and "/" not in name else ""


def _belongs(path: str, application: str) -> bool:
    """A section belongs to an application by its name: python/shop, app/shop, container/shop, container/shop.web/…."""
    name = path.split("/")[1:2]
    return bool(name) and (name[0] == application or name[0].startswith(f"{application}."))
