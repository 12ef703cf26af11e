"""Checks what an agent remembers within a survey, and from one to the next."""

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
