"""Writes statements without being connected: the billing hosts run them themselves."""

from psycopg2.extensions import adapt, parse_dsn

from tariffs.table import Tariff


def quoted(value: object) -> str:
    adapted = adapt(value)
    if hasattr(adapted, "encoding"):
        adapted.encoding = "utf-8"
    return adapted.getquoted().decode()


def statements(tariffs: list[Tariff]):
    for one in tariffs:
        values = ", ".join(quoted(value) for value in (one.zone, one.since, one.price, one.note or None))
        yield f"insert into tariff (zone, since, price, note) values ({values});"


def header(dsn: str) -> str:
    told = parse_dsn(dsn)
    return f"-- for {told['dbname']} on {told.get('host', 'localhost')}"
