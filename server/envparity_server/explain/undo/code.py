"""How the code of an application goes back to what runs on the good side."""

import re

from envparity_agent.kinds import CODE_ITEM
from envparity_server.explain.model import Remedy
from envparity_server.explain.undo.sides import HOST, Sides, text_of
from envparity_server.explain.undo.words import command, note

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_FILE = "file:"


def of_code(sides: Sides) -> Remedy | None:
    """Undo what differs in the code of an application, or in one of its files."""
    good, bad = sides.good_body, sides.bad_body
    place = _place(sides)
    if sides.item.startswith(_FILE):
        return copied(sides, f"{place}/{sides.item.removeprefix(_FILE)}", good is None)
    if good is None:
        return None
    for attribute in ("commit", "revision"):
        commit = text_of(good, attribute)
        if commit and sides.home.is_built:
            return _built(sides, commit)
        if commit and attribute == "commit":
            return checked_out(place, commit, bool(good.get("dirty")), bool((bad or {}).get("dirty")))
    return copied(sides, place, removed=False) if text_of(good, "tree") else None


def checked_out(place: str, commit: str, good_dirty: bool, bad_dirty: bool) -> Remedy | None:
    """The commit of the good side, after what is in none was put aside."""
    if not _COMMIT.fullmatch(commit):
        return None
    at = ("git", "-C", place) if place else ("git",)
    aside = (command(*at, "stash", "--include-untracked"),) if bad_dirty else ()
    told = "The good side has changes that are in no commit: commit them there first." if good_dirty else ""
    return Remedy((*aside, command(*at, "checkout", commit)), note(told))


def copied(sides: Sides, path: str, removed: bool) -> Remedy:
    """A file or a directory as it is on the good side; what only the bad side has is taken away."""
    home = sides.home
    if removed:
        if home.is_built:
            return Remedy((), note(f"The good side does not have {path}: build the image without it."))
        return Remedy((command("rm", path),), "The good side does not have it.")
    if home.is_built:
        return Remedy((home.in_dockerfile(f"COPY {command(path.rpartition('/')[2], path)}"), *home.rebuilt()),
                      note("With the content that the good side has.", home.to_be_rebuilt()))  # fmt: skip
    good = sides.situation.good.target
    if good.kind == HOST and not good.name.startswith("-"):
        return Remedy((command("scp", "-r", f"{good.name}:{path}", path),))
    return Remedy((), note(f"Copy {path} from the good side."))


def _built(sides: Sides, commit: str) -> Remedy | None:
    if not _COMMIT.fullmatch(commit):
        return None
    return Remedy((command("git", "checkout", commit), *sides.home.rebuilt()), note(sides.home.to_be_rebuilt()))


def _place(sides: Sides) -> str:
    """The directory of the application on the bad side; on the good one where only that tells it."""
    for section in (sides.bad, sides.good):
        found = text_of(section.items.get(CODE_ITEM) if section else None, "location")
        if found:
            return found.rstrip("/")
    return ""
