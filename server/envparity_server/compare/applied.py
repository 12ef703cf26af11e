"""What of a declaration applies in one installed environment, by the names that things have there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from envparity_agent.fingerprint import Attributes, FingerprintLike, Items, SectionLike
from envparity_agent.kinds import LOCK_ITEM
from envparity_server.compare.covering import container_of
from envparity_server.compare.markers import Known
from envparity_server.compare.model import LIST, LOCK
from envparity_server.compare.versions import equal

_CONDA = "conda:"


@dataclass(frozen=True)
class Applied:
    """What applies, by the names that the installed side has for it."""

    items: Items
    unsure: frozenset[str]  # names of which it is not known whether, or in which form, they apply
    form: str  # LOCK or LIST
    unchosen: frozenset[str] = frozenset()  # names that are not there, as nobody chose their extra or group


def apply(declared: SectionLike, installed: SectionLike, side: FingerprintLike) -> Applied:
    """What a section of kind `declared` asks for where `installed`, a section of `side`, is."""
    there = installed.items
    known = Known.of(there, system_of(installed, side))
    owners = dict(_conda_owners(there))
    qualified = {name.partition(":")[0]: name for name in sorted(there, reverse=True)}  # libc6:amd64
    groups: dict[str, list[tuple[Attributes, bool | None]]] = {}
    for key, body in declared.items.items():
        if key == LOCK_ITEM:
            continue
        holds = known.holds(str(body["marker"])) if body.get("marker") else True
        if holds is not False:
            name = _name_there(key.partition("#")[0], there, owners, qualified)
            groups.setdefault(name, []).append((body, holds))
    items: dict[str, Attributes] = {}
    unsure: set[str] = set()
    unchosen: set[str] = set()
    for name, candidates in groups.items():
        found, sure = _chosen(candidates, there.get(name))
        if name not in there:
            chosen = found.get("optional")
            is_open = isinstance(chosen, tuple) and "unknown" in chosen  # the file does not tell who asks for it
            if chosen and not is_open:
                unchosen.add(name)
                continue  # of a group that nobody chose, or a constraint
            sure = sure and not is_open and not _is_of_conda_alone(name, there)
        items[name] = found
        unsure |= set() if sure else {name}
    form = LOCK if (declared.items.get(LOCK_ITEM) or {}).get("complete") else LIST
    return Applied(items, frozenset(unsure), form, frozenset(unchosen))


def _chosen(
    candidates: Sequence[tuple[Attributes, bool | None]], installed: Attributes | None
) -> tuple[Attributes, bool]:
    """What is asked for, and whether that is sure: of several that may apply, the one that is installed."""
    sure = [body for body, holds in candidates if holds]
    if len(sure) == len(candidates):
        return (_joined(sure), True) if len(sure) > 1 else (sure[0], True)
    version = str((installed or {}).get("version") or "")
    for body, _ in candidates:
        if installed is not None and body.get("version") and equal(str(body["version"]), version):
            return body, True
    return candidates[0][0], False


def _joined(bodies: Sequence[Attributes]) -> Attributes:
    """Several declarations that all apply: what is installed has to fit each."""
    versions = {str(body["version"]) for body in bodies if body.get("version")}
    ranges = {part for body in bodies for part in str(body.get("specifier") or "").split(",") if part}
    if len(versions) == 1 and not ranges:
        return next(body for body in bodies if body.get("version"))
    facts = {key: value for body in bodies for key, value in body.items() if key not in ("version", "specifier")}
    if not all(body.get("optional") for body in bodies):
        facts.pop("optional", None)
    return {**facts, "specifier": ",".join(sorted({f"=={one}" for one in versions} | ranges))}


def _name_there(name: str, there: Items, owners: Mapping[str, str], qualified: Mapping[str, str]) -> str:
    """The installed side's name of what is declared: conda's package may be a Python distribution, or own one."""
    if name in there:
        return name
    if not name.startswith(_CONDA):
        return qualified.get(name, name)
    plain = canonicalize_name(name.removeprefix(_CONDA))
    return plain if plain in there else owners.get(name.removeprefix(_CONDA), name)


def _conda_owners(there: Items) -> Iterator[tuple[str, str]]:
    """Package of conda's -> the distribution that it brings: pytorch brings torch."""
    for name, body in there.items():
        owner = str(body.get("owner") or "")
        if owner.startswith(_CONDA) and "#" not in name:
            yield owner.removeprefix(_CONDA).partition(" ")[0], name


def _is_of_conda_alone(name: str, there: Items) -> bool:
    """Whether a package of conda's is missing where nothing is of conda's: it may be there by another name."""
    of_conda = (
        one.startswith(_CONDA) or str(body.get("owner") or "").startswith(_CONDA) for one, body in there.items()
    )
    return name.startswith(_CONDA) and name not in there and not any(of_conda)


def system_of(installed: SectionLike, side: FingerprintLike) -> Items:
    """The items of the section `os` of the host or the container that an environment is in; none where not read."""
    inside = container_of(side.sections, installed.path)
    found = side.sections.get(f"{inside}/os" if inside else "os")
    return found.items if found else {}
