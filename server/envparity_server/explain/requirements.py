"""A witness of requirements: what is unmet on the bad side and met on the good one, and who did not move along."""

import re
from collections.abc import Iterator, Sequence
from math import log2

from packaging.utils import canonicalize_name

from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.compare.model import Distance
from envparity_server.compare.versions import equal, python_distance
from envparity_server.explain.blame import blamed, differs
from envparity_server.explain.installed import Environments, Wanted, environments, requirement, within
from envparity_server.explain.model import Evidence, Situation, Suspect

_UNMET = 7.0
_LEFT_BEHIND = {Distance.MAJOR: 2.0, Distance.MINOR: 0.5}
_MOST_NAMES = 3

# `idna<4,>=2.5 (has 1.0)`, `six (not installed)`, as the agent tells what is unmet
_LACK = re.compile(r"^(?P<wanted>[^()]+) \((?:not installed|has [^()]*)\)$")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def requirements(situation: Situation) -> Iterator[Evidence]:
    """Evidence from what installed distributions require of each other and of their interpreter."""
    for environment in environments(situation, "python", "declared"):
        yield from _unmet(situation, environment)
        yield from _unmet_python(situation, environment)
        if environment.bad.tells_requirements:
            yield from _dependants(situation, environment)


def _unmet(situation: Situation, environment: Environments) -> Iterator[Evidence]:
    for by, body in sorted(environment.bad.items.items()):
        before = environment.good.items.get(by, {}).get("unmet")
        known = {_name(one) for one in before} if isinstance(before, tuple) else set()
        lacks = body.get("unmet")
        for lack in lacks if isinstance(lacks, tuple) else ():
            told = _LACK.match(lack)
            if told and _name(lack) not in known:  # else the good side works without it as well
                yield from _lacking(situation, environment, by, told["wanted"])


def _name(text: str) -> str:
    found = _NAME.match(text)
    return canonicalize_name(found[0]) if found else ""


def _lacking(situation: Situation, environment: Environments, by: str, text: str) -> Iterator[Evidence]:
    """Evidence against the one that is required, the one that requires, or both."""
    wanted = requirement(text)
    if wanted is None:
        return
    name = canonicalize_name(wanted.name)
    was, is_now = environment.good.version(name), environment.bad.version(name)
    before = environment.good.requirements_on(by, name)
    alone = {
        Suspect(environment.path, name): any(not is_now or one.allows(is_now) is False for one in before),
        Suspect(environment.path, by): not was or within(wanted.specifier, was) is False,
    }
    there = f"the bad side has {is_now}" if is_now else "the bad side does not have it"
    then = f"the good one has {was}" if was else "nor has the good one"
    sentence = f"{by} {environment.bad.version(by)} requires {text}: {there}, {then}"
    yield from blamed(situation, alone, _UNMET, sentence)


def _unmet_python(situation: Situation, environment: Environments) -> Iterator[Evidence]:
    """Distributions that are not for the interpreter that they are installed for."""
    was, is_now = environment.good.interpreter, environment.bad.interpreter
    for name, body in sorted(environment.bad.items.items()) if is_now else ():
        wanted = str(body.get("requires_python") or "")
        before = str(environment.good.items.get(name, {}).get("requires_python") or "")
        if within(wanted, is_now) is not False or (was and within(before, was) is False):
            continue
        alone = {
            Suspect(environment.path, name): bool(was) and within(wanted, was) is False,
            Suspect(environment.path, INTERPRETER_ITEM): within(before, is_now) is False,
        }
        then = f", the good one {was}" if was else ""
        sentence = f"{name} {environment.bad.version(name)} requires Python {wanted}: the bad side has {is_now}{then}"
        yield from blamed(situation, alone, _UNMET, sentence)


def _dependants(situation: Situation, environment: Environments) -> Iterator[Evidence]:
    """How many depend on what differs, and which of these did not move while it took a step."""
    for suspect in sorted(situation.suspects):
        is_here = suspect.section == environment.path and suspect.item in environment.bad.items
        if not is_here or not differs(situation, suspect):
            continue
        wanted = environment.bad.required.get(suspect.item, ())
        if wanted:
            yield Evidence(suspect, min(1.0, log2(1 + len(wanted)) / 3), _depending([one.by for one in wanted]))
            yield from _left_behind(suspect, environment, wanted)
        else:
            yield Evidence(suspect, -1.0, "nothing else there requires it: only the application can use it")


def _depending(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    shown = [*names[:_MOST_NAMES], *([f"{more} more"] if more > 0 else [])]
    if len(shown) == 1:
        return f"{shown[0]} depends on it"
    return f"{', '.join(shown[:-1])} and {shown[-1]} depend on it"


def _left_behind(suspect: Suspect, environment: Environments, wanted: Sequence[Wanted]) -> Iterator[Evidence]:
    """Dependants that are the same on both sides, and whose authors could not know the version that they get now."""
    was, is_now = environment.good.version(suspect.item), environment.bad.version(suspect.item)
    step = breaking_step(was, is_now)
    if step not in _LEFT_BEHIND:
        return
    stayed = [one for one in wanted if equal(environment.good.version(one.by), environment.bad.version(one.by))]
    unbound = [one for one in stayed if not one.has_upper_bound and one.allows(is_now) is not False]
    if not stayed:
        yield Evidence(suspect, -0.5, "all that depend on it moved along with it")
    if unbound:
        first, others = unbound[0], len(unbound) - 1
        more = f"; so did {others} more that depend on it" if others else ""
        points = _LEFT_BEHIND[step] + min(1.0, 0.25 * others)
        known = (
            "no upper bound keeps it from" if first.specifier is not None else "nothing tells whether it is ready for"
        )
        yield Evidence(
            suspect, points,
            f"{first.by} {environment.bad.version(first.by)} stayed as it was and requires {first.text}: "
            f"{known} a {step} step{more}",
        )  # fmt: skip


def breaking_step(was: str, is_now: str) -> Distance:
    """The distance of two versions as a promise of compatibility: below 1.0 a minor step may break as a major one.

    https://semver.org/#spec-item-4
    """
    step = python_distance(was, is_now)
    return Distance.MAJOR if step == Distance.MINOR and was.startswith("0.") and is_now.startswith("0.") else step
