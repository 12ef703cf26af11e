"""The fixtures of the server's tests: migrated databases of either kind, and the application on one of them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, literal, select, text, union_all

from envparity_server.app import create_app
from envparity_server.settings import ServerSettings
from envparity_server.storage.database import migrate, open_database, writing
from envparity_server.storage.tables import metadata
from tests.server.asking import Asking
from tests.system.postgres import Cluster

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the machine's own settings say must not reach a test."""
    for name in (*map(str.upper, ServerSettings.model_fields), "SERVER_CONFIG"):
        monkeypatch.delenv(f"ENVPARITY_{name}", raising=False)
    empty = tmp_path / "no-settings.toml"
    empty.touch()
    monkeypatch.setenv("ENVPARITY_SERVER_CONFIG", str(empty))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the schema and nothing else, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "server.db"
    engine = open_database(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """The address of a fresh SQLite database that has the schema."""
    path = tmp_path / "server.db"
    shutil.copyfile(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of either kind without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    pytest.importorskip("psycopg", reason='the driver is missing: pip install "envparity[postgres]"')
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture
def empty_database(empty_url: str) -> Iterator[Engine]:
    """A database of either kind without any table."""
    engine = open_database(empty_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_cluster: Cluster) -> Iterator[Engine]:
    """A PostgreSQL database with the schema, for tests that leave no row behind."""
    with postgres_cluster.database() as name:
        engine = open_database(postgres_cluster.url(name))
        migrate(engine)
        yield engine
        engine.dispose()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A database of either kind that has the schema and no rows."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    pytest.importorskip("psycopg", reason='the driver is missing: pip install "envparity[postgres]"')
    migrated: Engine = request.getfixturevalue("migrated_postgres")
    engine = open_database(migrated.url.render_as_string(hide_password=False))  # its own: an engine remembers content
    yield engine
    engine.dispose()
    _empty(migrated)


def _empty(engine: Engine) -> None:
    """Take all rows away, only from tables that have some: it takes a tenth of the time."""
    filled = union_all(
        *(select(literal(name)).where(select(table).exists()) for name, table in metadata.tables.items())
    )
    with writing(engine) as connection:
        if names := connection.scalars(filled).all():  # TRUNCATE: nobody may delete from the audit log
            connection.execute(text(f"TRUNCATE {', '.join(names)} CASCADE"))


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Engine]:
    """A fresh SQLite database that has the schema."""
    engine = open_database(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def api(database: Engine) -> Asking:
    """The application on a database of either kind."""
    return Asking(create_app(database), database)


@pytest.fixture
def small_api(sqlite: Engine) -> Asking:
    """The application on SQLite, for what no database decides."""
    return Asking(create_app(sqlite), sqlite)


@pytest.fixture
def pages(sqlite: Engine) -> Asking:
    """The application on SQLite, with a person who is logged in."""
    return Asking(create_app(sqlite), sqlite).logged_in()
