"""Tests of stored outcomes: what they are about can be read as long as they are kept, whatever else is pruned."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Engine

from envparity_agent.fingerprint import Fingerprint
from envparity_server.labelling import Job, label_hosts, label_job
from envparity_server.storage import content, outcomes
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import reading, writing
from envparity_server.storage.pruning import prune
from envparity_server.storage.tables import outcome
from tests.server.fleet import enrolled, report
from tests.server.making import NOON, OPERATING_SYSTEM, SEARCHED, host, packages, section, tree

DAY = timedelta(days=1)
KEEP = 30 * DAY
LOCAL = Actor("local:tests", Role.ADMIN)


def version(text: str, *more: str) -> Fingerprint:
    """A host with a version of a package; with many sections if there are many more."""
    return host(OPERATING_SYSTEM, SEARCHED, packages({"idna": text}), *(section(f"python/{name}") for name in more))


A, B = version("3.4"), version("3.7")
MANY = version("3.8", *(f"{number}" for number in range(90)))


def lived(engine: Engine, *reports: tuple[float, Fingerprint]) -> None:
    """The host web-1, that reported these so many days after noon."""
    with writing(engine) as connection:
        one = enrolled(connection, "web-1")
        for days, fingerprint in reports:
            report(connection, one, fingerprint, NOON + days * DAY)


def label(engine: Engine, of: str, at: datetime) -> None:
    with writing(engine) as connection:
        label_hosts(connection, LOCAL, of, {"smoke": True}, at)


def trees(engine: Engine) -> list[Mapping[str, str]]:
    """The sections of all roots that outcomes are about."""
    with reading(engine) as connection:
        return list(content.trees(connection, [one.root for one in outcomes.listed(connection, None)]).values())


def is_whole(engine: Engine, fingerprint: Fingerprint) -> bool:
    with reading(engine) as connection:
        return content.missing(connection, fingerprint.objects()) == []


def test_what_an_outcome_is_about_stays_when_the_host_s_history_goes(database: Engine) -> None:
    lived(database, (0, A), (1, MANY), (2, B), (40, B), (50, B))
    label(database, f"host:web-1@{(NOON + 1.5 * DAY).isoformat()}", NOON + 20 * DAY)
    with writing(database) as connection:  # it was told of late
        connection.execute(outcome.update().values(at=NOON + 45 * DAY))
    prune(database, NOON + 50 * DAY, KEEP)
    assert (is_whole(database, A), is_whole(database, MANY), trees(database)) == (False, True, [tree(MANY)])
    prune(database, NOON + 79 * DAY, KEEP)
    assert trees(database) == []
    prune(database, NOON + 79 * DAY, KEEP)
    assert is_whole(database, MANY) is False


def test_a_moment_whose_root_was_pruned_can_be_labelled_yet(database: Engine) -> None:
    lived(database, (0, A), (1, MANY), (2, B), (3, B), (9, B))
    prune(database, NOON + 10 * DAY, KEEP)
    assert is_whole(database, MANY) is False
    label(database, f"host:web-1@{(NOON + 1.5 * DAY).isoformat()}", NOON + 10 * DAY)
    assert trees(database) == [tree(MANY)]
    assert is_whole(database, MANY)


def test_what_a_job_ran_stays_as_long_as_its_outcome(database: Engine) -> None:
    lived(database, (0, A), (29, A), (31, A))
    with writing(database) as connection:
        label_job(connection, LOCAL, Job("tests", "1"), B, {"smoke": False}, NOON)
    prune(database, NOON + 29 * DAY, KEEP)
    assert is_whole(database, B)
    assert prune(database, NOON + 31 * DAY, KEEP).counts["outcome"] == 1
    assert is_whole(database, B) is False
