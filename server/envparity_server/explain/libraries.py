"""A witness of native libraries: a soname that is missing, older or newer, who loads it, and what brought it."""

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from envparity_agent.fingerprint import Attributes, as_texts
from envparity_server.compare.model import DRIFT_STATES, Distance
from envparity_server.compare.versions import system_distance
from envparity_server.explain.application import tops
from envparity_server.explain.model import Evidence, Situation
from envparity_server.explain.standing import Standing, standings

_MISSING = 8.0
_BROUGHT = 6.0  # the package that brought it, the distribution that newly asks for it
_NOT_IMPORTED = 0.3  # of the points, of a module of the standard library that the application does not import
_GONE = 2.0  # it is not there, and nobody is known to ask for it
_STEPS = {Distance.MAJOR: 2.5, Distance.MINOR: 1.0, Distance.PATCH: 0.0}
_MOST_NAMES = 3


def libraries(situation: Situation) -> Iterator[Evidence]:
    """Evidence from the libraries that Python environments load."""
    for standing in standings(situation, "libraries"):
        if not standing.is_known:
            continue
        good, bad = standing.good or {}, standing.bad or {}
        if bad.get("missing") and not good.get("missing"):
            yield from _missing(situation, standing, good, bad)
        elif standing.bad is None and not good.get("missing"):
            yield Evidence(standing.suspect, _GONE, f"the bad side does not have {standing.name}{_loaded_by(good)}")
        else:
            yield from _another(standing, good, bad)


def _missing(situation: Situation, standing: Standing, good: Attributes, bad: Attributes) -> Iterator[Evidence]:
    sentence = f"{standing.name} is not found on the bad side{_loaded_by(bad)}"
    share = 1.0 if _is_imported(situation, _users(bad)) else _NOT_IMPORTED
    yield Evidence(standing.suspect, share * _MISSING, sentence)
    brought_by = str(good.get("owner") or "").partition(" ")[0].partition(":")[2]
    newly = {canonicalize_name(one) for one in _users(bad)} if standing.good is None else set()
    for suspect, differences in sorted(situation.suspects.items()):
        if not any(one.state in DRIFT_STATES for one in differences):
            continue
        if differences[0].kind == "os-packages" and brought_by and suspect.item.partition(":")[0] == brought_by:
            yield Evidence(suspect, share * _BROUGHT, f"on the good side it brings {standing.name}; {sentence}")
        if differences[0].kind == "python" and suspect.item in newly:
            yield Evidence(suspect, _BROUGHT, f"{sentence}, and nobody asks for it on the good one")


def _is_imported(situation: Situation, users: tuple[str, ...]) -> bool:
    """Whether anything may load what these do: modules of the standard library only if the application imports them."""
    if situation.application is None or not all(one.startswith("_") for one in users):
        return True
    modules = {one.lstrip("_").partition("_")[0] for one in users}
    return bool(modules & tops(situation))


def _another(standing: Standing, good: Attributes, bad: Attributes) -> Iterator[Evidence]:
    was, is_now = str(good.get("version") or ""), str(bad.get("version") or "")
    if was and is_now and was != is_now:
        points = _STEPS.get(system_distance(_number(was), _number(is_now)), 0.5)
        yield Evidence(standing.suspect, points, f"{standing.name} is {is_now} instead of {was}{_loaded_by(bad)}")
    elif standing.good is not None and standing.bad is not None:
        yield Evidence(standing.suspect, -0.5, f"{standing.name} is another build{_loaded_by(bad)}")
    else:
        yield Evidence(standing.suspect, -1.0, f"{standing.name} is only on the bad side{_loaded_by(bad)}")


def _number(version: str) -> str:
    """The version without the words around it: `OpenSSL 3.0.15 3 Sep 2024` is 3.0.15."""
    return next((word for word in version.split() if word[:1].isdecimal() and "." in word), version)


def _loaded_by(body: Attributes) -> str:
    users = _users(body)
    if not users:
        return ""
    more = f" and {len(users) - _MOST_NAMES} more" if len(users) > _MOST_NAMES else ""
    return f"; it is loaded by {', '.join(users[:_MOST_NAMES])}{more}"


def _users(body: Attributes) -> tuple[str, ...]:
    return as_texts(body.get("used_by"))
