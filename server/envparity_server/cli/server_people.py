"""The verbs of `envparity server user`, and `server login`: who may log in, as what, and by which password."""

import getpass
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from envparity_agent.cli_options import Json
from envparity_agent.errors import UsageError
from envparity_agent.terminal import note, say, say_json, say_table
from envparity_server.cli.database import Database, Reach, local_actor, reach, ready
from envparity_server.storage import access, people
from envparity_server.storage.actors import Role, stored
from envparity_server.storage.database import reading, writing
from envparity_server.storage.people import Person

user = typer.Typer(no_args_is_help=True, help="The people who may log in.")

PersonName = Annotated[str, typer.Argument(metavar="NAME")]
PasswordFile = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="The file that holds the password; - for standard input; asked for by default."),
]


class PersonRole(StrEnum):
    """What a person may be."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


@user.command()
def add(
    name: PersonName,
    role: Annotated[PersonRole, typer.Option(help="viewer reads, operator decides, admin lets people in.")],
    environments: Reach = None,
    password_file: PasswordFile = None,
    database_url: Database = None,
) -> None:
    """Add a person. Without a password file, by one-time codes at first: `envparity server login --person NAME`.

    envparity server user add ada --role operator --environments dev,test
    """
    engine = ready(database_url)
    password_hash = people.hash_password(_password(password_file)) if password_file else None
    with writing(engine) as connection:
        people.add(connection, local_actor(), name, Role(role), reach(environments), password_hash, datetime.now(UTC))
    note(f"added {name}; a code to log in with: envparity server login --person {name}")


def _password(path: str | None) -> str:
    """A password from a file, standard input or the terminal, never from an argument that `ps` shows."""
    if path is None:
        first = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != first:
            raise UsageError("the two are not the same", "nothing was changed; try again")
        return first
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"cannot read the password from {path}: {problem}") from None
    return text.rstrip("\r\n")


@user.command("list")
def list_people(json: Json = False, database_url: Database = None) -> None:
    """List the people.

    envparity server user list
    """
    with reading(ready(database_url)) as connection:
        found = people.listed(connection, local_actor())
    if json:
        say_json({"people": [_document(one) for one in found], "total": len(found)})
        return
    say_table(
        ("NAME", "ROLE", "ENVIRONMENTS", "LOGS IN BY", "STATE"),
        (
            (
                one.name,
                one.role,
                "all" if one.environments is None else ",".join(sorted(one.environments)) or "none",
                "password" if one.has_password else "code",
                "disabled" if one.disabled_at else "enabled",
            )
            for one in found
        ),
    )


def _document(one: Person) -> dict[str, object]:
    return {
        "name": one.name,
        "role": one.role,
        "environments": stored(one.environments),
        "has_password": one.has_password,
        "created_at": one.created_at.isoformat(),
        "disabled_at": one.disabled_at and one.disabled_at.isoformat(),
    }


def _known(connection: Connection, name: str) -> Person:
    found = people.by_name(connection, name)
    if found is None:
        raise UsageError(f"there is no person {name}", "look at them: envparity server user list")
    return found


@user.command("role")
def change_role(
    name: PersonName,
    role: Annotated[PersonRole, typer.Argument()],
    environments: Reach = None,
    everywhere: Annotated[bool, typer.Option("--all-environments", help="Let the person see all of them.")] = False,
    database_url: Database = None,
) -> None:
    """Change what a person may do, and where if that is given. It ends the person's sessions.

    envparity server user role ada viewer --environments dev
    """
    if everywhere and environments is not None:
        raise UsageError("--all-environments and --environments exclude each other", "give one of them")
    with writing(ready(database_url)) as connection:
        before = _known(connection, name)
        where = before.environments if environments is None and not everywhere else reach(environments)
        disabled = before.disabled_at is not None
        people.change(connection, local_actor(), before, Role(role), where, disabled, datetime.now(UTC))
    note(f"{name} is {role}; sessions have ended")


@user.command("password")
def change_password(name: PersonName, password_file: PasswordFile = None, database_url: Database = None) -> None:
    """Give a person a password. It ends the person's sessions.

    envparity server user password ada
    """
    engine = ready(database_url)
    with reading(engine) as connection:
        _known(connection, name)
    password_hash = people.hash_password(_password(password_file))
    with writing(engine) as connection:
        people.set_password(connection, local_actor(), name, password_hash, datetime.now(UTC))
    note(f"{name} has a new password; sessions have ended")


@user.command()
def disable(name: PersonName, database_url: Database = None) -> None:
    """Let a person in no more, and end the person's sessions.

    envparity server user disable ada
    """
    _enable(name, database_url, disabled=True)


@user.command()
def enable(name: PersonName, database_url: Database = None) -> None:
    """Let a person in again.

    envparity server user enable ada
    """
    _enable(name, database_url, disabled=False)


def _enable(name: str, database_url: str | None, disabled: bool) -> None:
    with writing(ready(database_url)) as connection:
        before = _known(connection, name)
        people.change(connection, local_actor(), before, before.role, before.environments, disabled, datetime.now(UTC))
    note(f"{name} is {'disabled' if disabled else 'enabled'}")


def login(
    person: Annotated[str, typer.Option(metavar="NAME", help="Who logs in; made as an admin if it is the first.")] = (
        access.FIRST_PERSON
    ),
    database_url: Database = None,
) -> None:
    """Make a one-time code for the dashboard's login page, valid for an hour.

    envparity server login

    envparity server login --person ada
    """
    with writing(ready(database_url)) as connection:
        if person != access.FIRST_PERSON or people.by_name(connection, person):
            found = _known(connection, person)
            if found.disabled_at is not None:
                raise UsageError(f"{person} is disabled", f"envparity server user enable {person}")
        say(access.make_login(connection, datetime.now(UTC), person))
