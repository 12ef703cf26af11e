"""Tests of stored badges: a secret is told once, and leads to the newest run that its badge may show."""

from datetime import timedelta

from sqlalchemy import Engine, select

from envparity_server.gating.model import Verdict
from envparity_server.storage import audit, gate_badges
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import reading, writing
from envparity_server.storage.gate_badges import Shown
from envparity_server.storage.tables import gate_badge
from tests.server.gating.running import kept, report
from tests.server.making import NOON

DAY = timedelta(days=1)
ADA = Actor("person:ada", Role.OPERATOR)
OF_DEV = Actor("person:bob", Role.OPERATOR, frozenset({"dev"}))
MAIN = Shown("acme/shop", "main", "env:prod")


def made(engine: Engine, by: Actor = ADA) -> str:
    """The secret of a badge of main."""
    with writing(engine) as connection:
        secret = gate_badges.make(connection, by, MAIN, NOON)
    assert secret is not None
    return secret


def shows(engine: Engine, secret: str) -> tuple[bool, int | None]:
    """Whether a secret is a badge's, and the number of the run that it shows."""
    with reading(engine) as connection:
        known, run = gate_badges.run_of(connection, secret)
    return known, run.id if run else None


def test_a_badge_shows_the_newest_run_that_it_was_made_for(database: Engine) -> None:
    with writing(database) as connection:
        kept(connection, at=NOON)
    secret = made(database)
    with writing(database) as connection:
        newest = kept(connection, report(Verdict.PARITY), at=NOON + DAY)
        kept(connection, environments=("dev",), at=NOON + 2 * DAY)  # what `host:x` stood for may move elsewhere
    assert shows(database, secret) == (True, newest)
    assert shows(database, secret[:-1]) == shows(database, "") == (False, None)


def test_the_secret_is_stored_as_a_hash_only_and_ends_when_the_badge_is_made_again_or_removed(database: Engine) -> None:
    with writing(database) as connection:
        run = kept(connection)
    first, second = made(database), made(database)
    with reading(database) as connection:
        (row,) = connection.execute(select(gate_badge)).all()
    assert second not in map(str, row)
    assert (shows(database, first), shows(database, second)) == ((False, None), (True, run))
    with writing(database) as connection:
        assert gate_badges.remove(connection, ADA, MAIN, NOON)
        assert not gate_badges.remove(connection, ADA, MAIN, NOON)
    assert shows(database, second) == (False, None)
    with reading(database) as connection:
        told = [(one.action, one.object, one.environment) for one in audit.entries(connection)]
    assert told == [(f"badge.{action}", "acme/shop main", "prod") for action in ("remove", "make", "make")]


def test_who_does_not_see_the_runs_makes_lists_and_removes_no_badge(database: Engine) -> None:
    with writing(database) as connection:
        kept(connection)
        assert gate_badges.make(connection, OF_DEV, MAIN, NOON) is None
    made(database)
    with writing(database) as connection:
        assert gate_badges.listed(connection, OF_DEV) == []
        assert not gate_badges.remove(connection, OF_DEV, MAIN, NOON)
        assert [one.shown for one in gate_badges.listed(connection, ADA)] == [MAIN]


def test_a_badge_of_runs_of_no_environment_is_for_who_sees_all(database: Engine) -> None:
    with writing(database) as connection:
        kept(connection, environments=())
    made(database)
    with reading(database) as connection:
        assert gate_badges.listed(connection, OF_DEV) == []
