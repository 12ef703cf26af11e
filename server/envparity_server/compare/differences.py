"""Compares fingerprints section by section; equal hashes are never opened, and DeepDiff sees only what differs."""

from collections.abc import Iterator
from dataclasses import dataclass

from deepdiff import DeepDiff

from envparity_agent import kinds
from envparity_agent.canonical import canonical
from envparity_agent.fingerprint import (
    SPLIT,
    Attributes,
    FingerprintLike,
    Items,
    Reason,
    SectionLike,
    Status,
    Value,
    in_words,
)
from envparity_agent.kinds import CODE_ITEM, INTERPRETER_ITEM
from envparity_server.compare.by_hand import folded
from envparity_server.compare.code import compare_code, one_sided
from envparity_server.compare.covering import COVERING, container_of, covering, is_complete, is_known_absence
from envparity_server.compare.declared import DECLARED, declares_part, hold, is_held, narrowed, undeclared
from envparity_server.compare.images import TAG, compare_declared_images, compare_images, of_image, relation
from envparity_server.compare.model import Comparison, Difference, Distance, Pair, State, Unexamined
from envparity_server.compare.owned import counted_once, owner
from envparity_server.compare.packages import compare_packages
from envparity_server.compare.pairing import pair
from envparity_server.compare.python import compare_distributions
from envparity_server.compare.scope import EVERYTHING, Scope
from envparity_server.compare.values import HIDDEN, VALUE, compare_values
from envparity_server.compare.values import KINDS as KINDS_OF_VALUES
from envparity_server.compare.versions import equal, system_distance

IMAGE_CONFIGURATION = "image/config"
_TARGETS = {
    "compose": "a compose file",
    "container": "a container",
    "declared": "a requirements file or a lock",
    "dockerfile": "a Dockerfile",
    "environment": "the environment",
    "host": "the host",
    "image": "an image",
    "python": "a Python environment",
    "root": "a root directory",
}
_FOR_CAUSES = frozenset({"symbols"})  # kinds that are collected to explain, and never compared
# a finding's attribute -> where its value is, when the item has none of that name
_STAND_INS = {"specifier": "version", "metadata": "content"}


@dataclass(frozen=True)
class _Compared:
    """What one pair of sections gave."""

    differences: tuple[Difference, ...] = ()
    same: int = 0
    examined: int = 1
    unexamined: tuple[Unexamined, ...] = ()


def compare(left: FingerprintLike, right: FingerprintLike, scope: Scope = EVERYTHING) -> Comparison:
    """Hold two fingerprints against each other, as far as the scope asks for it."""
    differences: list[Difference] = []
    unexamined: list[Unexamined] = []
    pairs: list[Pair] = []
    held: list[tuple[str, str]] = []
    same = examined = 0
    voted = left.target.kind == right.target.kind == "environment"
    for one, other, paired in pair(left.sections, right.sections):
        if not any(scope.holds(side) for side in (one, other) if side):
            continue
        if one and other:
            outcome = _misplaced(one, other, left, right) or _sections(one, other, voted, (left, right))
            pairs.extend([paired] if paired else [])
            held.extend([(one.path, other.path)] if outcome.examined else [])
        elif one:
            outcome = _alone(one, left, right, State.ONLY_LEFT)
        elif other:
            outcome = _alone(other, right, left, State.ONLY_RIGHT)
        differences += outcome.differences
        unexamined += outcome.unexamined
        same += outcome.same
        examined += outcome.examined
    unexamined += dict.fromkeys((*_blind(left, scope), *_blind(right, scope)))
    unexamined += _not_there(left, right, scope)
    found = counted_once(
        folded(differences, pairs, left, right),
        lambda path: container_of(left.sections, path) or container_of(right.sections, path),
    )
    found.sort(key=lambda one: (one.section, one.item, one.attribute))
    return Comparison(
        left.target, right.target, tuple(found), same, examined, tuple(pairs), tuple(unexamined), held=tuple(held)
    )


def _misplaced(one: SectionLike, other: SectionLike, left: FingerprintLike, right: FingerprintLike) -> _Compared | None:
    """What a Dockerfile installs is in its image, and not on a host that happens to have packages as well."""
    for own, section, side in ((left, one, right), (right, other, left)):
        whole = own.target.kind == "dockerfile" and side.target.kind in ("host", "environment")
        if whole and not section.path.startswith("container/"):
            why = "a Dockerfile says what is in a container: compare it with container:NAME or its image"
            return _Compared(examined=0, unexamined=(Unexamined(section.path, why),))
    return None


def _blind(side: FingerprintLike, scope: Scope) -> Iterator[Unexamined]:
    """Lists outside the scope that are not complete, although the scope asks for what they list."""
    for prefix, path in COVERING.items():
        cover = side.sections.get(path)
        if cover and not is_complete(cover) and not scope.holds(cover) and scope.reaches(prefix):
            yield Unexamined(path, f"{in_words(cover)}: there may be more of {prefix}*")


def _not_there(left: FingerprintLike, right: FingerprintLike, scope: Scope) -> Iterator[Unexamined]:
    """What the scope names and neither side has: a misspelt path, or an application's part that could not be listed."""
    paths = left.sections.keys() | right.sections.keys()
    for name in scope.named():
        if name not in paths:
            yield Unexamined(name, "neither side has it")
    for prefix, path in COVERING.items() if scope.application else ():
        covers = [side.sections[path] for side in (left, right) if path in side.sections]
        held = any(
            scope.holds(one) for side in (left, right) for one in side.sections.values() if one.path.startswith(prefix)
        )
        if not held and any(not is_complete(one) for one in covers):
            yield Unexamined(path, f"{in_words(covers[0])}: {scope.application} may have something there")


def _alone(section: SectionLike, own: FingerprintLike, other: FingerprintLike, state: State) -> _Compared:
    """A section that only one side has: a difference only where the other side would have it if it were there."""
    container = container_of(own.sections, section.path)
    if (container and container not in other.sections) or section.kind in _FOR_CAUSES:
        return _Compared(examined=0)  # the container that it is in says it
    cover = covering(other, section.path)
    if cover is None:
        why = f"only one side has it: {_TARGETS.get(other.target.kind, other.target.kind)} has no such section"
        beyond = state == State.ONLY_RIGHT and other.target.kind not in ("host", "environment")
        return _Compared(examined=0, unexamined=(Unexamined(section.path, why, beyond),))
    if is_known_absence(section):
        return _Compared()  # neither side has it
    if section.status in (Status.FAILED, Status.ABSENT):
        unknown = Difference(section.path, section.kind, "", "", State.UNKNOWN)
        return _Compared((unknown,), examined=0, unexamined=(Unexamined(section.path, in_words(section)),))
    if not is_complete(cover):
        why = f"the other side's {cover.path} is {in_words(cover)}"
        unknown = Difference(section.path, section.kind, "", "", State.UNKNOWN)
        return _Compared((unknown,), examined=0, unexamined=(Unexamined(section.path, why),))
    return _Compared((Difference(section.path, section.kind, "", "", state),))


def _lists_all(section: SectionLike) -> bool:
    """Whether it is complete, or lacks nothing but values of its items, or what the file is based on."""
    lacking = set(section.reasons) <= {Reason.NO_KEY, Reason.DECLARED}
    return is_complete(section) or (section.status == Status.PARTIAL and lacking)


def _sections(
    left: SectionLike, right: SectionLike, voted: bool, sides: tuple[FingerprintLike, FingerprintLike]
) -> _Compared:
    unread = tuple(side for side in (left, right) if not is_complete(side) and set(side.reasons) != {Reason.DECLARED})
    why = " and ".join(
        f"{name}: {in_words(side)}" for name, side in (("left", left), ("right", right)) if side in unread
    )
    gaps: tuple[Unexamined, ...] = (Unexamined(left.path, why),) if unread else ()
    unknown = (
        (Difference(left.path, left.kind, "", "", State.UNKNOWN, in_words(left), in_words(right)),) if unread else ()
    )
    if any(side.status in (Status.FAILED, Status.ABSENT) for side in unread):
        return _Compared(unknown, examined=0, unexamined=gaps)
    split = tuple(_agreed_unknowns(left, right, voted))
    if left.hash == right.hash:
        return _Compared((*unknown, *split), same=left.count - len(split), unexamined=gaps)
    if is_held(left, right):
        held = hold(left, right, sides)
        return _Compared((*unknown, *held.differences), held.same, unexamined=(*gaps, *held.unexamined))
    names = kinds.compared_between((left.kind, left.schema), (right.kind, right.schema))
    if not names and left.kind == right.kind and any(kind == left.kind for kind, _ in kinds.KINDS):
        return _Compared(unknown, unexamined=gaps)  # a kind that is kept for people only
    if not names:
        return _Compared(
            (Difference(left.path, left.kind, "", "", State.UNKNOWN, left.kind, right.kind),),
            examined=0,
            unexamined=(Unexamined(left.path, f"{left.kind} and {right.kind} have nothing in common to compare"),),
        )
    ours, theirs = _opened(left, right)
    left_out = 0
    if declares_part(left) != declares_part(right):
        ours, theirs, more = narrowed(ours, theirs, declares_part(left))
        gaps += undeclared(left, more, beyond=declares_part(left))
        left_out = 0 if declares_part(left) else more
    if IMAGE_CONFIGURATION in (left.path, right.path):
        ours, theirs = of_image(ours), of_image(theirs)
        left_out, more = (side.count - len(of_image(side.items)) for side in (left, right))
        why = f"an image does not say how it is started: {left_out or more} more of the container are not compared"
        gaps += (Unexamined(left.path, why, beyond=not left_out),) if left_out or more else ()
    found = (*split, *_items(left, right, ours, theirs, names))
    common = left.items.keys() & right.items.keys() if split else ours.keys() & theirs.keys()
    same = left.count - left_out - len(ours.keys() - theirs.keys()) - len({one.item for one in found} & common)
    return _Compared((*unknown, *found), same=same, unexamined=gaps)


def _agreed_unknowns(left: SectionLike, right: SectionLike, voted: bool) -> Iterator[Difference]:
    """Items that are equal and unknown for all that: the hosts of neither side agree, or neither side has a key."""
    untold = Reason.NO_KEY in left.reasons and Reason.NO_KEY in right.reasons
    for item, body in left.items.items() if voted or untold else ():
        if right.items.get(item) != body:
            continue
        if SPLIT in body:
            yield Difference(left.path, left.kind, item, "", State.UNKNOWN, body[SPLIT], body[SPLIT])
        elif HIDDEN in body:
            yield Difference(left.path, left.kind, item, VALUE, State.UNKNOWN)


def _opened(left: SectionLike, right: SectionLike) -> tuple[Items, Items]:
    """The items of the pages that differ; all items where the two are paged unlike."""
    if len(left.page_hashes) != len(right.page_hashes):
        return left.items, right.items
    positions = [
        position
        for position, (one, other) in enumerate(zip(left.page_hashes, right.page_hashes, strict=True))
        if one != other
    ]
    return _joined(left, positions), _joined(right, positions)


def _joined(section: SectionLike, positions: list[int]) -> Items:
    return {name: body for position in positions for name, body in section.page(position).items()}


def _items(
    left: SectionLike, right: SectionLike, ours: Items, theirs: Items, names: frozenset[str]
) -> Iterator[Difference]:
    alone = ours.keys() ^ theirs.keys()
    for item in sorted(one_sided(left.items, right.items, alone) if left.kind == "application" else alone):
        body, other = (ours[item], right) if item in ours else (theirs[item], left)
        untold = left.schema != right.schema and not names & body.keys()
        if untold or not kinds.tells(other.kind, other.schema, item):
            continue  # an item of a kind that the older agent does not collect
        if left.kind == DECLARED and item.startswith("@"):
            continue  # a file need not say that it is a lock, or for which interpreters it is
        if left.kind == "container" and item == TAG and body.get("moved") is False:
            continue  # an image, and what was started by a digest, have no tag that could lead elsewhere
        state = State.ONLY_LEFT if item in ours else State.ONLY_RIGHT
        if not _lists_all(other) or SPLIT in body:
            state = State.UNKNOWN
        yield Difference(
            left.path, left.kind, item, leading(body), state,
            _shown(ours.get(item)), _shown(theirs.get(item)), owner=owner(ours.get(item), theirs.get(item)),
        )  # fmt: skip
    declared = declares_part(left) or declares_part(right)
    # wheels are built per Python version: where that differs, it is the one cause of their tags
    one_abi = ours.get(INTERPRETER_ITEM, {}).get("abi") == theirs.get(INTERPRETER_ITEM, {}).get("abi")
    both = [item for item in ours.keys() & theirs.keys() if ours[item] != theirs[item]]
    split = {item for item in both if SPLIT in ours[item] or SPLIT in theirs[item]}
    for item in sorted(split):
        yield Difference(left.path, left.kind, item, "", State.UNKNOWN, _shown(ours[item]), _shown(theirs[item]))
    told = [item for item in both if item not in split]
    for item, differing in _differing(ours, theirs, told, names).items():
        yield from _item(left, item, ours[item], theirs[item], differing, one_abi, declared)


def leading(attributes: Attributes) -> str:
    """The attribute that tells most about an item that only one side has."""
    told = ("version", "reference", "change", "commit", "tree", "command", VALUE)
    return next((name for name in told if name in attributes), "")


def _shown(attributes: Attributes | None) -> Value:
    if attributes is None:
        return None
    if SPLIT in attributes:
        return attributes[SPLIT]
    return attributes.get(leading(attributes), True)


def _differing(ours: Items, theirs: Items, items: list[str], names: frozenset[str]) -> dict[str, frozenset[str]]:
    """Item -> the compared attributes that differ."""
    kept = names | {"specifier"}

    def projected(body: Attributes) -> dict[str, object]:
        return {
            # a list as one value: which of its entries differ is told elsewhere, and is long to find
            name: canonical(value) if isinstance(value, tuple) else value
            for name, value in body.items()
            if name in kept and value is not None
        }

    found: dict[str, set[str]] = {}
    tree = DeepDiff(
        {item: projected(ours[item]) for item in items},
        {item: projected(theirs[item]) for item in items},
        view="tree",
        threshold_to_diff_deeper=0,
        ignore_private_variables=False,  # an item may be called __x
    )
    for changes in tree.values():
        for change in changes:
            path = change.path(output_format="list")
            found.setdefault(str(path[0]), set()).update(str(name) for name in path[1:2])
    return {item: frozenset(attributes) for item, attributes in sorted(found.items())}


def _item(
    section: SectionLike,
    item: str,
    left: Attributes,
    right: Attributes,
    differing: frozenset[str],
    one_abi: bool,
    declared: bool,
) -> Iterator[Difference]:
    if section.kind in ("python", "declared"):
        findings = compare_distributions(left, right, differing, one_abi)
    elif section.kind in KINDS_OF_VALUES:
        findings = compare_values(left, right, differing)
    elif section.kind == "os-packages":
        findings = compare_packages(left, right, differing)
    elif item == "image":
        findings = (compare_declared_images if declared else compare_images)(left, right)
    elif section.kind == "application" and item == CODE_ITEM:
        findings = compare_code(left, right, differing)
    else:
        implied = {"point_release"} if "version" in differing else set()
        findings = [(name, State.CHANGED, _distance(name, left, right)) for name in sorted(differing - implied)]
    marked = left.get("marker") != right.get("marker")  # two files may mean unlike environments
    ours, theirs = str(left.get("version") or ""), str(right.get("version") or "")
    for attribute, state, distance in findings:
        yield Difference(
            section.path, section.kind, item, attribute, State.UNKNOWN if marked else state,
            _value(attribute, left), _value(attribute, right), distance,
            version=ours if equal(ours, theirs) else "", owner=owner(left, right),
            origin=relation(left, right) if item == "image" and not declared else "",
        )  # fmt: skip


def _value(attribute: str, attributes: Attributes) -> Value:
    """What an attribute is; a declared range stands against the installed version."""
    return attributes.get(attribute, attributes.get(_STAND_INS.get(attribute, "")))


def _distance(attribute: str, left: Attributes, right: Attributes) -> Distance | None:
    if attribute not in ("version", "release", "point_release"):
        return None
    ours, theirs = left.get(attribute), right.get(attribute)
    return system_distance(str(ours), str(theirs)) if ours and theirs else None
