"""Checks what an agent remembers within a survey, and from one to the next."""

from functools import partial
from itertools import count

from envparity_agent.collectors.memory import Memory


def test_what_several_collectors_ask_for_is_read_once_in_each_survey() -> None:
    numbers, memory = count(), Memory()
    surveys = []
    for _ in range(2):
        memory.begin()
        surveys.append([memory.once("search", lambda: next(numbers)) for _ in range(3)])
    assert surveys == [[0, 0, 0], [1, 1, 1]]


def test_what_was_not_asked_for_is_forgotten_unless_everything_is_kept() -> None:
    asked = []
    for keeps in (False, True):
        numbers, memory = count(), Memory(keeps=keeps)
        for place in ("good", "bad", "good"):
            memory.begin()
            asked.append(memory.recall(place, "stamp", lambda numbers=numbers: next(numbers)))  # type: ignore[misc]
    assert asked == [0, 1, 2, 0, 1, 0]


def test_of_several_places_only_those_that_changed_are_read() -> None:
    memory: Memory = Memory(keeps=True)
    for stamps in ({"a": 1, "b": 1, "c": None}, {"a": 1, "b": 2, "c": None}):
        memory.begin()
        read: list[str] = []

        def reads(place: str, read: list[str] = read) -> int:
            read.append(place)
            return len(read)

        facts = memory.recall_all([(place, stamp, partial(reads, place)) for place, stamp in stamps.items()])
    assert read == ["b", "c"]
    assert facts == [1, 1, 2]
