"""Tests of the timeline on real databases: what is alike is one line, and what is counted is what is seen."""

from datetime import date, timedelta

from sqlalchemy import Connection, Engine, update

from envparity_server.compare.model import State
from envparity_server.storage import deploys, timeline
from envparity_server.storage.actors import Environments
from envparity_server.storage.database import writing
from envparity_server.storage.tables import host as host_table
from envparity_server.storage.timeline import ANY, Wanted
from tests.server.fleet import report, reported
from tests.server.making import NOON, SEARCHED, host, packages

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN, END = NOON - DAY, NOON + 7 * DAY
Told = list[tuple[str, State, object, object, list[str]]]


def moves(connection: Connection, name: str, environment: str = "prod", hours: int = 1, to: str | None = "3.7") -> None:
    """A host that has idna 3.4 at noon, and something else hours later."""
    one = reported(connection, name, host(SEARCHED, packages({"idna": "3.4", "six": "1"})), NOON, environment)
    later = packages({"six": "1"} if to is None else {"idna": to, "six": "1"})
    report(connection, one, host(SEARCHED, later), NOON + hours * HOUR)


def told(connection: Connection, wanted: Wanted = ANY, seen: Environments = None) -> Told:
    """Each line in short."""
    lines, total = timeline.lines(connection, wanted, seen, BEGIN, END, 100)
    assert len(lines) == total
    return [
        (one.change.item, one.change.state, one.change.left, one.change.right, [name for _, name in one.hosts])
        for one in lines
    ]


def test_a_change_on_several_hosts_is_one_line_between_its_first_and_its_last_report(database: Engine) -> None:
    with writing(database) as connection:
        moves(connection, "b", hours=3)
        moves(connection, "a", hours=1)
        moves(connection, "c", hours=2, to="3.8")
        moves(connection, "d", hours=4, to=None)
        assert told(connection) == [
            ("idna", State.ONLY_LEFT, "3.4", None, ["d"]),
            ("idna", State.CHANGED, "3.4", "3.7", ["a", "b"]),
            ("idna", State.CHANGED, "3.4", "3.8", ["c"]),
        ]
        (_, line, _), _ = timeline.lines(connection, ANY, None, BEGIN, END, 100)
        assert (line.change.after, line.change.before) == (NOON, NOON + 3 * HOUR)
        assert line.change.words == "3.4 → 3.7"


def test_lines_are_paged_and_all_of_them_counted(database: Engine) -> None:
    with writing(database) as connection:
        for number in range(5):
            moves(connection, f"host-{number}", hours=number + 1, to=f"4.{number}")
        pages = [timeline.lines(connection, ANY, None, BEGIN, END, 2, offset) for offset in (0, 2, 4, 6)]
    assert [[one.change.right for one in lines] for lines, _ in pages] == [["4.4", "4.3"], ["4.2", "4.1"], ["4.0"], []]
    assert [total for _, total in pages] == [5, 5, 5, 0]


def test_each_filter_keeps_what_fits_it(database: Engine) -> None:
    with writing(database) as connection:
        moves(connection, "web-1")
        moves(connection, "db-1", "dev", 2)
        wanted = {
            "environment": Wanted(environment="dev"),
            "host": Wanted(host="WEB"),
            "kind": Wanted(kind="python"),
            "other kind": Wanted(kind="os"),
            "text": Wanted(text="DN"),
            "no glob": Wanted(text="i*a"),
            "item": Wanted(section="python/srv/shop", item="idna"),
            "part of an item": Wanted(item="idn"),
        }
        found = {name: {host for *_, hosts in told(connection, one) for host in hosts} for name, one in wanted.items()}
    both, none = {"web-1", "db-1"}, set[str]()
    assert found == {
        "environment": {"db-1"}, "host": {"web-1"}, "kind": both, "other kind": none, "text": both, "no glob": none,
        "item": both, "part of an item": none,
    }  # fmt: skip


def test_only_what_somebody_sees_is_told_counted_or_dated(database: Engine) -> None:
    dev = frozenset({"dev"})
    with writing(database) as connection:
        moves(connection, "secret", "vault", 4)
        assert timeline.newest(connection, ANY, dev, END) is None
        moves(connection, "seen", "dev", 2)
        assert told(connection, seen=dev) == [("idna", State.CHANGED, "3.4", "3.7", ["seen"])]
        assert timeline.counted(connection, ANY, dev, BEGIN, END) == {NOON.date(): 1}
        assert timeline.newest(connection, ANY, dev, END) == NOON + 2 * HOUR
        assert told(connection, Wanted(environment="vault"), dev) == []


def test_days_are_counted_in_utc_the_newest_first(database: Engine) -> None:
    with writing(database) as connection:
        for number, hours in enumerate((1, 11, 12, 40)):
            moves(connection, f"host-{number}", hours=hours)
        counts = timeline.counted(connection, ANY, None, BEGIN, END)
        assert timeline.newest(connection, ANY, None, NOON + 40 * HOUR) == NOON + 12 * HOUR
    assert list(counts.items()) == [(date(2026, 11, 3), 1), (date(2026, 11, 2), 1), (date(2026, 11, 1), 2)]


def test_what_changed_on_a_host_that_is_retired_by_now_is_told(database: Engine) -> None:
    with writing(database) as connection:
        moves(connection, "old")
        connection.execute(update(host_table).values(retired_at=NOON + DAY))
        assert len(told(connection)) == 1


def test_the_deploys_of_a_time_are_those_that_began_in_it(database: Engine) -> None:
    with writing(database) as connection:
        for hours, environment in ((-1, "prod"), (0, "prod"), (1, "dev"), (2, "prod")):
            begun = NOON + hours * HOUR
            deploys.begin(connection, f"env:{environment}", environment, f"at {hours}", "", "token:ci", begun)

        def names(seen: Environments, limit: int = 9) -> list[str]:
            return [one.name for one in deploys.begun(connection, NOON, NOON + 2 * HOUR, seen, limit)]

        assert names(None) == ["at 1", "at 0"]
        assert names(None, 1) == ["at 1"]
        assert names(frozenset({"prod"})) == ["at 0"]
