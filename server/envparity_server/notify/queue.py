"""The queue: deliveries are made with the evaluation that found something, and sent afterwards, until it is known how.

At least once: a process that dies while it sends leaves a delivery that is due again when its claim ends, and the
receiver sees the same `Envparity-Delivery`.
"""

import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from sqlalchemy import Connection, Engine

from envparity_server.notify.interface import Networks, Notification, SendError, Transition
from envparity_server.notify.routing import receivers
from envparity_server.notify.senders import Make, sender_of
from envparity_server.notify.telling import told, trial
from envparity_server.storage import causes, channels, deliveries
from envparity_server.storage.access import new_id
from envparity_server.storage.channels import Channel
from envparity_server.storage.database import reading, writing
from envparity_server.storage.deliveries import Delivery

MAX_TRIES = 12
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
CLAIM = timedelta(minutes=5)  # longer than the tries of one run of one channel can take
_MOST_A_RUN = 10  # deliveries of one channel
_THREADS = 8  # channels at once


@dataclass(frozen=True)
class Outcome:
    """How a try ended, in words for a person."""

    delivered: bool
    words: str


def enqueue(connection: Connection, transitions: Iterable[Transition], now: datetime, base_url: str) -> int:
    """Make the deliveries for what became of drifts, in the transaction that found it; returns how many are new.

    One for each channel and event; its id comes of what it tells, so that the same again makes none.
    """
    events = list(transitions)
    ids = list(dict.fromkeys(one.drift_id for one in events))
    everybody = channels.all_channels(connection) if ids else []
    if not any(one.enabled for one in everybody):
        return 0
    found, before = causes.by_ids(connection, ids), deliveries.told(connection, ids)
    made: list[Delivery] = []
    for one in events:
        cause = found.get(one.drift_id)
        if cause is None:
            continue
        who = receivers(everybody, cause, one.event, before.get(cause.id, ()), now)
        before.setdefault(cause.id, set()).update(channel.name for channel in who)
        notification = told(cause, one.event, base_url)
        made += [
            _delivery(_id(channel.name, cause.id, one.event, cause.regressions), channel, notification, now, cause.id)
            for channel in who
        ]
    return deliveries.add(connection, made)


def _id(*what: object) -> str:
    return sha256("\0".join(map(str, what)).encode()).hexdigest()[:16]


def _delivery(id: str, channel: Channel, told: Notification, due: datetime, drift: str | None) -> Delivery:
    return Delivery(id, channel.name, drift, told.event, told.title, told.document(), due, due)


def deliver_due(engine: Engine, now: datetime, allowed_networks: Networks, make: Make = sender_of) -> int:
    """Send what is due; returns how many were delivered.

    1. Each channel that something is due for has a thread, so that a slow one does not hold up the others.
    2. One delivery after the other is claimed, sent outside of any transaction, and its end is written down.
    3. A channel that does not answer is left until the next run.
    """
    with reading(engine) as connection:
        names = set(deliveries.channels_due(connection, now))
        due = [one for one in channels.all_channels(connection) if one.name in names]
    if not due:
        return 0
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="deliver") as pool:
        return sum(pool.map(partial(_deliver, engine, now, allowed_networks, make), due))


def _deliver(engine: Engine, now: datetime, allowed: Networks, make: Make, channel: Channel) -> int:
    with reading(engine) as connection:
        waiting = deliveries.due(connection, channel.name, now, _MOST_A_RUN)
    delivered = 0
    for one in waiting:
        with writing(engine) as connection:
            claimed = deliveries.claim(connection, one, now + CLAIM)
        if not claimed:
            continue
        problem = _tried(channel, one, now, allowed, make)
        with writing(engine) as connection:
            _end(connection, one, problem, now)
        delivered += problem is None
        if problem and not problem.permanent:
            break
    return delivered


def _tried(channel: Channel, one: Delivery, now: datetime, allowed: Networks, make: Make) -> SendError | None:
    if one.tries >= MAX_TRIES:  # the last try was cut short
        return SendError("nobody knows how the last try ended", permanent=True)
    try:
        make(channel, allowed).send(one.id, Notification.of(one.body), now)
    except SendError as problem:
        return problem
    return None


def _end(connection: Connection, one: Delivery, problem: SendError | None, now: datetime) -> None:
    """Write down how the try ended: delivered, due again, or given up and said."""
    end = partial(deliveries.end, connection, one.id, now + CLAIM)
    tries = one.tries + 1
    if problem is None:
        end(delivered_at=now)
    elif problem.permanent:
        end(problem=str(problem))
    elif tries >= MAX_TRIES:
        end(problem=f"given up after {tries} tries: {problem}")
    else:
        end(due_at=now + delay(tries, problem.retry_after), problem=str(problem))


def delay(tries: int, retry_after: float | None, spread: Callable[[float, float], float] = random.uniform) -> timedelta:
    """How long to wait after so many tries: full jitter, or as long as the receiver asks, within an hour.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    longest = LONGEST_DELAY.total_seconds()
    first = FIRST_DELAY.total_seconds()
    if retry_after is not None:
        return timedelta(seconds=min(max(retry_after, 1), longest) + spread(0, first))
    return timedelta(seconds=spread(0, min(longest, first * 2 ** (tries - 1))))


def send_test(
    engine: Engine, channel: Channel, now: datetime, allowed: Networks, base_url: str, make: Make = sender_of
) -> Outcome:
    """Send a test at once, once, and say how it ended; the log of deliveries has it too."""
    one = _delivery(new_id(), channel, trial(channel.name, base_url), now, None)
    with writing(engine) as connection:
        deliveries.add(connection, [one])
        deliveries.claim(connection, one, now + CLAIM)
    problem = _tried(channel, one, now, allowed, make)
    with writing(engine) as connection:
        end = SendError(str(problem), permanent=True) if problem else None  # a person waits: no second try later
        _end(connection, one, end, now)
    if problem:
        return Outcome(False, f"{channel.name} did not get it: {problem}")
    return Outcome(True, f"{channel.name} got it")
