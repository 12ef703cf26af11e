"""Puts a drift into words that can be sent anywhere: foreign names in them are one line, and do nothing."""

import re

from envparity_agent.terminal import printable
from envparity_server.compare.groups import wording
from envparity_server.compare.model import Severity
from envparity_server.notify.interface import Item, Notification
from envparity_server.storage.causes import Cause, Place

MOST_ITEMS = 20
_MOST_NAMES = 3
_LONGEST = {"name": 120, "words": 300, "title": 200}

# what chats turn into a call to everybody, a link or an image, wherever it stands
_MENTION = re.compile(r"@(?=everyone|here|channel|all|room|team|group)|(?<![\w.:/-])@(?=\w)", re.IGNORECASE)
_MARKUP = str.maketrans({"<": "\u2039", ">": "\u203a", "`": "'"})  # shown as small angles: no tag, no code
_BREAK = "\u200b"  # seen by nobody, and a mention or link is none any more


def inert(text: str, longest: int = _LONGEST["words"]) -> str:
    """Foreign text as one line without control characters, mentions, tags or links; cut where it is too long."""
    told = printable(text).translate(_MARKUP)
    told = _MENTION.sub(f"@{_BREAK}", told).replace("](", f"]{_BREAK}(").replace("://", f":{_BREAK}//")
    return told if len(told) <= longest else f"{told[: longest - 1]}…"


def told(cause: Cause, event: str, base_url: str) -> Notification:
    """A drift that became new, regressed, resolved or stale, as a notification; `base_url` is the server's own."""
    shown = () if event == "resolved" else cause.places[:MOST_ITEMS]
    return Notification(
        event=event,
        title=inert(_title(cause, event), _LONGEST["title"]),
        words=_words(cause, event),
        severity=Severity(cause.severity).word,
        environment=inert(cause.environment, _LONGEST["name"]),
        link=f"{base_url.rstrip('/')}/drifts/{cause.id}" if base_url else "",
        items=tuple(_item(place) for place in shown),
        more=0 if event == "resolved" else len(cause.places) - len(shown),
    )


def trial(name: str, base_url: str) -> Notification:
    """What a test of a channel sends."""
    words = f"This is a test of the channel {inert(name)}. Nothing happened."
    return Notification("test", f"Test of the channel {inert(name)}", words, "info", "", base_url)


def _title(cause: Cause, event: str) -> str:
    word = {"new": Severity(cause.severity).word, "regressed": f"{Severity(cause.severity).word}, again"}
    return f"{word.get(event, event)}: {_what(cause)} on {_where(cause)}"


def _what(cause: Cause) -> str:
    """The items by name where they are few: `openssl`, `openssl, libssl3 and 4 more of os-packages`."""
    names = list(dict.fromkeys(place.difference.item or place.difference.section for place in cause.places))
    shown = ", ".join(names[:_MOST_NAMES]) or cause.section
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{shown}{more} of {cause.section}" if names and names != [cause.section] else shown


def _where(cause: Cause) -> str:
    hosts = sorted({place.host for place in cause.places})
    if len(hosts) == 1:
        return hosts[0] if hosts[0] == cause.hosts else f"{hosts[0]} ({cause.hosts})"
    return f"{len(hosts)} hosts of {cause.hosts}" if hosts else cause.hosts


def _words(cause: Cause, event: str) -> str:
    where, reference = inert(_where(cause)), inert(cause.reference)
    if event == "resolved":
        return f"What differed on {where} is as in {reference} again."
    if event == "stale":
        return f"{where} has not reported: what it runs now is not known."
    moved = {"host": "the hosts changed", "reference": "the reference changed"}.get(cause.moved, "")
    actor = inert(f"by {cause.actor}" if cause.actor else "actor unknown")
    return f"{where} differs from {reference}" + (f": {moved}, {actor}." if moved else ".")


def _item(place: Place) -> Item:
    difference = place.difference
    return Item(
        host=inert(place.host, _LONGEST["name"]),
        section=inert(difference.section, _LONGEST["name"]),
        item=inert(difference.item or "the whole section", _LONGEST["name"]),
        words=inert(wording(difference)),
        severity=difference.word,
    )
