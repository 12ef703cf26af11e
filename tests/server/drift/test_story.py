"""The proof that it is quiet: what is told of a week of a fleet's life is a handful of lines that a reader wants."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.server.drift.story import told

GOLDEN = Path(__file__).with_name("story.txt")


def test_a_week_of_a_fleets_life_is_told_in_these_lines_and_no_more(sqlite: Engine) -> None:
    assert told(sqlite) == GOLDEN.read_text("utf-8").splitlines()


@pytest.mark.long
@pytest.mark.postgres
def test_on_postgresql_it_is_told_in_the_same_lines(database: Engine) -> None:
    if database.dialect.name == "postgresql":
        assert told(database) == GOLDEN.read_text("utf-8").splitlines()
