"""How a Python distribution goes back to what it is on the good side, checked against what the others require."""

import re
from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envparity_agent.fingerprint import Attributes, Items, as_texts
from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.compare.covering import container_of
from envparity_server.compare.markers import Known
from envparity_server.compare.versions import equal
from envparity_server.explain.model import Remedy
from envparity_server.explain.undo.code import checked_out
from envparity_server.explain.undo.conda import CONDA, conda_step, is_conda
from envparity_server.explain.undo.files import dropped, pinned
from envparity_server.explain.undo.installers import installer_of
from envparity_server.explain.undo.needs import Lack, installed_of, lacks
from envparity_server.explain.undo.pins import Plan, plan
from envparity_server.explain.undo.sides import Sides, system_of, text_of
from envparity_server.explain.undo.system import owned
from envparity_server.explain.undo.targets import Goal, goal_of, hashes_of
from envparity_server.explain.undo.words import listed, note

_BUILT_HERE = re.compile(r"-linux_\w+$")  # the tag of a wheel that nobody could publish
_TOLD = 3  # files that a note names
_PATCHED = "in the right container"  # how a comparison says that a container was changed in place


def of_distribution(sides: Sides) -> Remedy | None:
    """Undo what differs in one distribution; None for what no tool can name."""
    good, bad = sides.good_body, sides.bad_body
    if "#" in sides.item and sides.bad is not None and sides.bad.kind == "python":
        return None  # a second copy, which no installer knows of
    if sides.item.startswith(CONDA):
        step = conda_step(sides, sides.item, good) if good or bad else None
        return Remedy((step,)) if step else None
    if any(one.origin.endswith(_PATCHED) for one in sides.differences):
        return recreated(sides)
    if by_owner := owned(sides, good, bad):
        return by_owner
    if good is None:
        return _removed(sides) if bad is not None else None
    if bad is not None and good.get("editable") and bad.get("editable"):
        return _checked_out(good, bad)
    same = (
        bad is not None and equal(text_of(good, "version"), text_of(bad, "version")) and bool(text_of(good, "version"))
    )
    return _reinstalled(sides, good, bad or {}) if same and _is_installed(sides) else _moved(sides, good)


def recreated(sides: Sides) -> Remedy:
    """Start a container anew from its image, which what was changed in it is no part of."""
    known = sides.home.recreated()
    told = "" if known else f"Recreate the container {sides.home.name} from its image."
    return Remedy(known, note(told, "What was changed in it in place is gone then."))


def _is_installed(sides: Sides) -> bool:
    return sides.bad is None or sides.bad.kind == "python"


def _moved(sides: Sides, good: Attributes) -> Remedy | None:
    """Another version, or one that is missing: with whatever has to follow."""
    goods: Items = sides.good.items if sides.good else {}
    planned = _plan(sides)
    goals = {name: goal_of(name, good if name == sides.item else goods[name]) for name in planned.moved}
    own = goals[sides.item]
    if own is None or None in goals.values():
        return None
    known = {name: goal for name, goal in goals.items() if goal}
    told = [*_editable(sides.item, good), own.note, *_python_of(sides, planned), *_told(sides, planned)]
    if not _is_installed(sides):
        bads: Items = sides.bad.items if sides.bad else {}
        steps = [
            pinned(sides, goal.requirement, sides.bad_body if name == sides.item else bads.get(name),
                   hashes_of(goods.get(name)))
            for name, goal in known.items()
        ]  # fmt: skip
        return Remedy(tuple(steps), note(*told, *_hashed(sides, goods)))
    commands = _commands(sides, known, planned, told)
    return _placed(sides, commands, told)


def _commands(sides: Sides, goals: dict[str, Goal], planned: Plan, told: list[str]) -> list[str]:
    """The commands that install these; what a person has to know of them is added to `told`."""
    goods: Items = sides.good.items if sides.good else {}
    conda = [name for name in goals if is_conda(sides, goods.get(name))]
    steps = [step for name in conda if (step := conda_step(sides, name, goods[name]))]
    rest = [goal.requirement for name, goal in goals.items() if name not in conda]
    if rest:
        installer = installer_of(sides)
        # an installer would fetch what these require, and the good side works without
        open_ends = listed(sorted({one.wanted for one in lacks(planned.after, known_of(sides)) if one.owner in goals}))
        steps.append(installer.installed(rest, *(["--no-deps"] if open_ends else [])))
        told.append(f"Without what it requires: {open_ends} is not fulfilled, and not made so." if open_ends else "")
        told.append(installer.note)
    return steps


def _placed(sides: Sides, steps: list[str], told: list[str]) -> Remedy:
    """The steps where they are to be taken: those for a container stand in its Dockerfile, or are lost with it."""
    home = sides.home
    if not home.is_built:
        return Remedy(tuple(steps), note(*told))
    lines = [home.in_dockerfile(f"RUN {step}") for step in steps]
    return Remedy((*lines, *home.rebuilt()), note(*told, home.to_be_rebuilt()))


def _removed(sides: Sides) -> Remedy | None:
    """Take out what the good side does not have, unless something asks for it."""
    planned = _plan(sides)
    if planned.broken:
        asking = listed(sorted({f"{one.owner} requires {one.wanted}" for one in planned.broken}))
        return Remedy((), note(f"The good side does not have {sides.item}, but here {asking}."))
    goal = goal_of(sides.item, sides.bad_body or {})
    if goal is None:
        return None
    if not _is_installed(sides):
        step = dropped(sides, goal.requirement, sides.bad_body)
        return Remedy((step,), note(*_told(sides, planned))) if step else None
    goods: Items = sides.good.items if sides.good else {}
    rest = {name: found for name in planned.moved if name in goods and (found := goal_of(name, goods[name]))}
    first = conda_step(sides, sides.item, None) if is_conda(sides, sides.bad_body) else None
    told = list(_told(sides, planned))
    steps = [*_commands(sides, rest, planned, told), first or installer_of(sides).uninstalled(sides.item)]
    return _placed(sides, steps, told)


def _reinstalled(sides: Sides, good: Attributes, bad: Attributes) -> Remedy | None:
    """The same version with other content: once more, as the good side has it."""
    goal = goal_of(sides.item, good)
    if goal is None:
        return None
    if is_conda(sides, good):
        step = conda_step(sides, sides.item, good)
        return _placed(sides, [step] if step else [], [])
    hashes = [] if " @ " in goal.requirement else hashes_of(good)
    step = installer_of(sides).reinstalled(goal.requirement, hashes, *_form(sides.item, good, bad))
    unknown = "" if hashes or " @ " in goal.requirement else "Which archive the good side installed is not told."
    return _placed(sides, [step], [goal.note, unknown])


def of_files(sides: Sides) -> Remedy | None:
    """Put back the files of a distribution that were changed in place, at the version that is there."""
    if sides.bad_body is None:
        changed = listed([*_paths(sides.good_body, "modified"), *_paths(sides.good_body, "missing")][:_TOLD])
        told = f"On the good side {changed} of {sides.item} was changed in place: make a version of it that has this."
        return Remedy((), note(told))
    inside = container_of(sides.situation.bad.sections, sides.path)
    prefix = f"{inside}/" if inside else ""
    own = sides.of_other(f"{prefix}python/{sides.path.removeprefix(f'{prefix}verify/')}", sides.item)
    goal = goal_of(sides.item, own.bad_body or {})
    if goal is None or own.bad is None:
        return None
    return _placed(own, [installer_of(own).reinstalled(goal.requirement, hashes_of(own.bad_body))], [goal.note])


def _paths(body: Attributes | None, attribute: str) -> tuple[str, ...]:
    return as_texts((body or {}).get(attribute))


def _form(name: str, good: Attributes, bad: Attributes) -> list[str]:
    """Whether it was built where it is on one side, and comes as a wheel on the other."""
    here, there = (_is_built(one) for one in (good, bad))
    if here == there:
        return []
    return ["--no-binary" if here else "--only-binary", name]


def _is_built(body: Attributes) -> bool:
    tags = body.get("tags")
    return isinstance(tags, tuple) and any(_BUILT_HERE.search(one) for one in tags)


def _checked_out(good: Attributes, bad: Attributes) -> Remedy | None:
    """Both sides import it from a checkout: that goes to the commit of the good side."""
    from_file = text_of(bad, "source").removeprefix("file://")
    return checked_out(from_file, text_of(good, "head"), bool(good.get("dirty")), bool(bad.get("dirty")))


def _editable(name: str, good: Attributes) -> Iterator[str]:
    if good.get("editable"):
        head = text_of(good, "head")
        at = f" at commit {head}" if head else ""
        yield f"The good side imports {name} from a checkout{at}: the version may be on no index."


def _plan(sides: Sides) -> Plan:
    goods: Items = sides.good.items if sides.good else {}
    bads: Items = sides.bad.items if sides.bad else {}
    return plan(installed_of(goods), installed_of(bads), [sides.item], known_of(sides))


def known_of(sides: Sides) -> Known:
    """The environment that markers are evaluated in: the bad side's, or the good one's where that is only a file."""
    for section, side in ((sides.bad, sides.situation.bad), (sides.good, sides.situation.good)):
        if section is not None and section.kind == "python":
            return Known.of(section.items, system_of(side, section.path))
    return Known("", "", "", "")


def _told(sides: Sides, planned: Plan) -> Iterator[str]:
    """What follows and why, what would be broken, and what it was checked against."""
    goods: Items = sides.good.items if sides.good else {}
    for name, lack in planned.moved.items():
        if lack is not None:
            yield f"{name} {text_of(goods.get(name), 'version')} goes with it, as {_why(lack)}."
    for one in planned.broken:
        yield f"No version of the good side helps: {_why(one)}."
    bads: Items = sides.bad.items if sides.bad else {}
    if not any("requires" in body for body in (*bads.values(), *goods.values())):
        yield "What the others require is not told: this is not checked against it."


def _why(lack: Lack) -> str:
    return f"{lack.owner} requires {lack.wanted}"


def _python_of(sides: Sides, planned: Plan) -> Iterator[str]:
    """Which of them are not made for the interpreter of the bad side."""
    bads: Items = sides.bad.items if sides.bad else {}
    python = text_of(bads.get(INTERPRETER_ITEM), "version")
    for name in planned.moved:
        body = (sides.good.items if sides.good else {}).get(name)
        wanted = text_of(body, "requires_python")
        try:
            fits = not python or not wanted or SpecifierSet(wanted).contains(python, prereleases=True)
        except InvalidSpecifier:
            continue
        if not fits:
            yield f"{name} {text_of(body, 'version')} requires Python {wanted}, and the bad side has {python}."


def _hashed(sides: Sides, goods: Items) -> Iterator[str]:
    if (sides.bad_body or {}).get("hashes") and not hashes_of(goods.get(sides.item)):
        yield "The file allows only archives by their hashes: renew these as well."
