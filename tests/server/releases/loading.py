"""Puts a recorded database of a release into one of either kind."""

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, insert

from envparity_server.storage import database
from envparity_server.storage.database import writing

HERE = Path(__file__).parent


def put(engine: Engine, release: str, revision: str) -> None:
    """Make the schema of a revision in an empty database, and fill it with the rows of a release."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(database.__file__).with_name("migrations")))
    with writing(engine) as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)
        tables = MetaData()
        tables.reflect(connection)
        rows = lines(release, "database.ndjson")
        for table in tables.sorted_tables:
            own = [
                {key: _value(value) for key, value in one["row"].items()} for one in rows if one["table"] == table.name
            ]
            if own:
                connection.execute(insert(table), own)


def lines(release: str, name: str) -> list[dict[str, Any]]:
    """What was recorded, one JSON a line."""
    return [json.loads(line) for line in (HERE / release / name).read_text().splitlines()]


def answers(release: str) -> dict[str, Any]:
    """What the release answered."""
    found: dict[str, Any] = json.loads((HERE / release / "answers.json").read_text())
    return found


def _value(value: Any) -> Any:
    match value:
        case {"base64": text}:
            return base64.b64decode(text)
        case {"moment": text}:
            return datetime.fromisoformat(text).replace(tzinfo=None)
        case _:
            return value
