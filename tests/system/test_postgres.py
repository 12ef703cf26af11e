"""Checks that every test gets an empty database of its own."""

import pytest
from sqlalchemy import create_engine, inspect, text

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("attempt", [1, 2])
def test_the_database_is_empty_each_time(postgres_database: str, attempt: int) -> None:
    engine = create_engine(postgres_database)
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == []
        connection.execute(text(f"CREATE TABLE left_by_{attempt} (id integer)"))
    engine.dispose()


def test_the_cluster_has_a_maintenance_database(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()
