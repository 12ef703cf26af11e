"""The job: every tag that containers run is asked for once, however many hosts have it, and again when it is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

import anyio
import httpx
from sqlalchemy import Engine

from envparity_agent.terminal import printable
from envparity_server.storage import tags
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tags import Pointed, Tag
from envparity_server.tags.judging import lacking
from envparity_server.tags.references import TagReference, addresses, parsed
from envparity_server.tags.registry import Limits, RegistryProblem, client, pointed_at

EVERY = timedelta(hours=1)  # a tag that was answered is asked again
FIRST_DELAY = timedelta(minutes=15)  # one that was not; it doubles
LONGEST_DELAY = timedelta(days=1)
_AT_ONCE = 4
_BATCH = 40  # tags between two transactions that write
_MOST_A_RUN = 2000


@dataclass(frozen=True)
class _Question:
    text: str
    reference: TagReference
    platforms: Sequence[str]
    known: Tag | None


def ask_due(engine: Engine, now: datetime, registries: Sequence[str], limits: Limits | None = None) -> int:
    """Ask the registries of the setting about every tag that is due; returns how many were answered.

    1. Tags that nobody runs any more are forgotten.
    2. What is due is asked, a few at once, outside of any transaction, and each batch is written down.
    3. A registry that is away is left until the next run: its other tags are as they were.
    """
    where = addresses(registries)
    with reading(engine) as connection:
        present, asked = tags.running(connection), tags.asked(connection)
    with writing(engine) as connection:
        tags.forget(connection, asked.keys() - present.keys())
    due = [
        _Question(text, reference, lacking([one.image for one in running], {}), asked.get(text))
        for text, running in present.items()
        if (reference := parsed(text)) and reference.registry in where and _is_due(asked.get(text), now)
    ]
    due.sort(key=lambda one: (one.known.asked_at.timestamp() if one.known else 0, one.text))
    questions = iter(due[:_MOST_A_RUN])
    away: set[str] = set()
    answered = 0
    while batch := list(islice(questions, _BATCH)):
        found = anyio.run(partial(_asked, batch, where, away, limits or Limits(), now))
        with writing(engine) as connection:
            tags.put(connection, found)
        answered += sum(one.problem is None for one in found.values())
    return answered


def _is_due(known: Tag | None, now: datetime) -> bool:
    return known is None or known.asked_at + wait(known.failures) <= now


def wait(failures: int) -> timedelta:
    """How long a tag is left alone after it failed so often."""
    return EVERY if not failures else min(FIRST_DELAY * 2 ** min(failures - 1, 10), LONGEST_DELAY)


async def _asked(
    batch: Sequence[_Question], where: Mapping[str, str], away: set[str], limits: Limits, now: datetime
) -> dict[str, Tag]:
    """Ask some tags, a few at once; registries that are found to be away are added to `away` and asked no more."""
    found: dict[str, Tag] = {}
    at_once = anyio.CapacityLimiter(_AT_ONCE)

    async def one(question: _Question, http: httpx.AsyncClient) -> None:
        async with at_once:
            registry = question.reference.registry
            if registry in away:
                return
            before = question.known.pointed if question.known else None
            try:
                pointed = await pointed_at(
                    http, where[registry], question.reference, question.platforms, before, limits
                )
            except RegistryProblem as problem:
                if problem.is_away:
                    away.add(registry)
                found[question.text] = _failed(question.known, printable(str(problem)), now)
            else:
                found[question.text] = Tag(pointed, now, None, 0)

    async with client() as http, anyio.create_task_group() as group:
        for question in batch:
            group.start_soon(one, question, http)
    return found


def _failed(known: Tag | None, problem: str, now: datetime) -> Tag:
    """What was answered last stays known."""
    before: Pointed | None = known.pointed if known else None
    failures = known.failures + 1 if known else 1
    return Tag(before, now, problem[:500], failures)
