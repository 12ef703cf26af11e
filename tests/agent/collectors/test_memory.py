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
