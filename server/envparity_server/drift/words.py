"""A drift in one line: `python/srv/shop: requests 2.31.0 -> 2.32.0 on 3 of 40 hosts, since ..., actor unknown`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from envparity_agent.fingerprint import Value
from envparity_server.compare.groups import text
from envparity_server.drift.findings import Item, Key, Moved

STALE = "stale"  # the kind of a drift that is the silence of hosts

_MOST = 4  # names of a list that is not shown whole
_MOST_ITEMS = 3  # that are told with their values; hosts that are named
_LONGEST_VALUE = 60


@dataclass(frozen=True)
class Told:
    """What the words of a drift are made of; `items` are those that last, or the last ones where none does."""

    selector: str
    reference: str
    section: str
    kind: str
    moved: Moved
    items: Sequence[Item]
    names: Mapping[str, str]  # of hosts, by id
    peers: int  # hosts of the group
    converging: bool = False
    actor: str | None = None
    deploy: str | None = None  # what one has to do with it
    regressions: int = 0


def words(told: Told) -> str:
    """The line; it names values, numbers, times, and what is not known; the same in whatever order the items come."""
    told = replace(told, items=sorted(told.items, key=lambda one: (one.key, one.subject)))
    if told.kind == STALE:
        return _silence(told)
    parts = [f"{told.section}: {_what(told)} {_where(told)}"]
    if told.converging and _is_group(told):
        parts.append("converging")
    parts.append(since(told.items))
    if told.moved == Moved.REFERENCE:
        parts.append("the reference moved" if told.reference.startswith("baseline:") else "the others moved")
    parts.append(told.actor or "actor unknown")
    if told.deploy:
        parts.append(told.deploy)
    if told.regressions:
        parts.append("came again once" if told.regressions == 1 else f"came again {told.regressions} times")
    return ", ".join(part for part in parts if part)


def parted(line: str) -> tuple[str, str]:
    """A line of `words` as a heading, what and where, and what is known of how it came."""
    what, since, how = line.partition(", since ")
    return what, f"since {how}" if since else ""


def since(items: Sequence[Item]) -> str:
    """When the first of the items began, as far as is known."""
    windows = [(one.since_before, one.since_after) for one in items if one.since_before]
    if not windows:
        return "since the first report"
    before, after = min(windows, key=lambda one: one[0])
    if after is None:
        return f"since {before:%Y-%m-%d %H:%M} or before"
    return f"since between {_between(after, before)}"


def _between(after: datetime, before: datetime) -> str:
    shown = f"{before:%H:%M}" if after.date() == before.date() else f"{before:%Y-%m-%d %H:%M}"
    return f"{after:%Y-%m-%d %H:%M} and {shown} UTC"


def _silence(told: Told) -> str:
    last = sorted(one.since_after for one in told.items if one.since_after)
    environment = told.selector.removeprefix("env:")
    hosts = sorted(told.names.get(one.subject, one.subject) for one in told.items)
    if not last:
        return f"{_few(hosts)} of {environment} stopped reporting"
    count = f"{len(hosts)} of {told.peers} hosts" if len(hosts) > 1 else hosts[0]
    end = (told.items[0].since_before if len(last) == 1 else None) or last[-1]
    is_moment = end - last[0] < timedelta(minutes=1)
    when = f"at {last[0]:%Y-%m-%d %H:%M} UTC" if is_moment else f"between {_between(last[0], end)}"
    return f"{count} of {environment} stopped reporting {when}"


def _what(told: Told) -> str:
    keys = list(dict.fromkeys(one.key for one in told.items))
    values = {key: {(one.state, one.left, one.right) for one in told.items if one.key == key} for key in keys}
    names = list(dict.fromkeys(key.item or "the whole section" for key in keys))
    if len(keys) > _MOST_ITEMS or any(len(found) > 1 for found in values.values()):
        if len(names) == 1 and len(keys) == 1:
            return f"{_name(keys[0])} ({_few(sorted({_has(one) for one in told.items}))})"
        return f"{len(names)} items ({_few(names)})" if len(names) > 1 else f"{names[0]} ({len(keys)} attributes)"
    said = "; ".join(_item(told, key) for key in keys)
    return said if told.moved == Moved.HOST else f"{said}, compared with {told.reference},"


def _item(told: Told, key: Key) -> str:
    one = next(one for one in told.items if one.key == key)
    left, right = _value(one.left), _value(one.right)
    if key.attribute == "change":
        return f"{_name(key)} {left or f'not {right}'}"
    if one.state == "only_left":
        more = "was added" if told.moved == Moved.HOST else "is extra"
        return f"{key.item or 'all of it'}{f' {left}' if left else ''} {more}"
    if one.state == "only_right":
        gone = "was removed" if told.moved == Moved.HOST else "is missing"
        return f"{key.item or 'all of it'}{f' {right}' if right else ''} {gone}"
    return f"{_name(key)} {right} -> {left}" if told.moved == Moved.HOST else f"{_name(key)} {left}, not {right}"


def _has(item: Item) -> str:
    return _value(item.left) or ("there" if item.state == "only_left" else "not there")


def _name(key: Key) -> str:
    label = "" if key.attribute in ("", "version", "change", key.item) else f" {key.attribute}"
    return (key.item or "the whole section") + label


def _value(value: Value) -> str:
    shown = "" if value is True else text(value).removeprefix("sha256:")
    return shown if len(shown) <= _LONGEST_VALUE else f"{shown[:_LONGEST_VALUE]}…"


def _where(told: Told) -> str:
    subjects = sorted({one.subject for one in told.items})
    if not _is_group(told):
        return f"in {subjects[0]}"
    if len(subjects) == 1:
        return f"on {told.names.get(subjects[0], subjects[0])}"
    names = sorted(told.names.get(one, one) for one in subjects)
    named = f" ({', '.join(names)})" if len(names) <= _MOST_ITEMS else ""
    return f"on {len(subjects)} of {told.peers} hosts{named}"


def _is_group(told: Told) -> bool:
    return not told.items[0].subject.startswith("env:")


def _few(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    return ", ".join(names[:_MOST]) + (f" and {more} more" if more > 0 else "")
