"""What the verbs share that work on the database itself: its address, and who acts at this machine."""

import os
import pwd
from typing import Annotated

import typer
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError

from envparity_agent.errors import CannotTell, UsageError
from envparity_server.settings import server_settings
from envparity_server.storage.actors import Actor, Environments, Role
from envparity_server.storage.database import check_schema, open_database

_DATABASE = "sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME; set ENVPARITY_DATABASE_URL to keep it off `ps`."
_ENVIRONMENTS = "Only these environments, with commas: dev,test; all by default."

Database = Annotated[str | None, typer.Option("--database-url", metavar="URL", help=_DATABASE)]
Reach = Annotated[str | None, typer.Option("--environments", metavar="NAMES", help=_ENVIRONMENTS)]


def ready(url: str | None) -> Engine:
    """The database; raises UsageError or CannotTell where it cannot be used, or has another schema.

    What is asked of it raises CannotTell where it is locked for too long, or gone.
    """
    engine = open_database(server_settings(database_url=url).database_url)
    check_schema(engine)
    event.listen(engine, "handle_error", _told)
    return engine


def _told(context: ExceptionContext) -> None:
    if isinstance(context.sqlalchemy_exception, OperationalError):
        raise CannotTell(
            f"the database could not be asked: {context.original_exception}",
            "nothing was changed; where it is locked a server is writing: try again",
        ) from None


def local_actor() -> Actor:
    """Who acts at this machine: whoever can write the database may do everything, and is named by the account."""
    user = os.getuid()
    try:
        return Actor(f"local:{pwd.getpwuid(user).pw_name}", Role.ADMIN)
    except KeyError:  # a container's user that has no name
        return Actor(f"local:{user}", Role.ADMIN)


def reach(text: str | None) -> Environments:
    """The environments of an option; None, which means all, where it was not given; raises UsageError for none."""
    if text is None:
        return None
    names = frozenset(part.strip() for part in text.split(",") if part.strip())
    if not names:
        raise UsageError("--environments names none", "give names with commas, or leave it out for all")
    return names
