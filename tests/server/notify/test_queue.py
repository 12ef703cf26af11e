"""Tests of the queue on both databases: once for each event, one try at a time, and given up in the end."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

from envparity_server.compare.model import Severity
from envparity_server.notify.interface import Notification, SendError
from envparity_server.notify.queue import (
    CLAIM,
    LONGEST_DELAY,
    MAX_TRIES,
    delay,
    deliver_due,
    enqueue,
    send_test,
)
from envparity_server.notify.senders import Make
from envparity_server.storage import channels, deliveries
from envparity_server.storage.database import reading, writing
from envparity_server.storage.deliveries import Delivery
from envparity_server.storage.pruning import prune
from envparity_server.storage.tables import drift, drift_item
from tests.server.making import NOON
from tests.server.notify.drifting import Moved, channel_in, drift_in
from tests.server.notify.receivers import LOOPBACK, http_receiver

LATER = NOON + timedelta(days=1)


@dataclass
class Recorder:
    """Takes what is sent, or fails as the test says."""

    problem: SendError | None = None
    sent: list[tuple[str, str]] = field(default_factory=list)  # channel and event
    during: Callable[[str], None] = lambda _name: None

    def make(self) -> Make:
        recorder = self

        @dataclass
        class One:
            name: str

            def send(self, _delivery: str, notification: Notification, _now: datetime) -> None:
                recorder.during(self.name)
                if recorder.problem:
                    raise recorder.problem
                recorder.sent.append((self.name, notification.event))

        return lambda channel, _allowed: One(channel.name)


def tell(engine: Engine, *transitions: Moved, now: datetime = NOON) -> int:
    with writing(engine) as connection:
        return enqueue(connection, transitions, now, "https://envparity.example")


def logged(engine: Engine) -> list[Delivery]:
    with reading(engine) as connection:
        return deliveries.log(connection, [one.name for one in channels.all_channels(connection)])[0]


@pytest.fixture
def told(database: Engine) -> str:
    """A channel that has one delivery waiting: the id of its drift."""
    with writing(database) as connection:
        channel_in(connection)
        id = drift_in(connection)
    assert tell(database, Moved(id, "new")) == 1
    return id


def test_the_same_transition_again_makes_no_second_delivery(database: Engine, told: str) -> None:
    assert tell(database, Moved(told, "new"), Moved(told, "new"), now=LATER) == 0
    (one,) = logged(database)
    assert (one.drift, one.event, one.state, one.tries) == (told, "new", "waiting", 0)
    assert one.title == "high: openssl of os-packages on web-1 (env:prod)"
    assert one.body["link"] == f"https://envparity.example/drifts/{told}"


def test_a_drift_that_comes_back_is_told_again(database: Engine, told: str) -> None:
    assert tell(database, Moved(told, "resolved")) == 1
    with writing(database) as connection:
        connection.execute(update(drift).values(regressions=1))
    assert tell(database, Moved(told, "regressed")) == 1
    assert tell(database, Moved(told, "resolved")) == 1
    assert [one.event for one in logged(database)].count("resolved") == 2


def test_one_cause_on_many_hosts_is_one_delivery_for_each_channel(database: Engine) -> None:
    with writing(database) as connection:
        channel_in(connection)
        channel_in(connection, "pay", hosts="env:prod,team=pay")
        channel_in(connection, "dev", hosts="env:dev")
        channel_in(connection, "urgent", severity=Severity.CRITICAL)
        id = drift_in(connection, hosts={f"web-{one}": {"team": "pay"} for one in range(3)}, items=("a", "b"))
    assert tell(database, Moved(id, "new")) == 2
    assert sorted(one.channel for one in logged(database)) == ["ops", "pay"]
    for one in logged(database):
        told_of = [(item["item"], item["host"]) for item in one.body["items"]]
        assert told_of == [(item, f"web-{number}") for item in ("a", "b") for number in range(3)]


def test_the_end_is_told_only_where_the_beginning_was(database: Engine, told: str) -> None:
    with writing(database) as connection:
        channel_in(connection, "late")
    assert tell(database, Moved(told, "resolved")) == 1
    assert {one.channel for one in logged(database)} == {"ops"}


def test_hosts_that_fell_silent_are_told(database: Engine) -> None:
    with writing(database) as connection:
        channel_in(connection)
        id = drift_in(connection, hosts={"web-1": {}, "web-2": {}}, kind="stale", section="")
        connection.execute(update(drift_item).values(state="stale", section="", item="", attribute="", left=None))
    assert tell(database, Moved(id, "new")) == 1
    assert logged(database)[0].title == "high: no reports on 2 hosts of env:prod"


def test_a_drift_of_a_whole_environment_is_told(database: Engine) -> None:
    with writing(database) as connection:
        channel_in(connection)
        id = drift_in(connection)
        connection.execute(update(drift_item).values(subject="env:prod"))
    assert tell(database, Moved(id, "new")) == 1
    assert logged(database)[0].title == "high: openssl of os-packages on env:prod"


def test_of_a_drift_only_what_lasts_is_told(database: Engine) -> None:
    with writing(database) as connection:
        channel_in(connection)
        id = drift_in(connection, items=("openssl", "zlib"))
        connection.execute(update(drift_item).where(drift_item.c.item == "zlib").values(gone_at=NOON))
    assert tell(database, Moved(id, "new")) == 1
    assert [one["item"] for one in logged(database)[0].body["items"]] == ["openssl"]


def test_a_drift_that_nobody_knows_and_a_fleet_without_channels_tell_nothing(database: Engine) -> None:
    assert tell(database, Moved("ffffffffffffffff", "new")) == 0
    with writing(database) as connection:
        channel_in(connection)
    assert tell(database, Moved("ffffffffffffffff", "new")) == 0
    assert tell(database) == 0


def test_what_is_rolled_back_with_its_evaluation_is_not_told(database: Engine) -> None:
    with writing(database) as connection:
        channel_in(connection)
        id = drift_in(connection)
    with database.connect() as connection:
        assert enqueue(connection, [Moved(id, "new")], NOON, "") == 1
        connection.rollback()
    assert logged(database) == []


def test_what_is_due_arrives_at_a_real_receiver_once(database: Engine) -> None:
    with http_receiver() as receiver:
        with writing(database) as connection:
            channel_in(connection, address=receiver.url)
            id = drift_in(connection)
        tell(database, Moved(id, "new"))
        assert deliver_due(database, NOON - timedelta(seconds=1), LOOPBACK) == 0
        assert deliver_due(database, NOON, LOOPBACK) == 1
        assert deliver_due(database, LATER, LOOPBACK) == 0
    (one,) = logged(database)
    assert (one.state, one.tries, one.delivered_at, one.problem) == ("delivered", 1, NOON, None)
    assert [got.headers["Envparity-Delivery"] for got in receiver.got] == [one.id]


@pytest.mark.usefixtures("told")
def test_of_two_processes_one_sends(database: Engine) -> None:
    recorder = Recorder()
    other: list[int] = []
    recorder.during = lambda _name: other.append(deliver_due(database, NOON, (), recorder.make()))
    assert deliver_due(database, NOON, (), recorder.make()) == 1
    assert other == [0]
    assert recorder.sent == [("ops", "new")]


@pytest.mark.usefixtures("told")
def test_two_that_read_the_same_row_do_not_both_get_it(database: Engine) -> None:
    (one,) = logged(database)
    with writing(database) as connection:
        assert deliveries.claim(connection, one, NOON + CLAIM)
    with writing(database) as connection:
        assert not deliveries.claim(connection, one, NOON + CLAIM + timedelta(seconds=1))


@pytest.mark.usefixtures("told")
def test_a_process_that_dies_while_it_sends_leaves_it_due_again(database: Engine) -> None:
    class Killed(BaseException):
        pass

    def die(_name: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        deliver_due(database, NOON, (), Recorder(during=die).make())
    recorder = Recorder()
    assert deliver_due(database, NOON + CLAIM - timedelta(seconds=1), (), recorder.make()) == 0
    assert deliver_due(database, NOON + CLAIM, (), recorder.make()) == 1
    assert logged(database)[0].tries == 2


@pytest.mark.usefixtures("told")
def test_no_transaction_is_open_while_it_sends(database: Engine) -> None:
    def write(_name: str) -> None:
        with writing(database) as connection:
            channel_in(connection, "another")

    assert deliver_due(database, NOON, (), Recorder(during=write).make()) == 1


@pytest.mark.usefixtures("told")
def test_a_failure_is_tried_again_and_given_up_in_the_end(database: Engine) -> None:
    recorder = Recorder(problem=SendError("the receiver answered 503", permanent=False))
    now = NOON
    for tries in range(1, MAX_TRIES + 1):
        assert deliver_due(database, now, (), recorder.make()) == 0
        (one,) = logged(database)
        assert one.tries == tries
        if tries < MAX_TRIES:
            assert one.state == "retrying"
            assert one.problem == "the receiver answered 503"
            assert one.due_at is not None
            assert timedelta(0) <= one.due_at - now <= LONGEST_DELAY
            now = one.due_at + timedelta(microseconds=1)
    assert (one.state, one.due_at) == ("given up", None)
    assert one.problem == "given up after 12 tries: the receiver answered 503"


@pytest.mark.usefixtures("told")
def test_what_would_not_help_is_not_tried_again(database: Engine) -> None:
    deliver_due(database, NOON, (), Recorder(problem=SendError("the receiver answered 410", permanent=True)).make())
    (one,) = logged(database)
    assert (one.state, one.tries, one.problem) == ("given up", 1, "the receiver answered 410")


@pytest.mark.usefixtures("told")
def test_the_receiver_is_obeyed_when_it_asks_to_wait(database: Engine) -> None:
    deliver_due(database, NOON, (), Recorder(problem=SendError("429", permanent=False, retry_after=600)).make())
    (one,) = logged(database)
    assert one.due_at is not None
    assert timedelta(seconds=600) <= one.due_at - NOON <= timedelta(seconds=630)


@pytest.mark.parametrize(
    ("tries", "retry_after", "longest"),
    [(1, None, 30), (2, None, 60), (8, None, 3600), (12, None, 3600), (1, 0, 31), (1, -5, 31), (1, 1e9, 3630)],
)
def test_delays_grow_and_are_bounded(tries: int, retry_after: float | None, longest: float) -> None:
    assert delay(tries, retry_after, lambda _least, most: most) == timedelta(seconds=longest)
    assert delay(tries, None, lambda least, _most: least) == timedelta(0)


def test_a_channel_that_hangs_does_not_hold_up_the_others(database: Engine) -> None:
    with writing(database) as connection:
        for name in ("hangs", "works"):
            channel_in(connection, name)
        id = drift_in(connection)
    tell(database, Moved(id, "new"))
    works = threading.Event()

    def during(name: str) -> None:
        if name == "works":
            works.set()
        elif not works.wait(30):
            raise SendError("the other one was held up", permanent=True)

    assert deliver_due(database, NOON, (), Recorder(during=during).make()) == 2


def test_later_news_of_a_drift_never_overtake_the_earlier(database: Engine, told: str) -> None:
    deliver_due(database, NOON, (), Recorder(problem=SendError("503", permanent=False, retry_after=3600)).make())
    tell(database, Moved(told, "resolved"), now=NOON + timedelta(minutes=1))
    recorder = Recorder()
    assert deliver_due(database, NOON + timedelta(minutes=2), (), recorder.make()) == 0
    for _ in range(2):
        deliver_due(database, LATER, (), recorder.make())
    assert recorder.sent == [("ops", "new"), ("ops", "resolved")]


@pytest.mark.usefixtures("told")
def test_nothing_is_sent_to_a_channel_that_is_disabled(database: Engine) -> None:
    with writing(database) as connection:
        channels.change(connection, "ops", enabled=False)
    assert deliver_due(database, NOON, (), Recorder().make()) == 0


@pytest.mark.usefixtures("told")
def test_a_channel_that_goes_takes_its_deliveries_along(database: Engine) -> None:
    with writing(database) as connection:
        channels.remove(connection, "ops")
        assert connection.execute(select(drift)).all()
    assert logged(database) == []


def test_the_log_forgets_what_is_over_but_not_who_must_be_told_of_the_end(database: Engine, told: str) -> None:
    day = timedelta(days=1)

    def forget(moment: datetime = LATER) -> int:
        return prune(database, moment + day, day).counts["delivery"]

    assert forget() == 0  # it waits
    deliver_due(database, NOON, (), Recorder().make())
    assert forget() == 0  # the drift lasts
    with writing(database) as connection:
        connection.execute(update(drift).values(state="resolved"))
    assert forget(NOON) == 0  # not so old
    assert told
    assert forget() == 1
    assert logged(database) == []


def test_a_test_is_sent_at_once_and_told_in_words(database: Engine) -> None:
    with http_receiver() as receiver:
        with writing(database) as connection:
            one = channel_in(connection, address=receiver.url)
        assert send_test(database, one, NOON, LOOPBACK, "").words == "ops got it"
        receiver.status = 500
        assert send_test(database, one, LATER, LOOPBACK, "").words == "ops did not get it: the receiver answered 500"
    newest, first = logged(database)
    assert (newest.state, newest.event, newest.drift) == ("given up", "test", None)
    assert first.state == "delivered"
