"""A witness of links: what is used of another distribution, and is there on the good side and not on the bad one.

Nothing runs: what symbols tell of both sides is followed, name by name. What cannot be known is no evidence.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from envparity_agent.fingerprint import SectionLike
from envparity_server.explain.defined import Module, read_module
from envparity_server.explain.environment import environment_of
from envparity_server.explain.importing import Environment
from envparity_server.explain.model import Evidence, Situation, Suspect
from envparity_server.explain.values import Missing, Outcome, Unknown

_USE = re.compile(r"^(\d+)([a-z]*) (.+)$", re.DOTALL)
# points of a broken link by who has it, and of its marks: a plain use runs whenever the module is imported
_OF_APPLICATION, _OF_DISTRIBUTION, _OF_OTHERS = 9.5, 6.0, 2.5
_MARKS = {"f": 0.8, "c": 0.85, "g": 0.35}
_UNSURE = 0.6  # of the points, where the good side's answer is not known
_OF_USER = 0.5  # of the points, against a user that changed as well
_FURTHER = (1.0, 0.3, 0.15)  # of the points of each user after another one


@dataclass(frozen=True)
class Link:
    """A use that is broken on the bad side."""

    user: str  # item of the distribution, or nothing: the application
    module: str
    line: str
    marks: str
    what: str
    missing: Missing
    provider: str
    is_sure: bool
    is_new: bool  # only the bad side's user has it
    is_lost: bool  # the good side surely has what is missing

    @property
    def weight(self) -> float:
        """How surely it breaks a run of what uses it."""
        weight = 1.0 if self.is_sure else _UNSURE
        for mark in self.marks:
            weight *= _MARKS.get(mark, 1.0)
        return weight


@dataclass(frozen=True)
class Sides:
    """The modules of an environment on both sides, and the versions of its distributions."""

    path: str
    good: Environment
    bad: Environment
    versions: tuple[Mapping[str, str], Mapping[str, str]]


def linking(situation: Situation) -> Iterator[Evidence]:
    """Evidence from broken links, of the application first, and of the distributions that it does not use the least."""
    counterparts = {pair.left: pair.right for pair in situation.comparison.pairs}
    for path in sorted({one.section for one in situation.suspects}):
        good = situation.good.sections.get(path)
        bad = situation.bad.sections.get(counterparts.get(path, path))
        if good and bad and good.kind == bad.kind == "python":
            sides = _sides(path, situation, good, bad)
            yield from _evidence(situation, sides, list(links(sides, situation.application)))


def _sides(path: str, situation: Situation, good: SectionLike, bad: SectionLike) -> Sides:
    versions = tuple({name: str(body.get("version") or "") for name, body in one.items.items()} for one in (good, bad))
    return Sides(
        path, environment_of(situation.good, good), environment_of(situation.bad, bad), (versions[0], versions[1])
    )


def links(sides: Sides, application: SectionLike | None = None) -> Iterator[Link]:
    """Every broken link, in the order of the modules that use."""
    for name in sorted(application.items) if application else ():
        module = read_module(name, "", "", application.items[name]) if application else None
        yield from _of_module(sides, module, None) if module else ()
    for name in sorted(sides.bad.modules):
        yield from _of_module(sides, sides.bad.modules[name], sides.good.modules.get(name))


def _of_module(sides: Sides, module: Module, before: Module | None) -> Iterator[Link]:
    earlier = {use.partition(" ")[2] for use in before.uses} if before else set()
    for use in module.uses:
        match = _USE.match(use)
        if match is None or "t" in match[2]:
            continue
        line, marks, what = match.groups()
        if module.distribution and sides.bad.owner(_top(use)) == module.distribution:
            continue  # of one version with itself
        missing = _outcome(sides.bad, what)
        if not isinstance(missing, Missing):
            continue
        was = _outcome(sides.good, what)
        is_own = not module.distribution
        provider = missing.provider or sides.good.owner(missing.module)
        # only a new use, which nothing guards, can need what neither side has; it is not known of one that was not read
        is_new = bool(earlier) and what not in earlier
        is_needed = not is_own and (is_new or before is None) and "g" not in marks and bool(provider)
        if isinstance(was, Missing) and not is_needed:
            continue  # it is broken on both sides
        provider = provider or missing.importer
        if provider == module.distribution:
            continue
        is_sure = not isinstance(was, Unknown) or was.certain
        is_lost = is_sure and not isinstance(was, Missing)
        yield Link(module.distribution, module.name, line, marks, what, missing, provider, is_sure, is_new, is_lost)


def _outcome(side: Environment, what: str) -> Outcome:
    """What a use gives on a side; of a class the first base that is missing."""
    if what.startswith("import "):
        return side.imported(what.removeprefix("import "))
    if what.startswith("from ") and " import " in what:
        source, _, name = what.removeprefix("from ").partition(" import ")
        return side.imported(source, name)
    if what.startswith("class "):
        found = [side.follow(base) for base in what.partition("(")[2][:-1].split(", ") if base != "…"]
        return next((one for one in found if isinstance(one, Missing)), Unknown(certain=True))
    return side.follow(what)


def _evidence(situation: Situation, sides: Sides, found: Sequence[Link]) -> Iterator[Evidence]:
    """One sentence for each user and suspect, about its plainest broken link; further users count less and less."""
    reached = _reached(sides, situation.application)
    grouped: dict[Suspect, dict[str, list[tuple[float, Link]]]] = {}
    for link in found:
        points = link.weight * _points(link, reached)
        user, provider = Suspect(sides.path, link.user), Suspect(sides.path, link.provider)
        if link.is_new and link.user:
            blamed = [(user, 1.0), (provider, _OF_USER)]
        else:
            blamed = [(provider, 1.0), (user, _OF_USER)]
        for suspect, share in blamed:
            if suspect.item and suspect in situation.suspects:
                grouped.setdefault(suspect, {}).setdefault(link.user, []).append((share * points, link))
    for suspect, users in sorted(grouped.items()):
        ranked = sorted(users.values(), key=lambda one: (-max(points for points, _ in one), one[0][1].user))
        for number, broken in enumerate(ranked):
            points, link = min(broken, key=lambda one: (-one[0], one[1].module, int(one[1].line)))
            share = _FURTHER[min(number, len(_FURTHER) - 1)] if number < 6 else 0.0
            more = min(1.0, 0.2 * log2(len(broken)))
            yield Evidence(suspect, round(share * (points + more), 2), sentence(sides, link, len(broken) - 1))


def _points(link: Link, reached: frozenset[str] | None) -> float:
    if not link.user:
        return _OF_APPLICATION
    return _OF_DISTRIBUTION if reached is None or link.user in reached else _OF_OTHERS


def _reached(sides: Sides, application: SectionLike | None) -> frozenset[str] | None:
    """The distributions that the application imports, and those that these import; None without its source."""
    if application is None:
        return None
    by_module: dict[str, set[str]] = {}
    for name, module in sides.bad.modules.items():
        by_module.setdefault(name.partition(".")[0], set()).add(module.distribution)
    uses: dict[str, set[str]] = {}
    for module in sides.bad.modules.values():
        uses.setdefault(module.distribution, set()).update(map(_top, module.uses))
    own = [read_module(name, "", "", body) for name, body in application.items.items()]
    pending = [top for module in own for top in map(_top, module.uses)]
    found: set[str] = set()
    while pending:
        for one in by_module.get(pending.pop(), set()) - found:
            found.add(one)
            pending.extend(uses.get(one, ()))
    return frozenset(found)


def _top(use: str) -> str:
    match = re.match(r"^\d+[a-z]* (?:import |from |class \w+\()?(\w*)", use)
    return match[1] if match else ""


def sentence(sides: Sides, link: Link, more: int) -> str:
    """What is broken, in words that a person can check."""
    file = sides.bad.file(link.module) if link.user else _own_file(link.module)
    who = (
        f"{link.user} {sides.versions[1].get(link.user, '')} ({file}:{link.line})"
        if link.user
        else f"{file}:{link.line}"
    )
    good, bad = (versions.get(link.provider, "") for versions in sides.versions)
    why = f"{link.missing.hint}; {link.missing.what}" if link.missing.hint else link.missing.what
    if link.provider and bad and bad != good and link.is_lost:
        where = f" in {link.provider} {bad}, unlike in {good}" if good else f" in {link.provider} {bad}"
    elif link.provider and bad:
        where = f" in {link.provider} {bad}"
    elif link.provider:
        where = f": {link.provider} {good} is not installed"
    else:
        where = ""
    rest = f", and {more} more such uses" if more > 1 else ", and one more such use" if more else ""
    return f"{who} {_in_words(link.what)}; {why}{where}{rest}"


def _own_file(name: str) -> str:
    return name if name.endswith(".py") else name.replace(".", "/") + ".py"


def _in_words(what: str) -> str:
    if what.startswith("import "):
        return f"imports {what.removeprefix('import ')}"
    if what.startswith("from "):
        source, _, name = what.removeprefix("from ").partition(" import ")
        return f"imports {name} from {source}"
    if what.startswith("class "):
        name, _, bases = what.removeprefix("class ").partition("(")
        return f"derives {name} from {bases[:-1]}"
    return f"calls {what}" if what.endswith(")") else f"uses {what}"
