"""Makes many calls at once, in a process for each processor: in threads, parsing would take its turns."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_Answer = TypeVar("_Answer")

MIN_CALLS = 6  # fewer are through before another process has started
MAX_PROCESSES = 8


def at_once(calls: Sequence[Callable[[], _Answer]]) -> list[_Answer]:
    """What each call answers, in their order; an answer has to be one that can be pickled.

    What another process does not answer, since it could not start, was ended or a call raised, is called in this one.
    """
    asked = getattr(os, "sched_getaffinity", None)  # Linux only, and elsewhere forking is not safe
    count = min(len(asked(0)), MAX_PROCESSES, len(calls)) if asked else 1
    if count < 2 or len(calls) < MIN_CALLS:
        return [call() for call in calls]
    others: dict[int, tuple[BaseProcess, Connection]] = {}
    try:
        for number in range(1, count):
            with suppress(OSError):  # no more processes or files are allowed
                others[number] = _started(calls[number::count], [reader for _, reader in others.values()])
        answers = {0: [call() for call in calls[::count]]}
        for number, (_, reader) in others.items():
            with suppress(EOFError, OSError):
                answers[number] = reader.recv()
    finally:
        for process, reader in others.values():
            reader.close()
            process.kill()  # it has answered, or nobody waits for that any more
            process.join()
    return [answers[at % count][at // count] if at % count in answers else call() for at, call in enumerate(calls)]


def _started(
    calls: Sequence[Callable[[], object]], earlier: Sequence["Connection"]
) -> tuple["BaseProcess", "Connection"]:
    """A process that makes the calls, and where it answers; raises OSError where it cannot start."""
    from multiprocessing import get_context  # an agent that runs all day asks for nothing of this

    fork = get_context("fork")  # which hands over calls and open directories as they are
    reader, writer = fork.Pipe(duplex=False)
    process = fork.Process(target=_answer, args=(writer, [*earlier, reader], calls), daemon=True)
    try:
        process.start()
    except OSError:
        reader.close()
        raise
    finally:
        writer.close()
    return process, reader


def _answer(writer: "Connection", readers: Sequence["Connection"], calls: Sequence[Callable[[], object]]) -> None:
    for reader in readers:  # as long as it is open here as well, this process would wait for a reader that is gone
        reader.close()
    with suppress(Exception, KeyboardInterrupt):  # whoever asked calls again, and says what is wrong
        writer.send([call() for call in calls])
