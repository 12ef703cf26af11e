"""Makes many calls at once, in a process for each processor: in threads, parsing would take its turns."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_Answer = TypeVar("_Answer")

MIN_CALLS = 6  # fewer are through before another process has started
MAX_PROCESSES = 8


def at_once(calls: Sequence[Callable[[], _Answer]]) -> list[_Answer]:
    """What each call answers, in their order; an answer has to be one that can be pickled.

    What another process does not answer, since it was ended or a call raised, is called again in this one.
    """
    asked = getattr(os, "sched_getaffinity", None)  # Linux only, and elsewhere forking is not safe
    count = min(len(asked(0)), MAX_PROCESSES) if asked else 1
    if count < 2 or len(calls) < MIN_CALLS:
        return [call() for call in calls]
    from multiprocessing import get_context  # an agent that runs all day asks for nothing of this

    fork = get_context("fork")  # which hands over calls and open directories as they are
    readers = []
    for number in range(1, count):
        reader, writer = fork.Pipe(duplex=False)
        fork.Process(target=_answer, args=(writer, calls[number::count]), daemon=True).start()
        writer.close()
        readers.append(reader)
    answers = {0: [call() for call in calls[::count]]}
    for number, reader in enumerate(readers, 1):
        with reader, suppress(EOFError, OSError):
            answers[number] = reader.recv()
    return [answers[at % count][at // count] if at % count in answers else call() for at, call in enumerate(calls)]


def _answer(writer: "Connection", calls: Sequence[Callable[[], object]]) -> None:
    with suppress(Exception, KeyboardInterrupt):  # whoever asked calls again, and says what is wrong
        writer.send([call() for call in calls])
