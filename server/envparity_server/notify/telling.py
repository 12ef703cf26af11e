"""Puts a drift into words that can be sent anywhere: foreign names in them are one line, and do nothing."""

import re

from envparity_agent.terminal import printable
from envparity_server.compare import values
from envparity_server.compare.groups import text, wording
from envparity_server.compare.model import UNKNOWN_STATES, Difference, Severity, State
from envparity_server.notify.interface import Item, Notification
from envparity_server.storage.causes import Cause, Place

MOST_ITEMS = 20
_MOST_NAMES = 3
_LONGEST = {"value": 60, "name": 120, "title": 200, "item": 300, "words": 600}

# what chats turn into a call to everybody, a link or an image, wherever it stands
_MENTION = re.compile(r"@(?=everyone|here|channel|all|room|team|group)|(?<![\w.:/-])@(?=\w)", re.IGNORECASE)
_MARKUP = str.maketrans({"<": "\u2039", "`": "'"})  # a small angle opens no tag
_BREAK = "\u200b"  # seen by nobody, and a mention or link is none any more


def inert(text: str, longest: int = _LONGEST["item"]) -> str:
    """Foreign text as one line without control characters, mentions, tags or links; cut where it is too long."""
    told = printable(text).translate(_MARKUP)
    told = _MENTION.sub(f"@{_BREAK}", told).replace("](", f"]{_BREAK}(").replace("://", f":{_BREAK}//")
    return told if len(told) <= longest else f"{told[: longest - 1]}…"


def told(cause: Cause, event: str, base_url: str) -> Notification:
    """What became of a drift, as a notification; `base_url` is the server's own."""
    places = () if event == "resolved" else cause.places
    shown = places[:MOST_ITEMS]
    return Notification(
        event=event,
        title=inert(_title(cause, event), _LONGEST["title"]),
        words=inert(f"No longer: {cause.words}" if event == "resolved" else cause.words, _LONGEST["words"]),
        severity=Severity(cause.severity).word,
        environment=inert(cause.environment, _LONGEST["name"]),
        link=f"{base_url.rstrip('/')}/drifts/{cause.id}" if base_url else "",
        items=tuple(_item(place, Severity(cause.severity)) for place in shown),
        more=len(places) - len(shown),
    )


def trial(name: str, base_url: str) -> Notification:
    """What a test of a channel sends."""
    words = f"This is a test of the channel {inert(name)}. Nothing happened."
    return Notification("test", f"Test of the channel {inert(name)}", words, "info", "", base_url)


def _title(cause: Cause, event: str) -> str:
    word = {"new": Severity(cause.severity).word, "regressed": f"{Severity(cause.severity).word}, again"}
    return f"{word.get(event, event)}: {_what(cause)} on {_where(cause, event)}"


def _what(cause: Cause) -> str:
    """The items by name where they are few: `openssl`, `openssl, libssl3 and 4 more of os-packages`."""
    differences = [place.difference for place in cause.places if place.difference]
    if cause.places and not differences:
        return "no reports"
    names = list(dict.fromkeys(one.item or one.section for one in differences))
    shown = ", ".join(names[:_MOST_NAMES]) or cause.section
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{shown}{more} of {cause.section}" if names and names != [cause.section] else shown


def _where(cause: Cause, event: str) -> str:
    hosts = sorted({place.host for place in cause.places})
    if len(hosts) == 1:
        return hosts[0] if hosts[0] == cause.hosts else f"{hosts[0]} ({cause.hosts})"
    # of one that is over, every host is known that ever had it: more than it was told of
    return f"{len(hosts)} hosts of {cause.hosts}" if hosts and event != "resolved" else f"hosts of {cause.hosts}"


def _item(place: Place, severity: Severity) -> Item:
    one = place.difference
    return Item(
        host=inert(place.host, _LONGEST["name"]),
        section=inert(one.section if one else "reports", _LONGEST["name"]),
        item=inert((one.item or "the whole section") if one else "none", _LONGEST["name"]),
        words=inert(_said(one) if one else "the host is silent"),
        severity=one.word if one else severity.word,
    )


def _said(one: Difference) -> str:
    """A difference from where the host stands: `3.0.11, not 3.0.15`."""
    if (one.kind in values.KINDS and one.attribute == values.VALUE) or one.state in UNKNOWN_STATES:
        return wording(one)
    left, right = (_short(text(value)) for value in (one.left, one.right))
    label = "" if one.attribute in ("", "version", one.item) else f"{one.attribute} "
    if one.attribute == "change":  # somebody did it to the container
        return left or f"not {right}"
    if one.state == State.ONLY_LEFT:
        return f"{label}{left}, and none in the reference".lstrip(" ,")
    if one.state == State.ONLY_RIGHT:
        return f"{label}not there; the reference has {right}" if right else f"{label}not there"
    return f"{label}{left or 'none'}, not {right or 'none'}"


def _short(value: str) -> str:
    shown = value.removeprefix("sha256:")
    return shown if len(shown) <= _LONGEST["value"] else f"{shown[: _LONGEST['value']]}…"
