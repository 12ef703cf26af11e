"""Decides which section of one fingerprint is held against which of the other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from envparity_agent.fingerprint import SectionLike
from envparity_server.compare.covering import container_of
from envparity_server.compare.model import Pair

_ENVIRONMENTS = frozenset({"python", "declared"})  # what is declared pairs with what is installed
_ENOUGH = 0.3  # share of names in common from which two environments are taken as the same one

Sections = Mapping[str, SectionLike]


def pair(left: Sections, right: Sections) -> Iterator[tuple[SectionLike | None, SectionLike | None, Pair | None]]:
    """Yield each section of either side once, with its counterpart where there is one.

    Equal paths first; then Python environments with unlike paths, the surest pair first.
    """
    for path in sorted(left.keys() & right.keys()):
        yield left[path], right[path], None
    lefts = [left[path] for path in sorted(left.keys() - right.keys())]
    rights = [right[path] for path in sorted(right.keys() - left.keys())]
    named = "python" not in left and "python" not in right  # both by a person, and not all that a host has
    for one, other, score, why in _environments(left, right, lefts, rights):
        lefts.remove(one)
        rights.remove(other)
        paired = Pair(one.path, other.path, why, sure=named or score >= _ENOUGH)
        yield one, other, paired
        files, others = _files(left, one), _files(right, other)
        if files and others and files in lefts and others in rights:
            lefts.remove(files)
            rights.remove(others)
            yield files, others, replace(paired, left=files.path, right=others.path)
    for one, other in _containers(left, right, lefts, rights):
        lefts.remove(one)
        rights.remove(other)
        yield one, other, Pair(one.path, other.path, "the two containers that were named")
        for inner in [inner for inner in lefts if inner.path.startswith(f"{one.path}/")]:
            same = next((two for two in rights if two.path == other.path + inner.path.removeprefix(one.path)), None)
            if same:
                lefts.remove(inner)
                rights.remove(same)
                yield inner, same, Pair(inner.path, same.path, "the two containers that were named")
    for one in lefts:
        yield one, None, None
    for other in rights:
        yield None, other, None


def _environments(
    left: Sections, right: Sections, lefts: Iterable[SectionLike], rights: Iterable[SectionLike]
) -> list[tuple[SectionLike, SectionLike, float, str]]:
    """Environments that are the nearest to each other; those of a host are never held against those of a container."""
    ours = [one for one in lefts if _is_environment(one)]
    theirs = [one for one in rights if _is_environment(one)]
    alone = len(ours) == 1 or len(theirs) == 1  # a person named this one: it is compared with what is nearest
    scored = sorted(
        (
            (*_score(one, other), one, other)
            for one in ours
            for other in theirs
            if alone or container_of(left, one.path) == container_of(right, other.path)
        ),
        key=lambda row: (-row[0], row[2].path, row[3].path),
    )
    pairs: list[tuple[SectionLike, SectionLike, float, str]] = []
    taken: set[str] = set()
    for score, why, one, other in scored:
        left_key, right_key = f"<{one.path}", f">{other.path}"
        if (score >= _ENOUGH or alone) and not {left_key, right_key} & taken:
            taken |= {left_key, right_key}
            pairs.append((one, other, score, why))
    return pairs


def _files(sections: Sections, environment: SectionLike) -> SectionLike | None:
    """The section that holds the files of an environment against their RECORDs."""
    inside = container_of(sections, environment.path)
    prefix = f"{inside}/" if inside else ""
    return sections.get(f"{prefix}verify/{environment.path.removeprefix(f'{prefix}python/')}")


def _is_environment(section: SectionLike) -> bool:
    """Whether a section has Python distributions; a Dockerfile declares OS packages as well."""
    return section.kind in _ENVIRONMENTS and not section.path.endswith("os-packages")


def _containers(
    left: Sections, right: Sections, lefts: list[SectionLike], rights: list[SectionLike]
) -> list[tuple[SectionLike, SectionLike]]:
    """The one container of either side, where a person named a container and no host with all that it runs."""
    if "containers" in left or "containers" in right:
        return []
    ours = [one for one in lefts if one.kind == "container"]
    theirs = [one for one in rights if one.kind == "container"]
    return [(ours[0], theirs[0])] if len(ours) == len(theirs) == 1 else []


def _score(left: SectionLike, right: SectionLike) -> tuple[float, str]:
    """How surely two environments are the same one under two names, and why."""
    ours, theirs = _names(left), _names(right)
    # a file need not name what its packages need themselves: only what it names counts
    by_file = [names for side, names in ((left, ours), (right, theirs)) if side.kind == "declared"]
    whole = by_file[0] if len(by_file) == 1 else ours | theirs
    common = len(ours & theirs) / len(whole) if whole else 0.0
    if _place(left.path) == _place(right.path) != left.path:
        return 2 + common, "the same place, another Python version"
    return common, f"{round(common * 100)} % of the package names in common"


def _names(section: SectionLike) -> set[str]:
    if section.kind == "declared":  # one name under several markers
        asked = (name for name, body in section.items.items() if not name.startswith("@") and not body.get("optional"))
        return {name.partition("#")[0] for name in asked}
    return {name for name in section.items if not name.startswith("@") and "#" not in name}


def _place(path: str) -> str:
    """The path of an interpreter's library without its version: usr/lib/python3.11 and 3.13 are one place."""
    return path.rstrip("0123456789.t") if "/lib/python" in path or "/lib64/python" in path else path
