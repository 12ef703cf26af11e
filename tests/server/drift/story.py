"""A week of a fleet's life: 47 hosts that report every quarter of an hour, and what people and machines do to them.

What a reader would be told of it is in `story.txt`: each line with its moment, its event and its words.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from sqlalchemy import Connection, Engine

from envparity_agent.fingerprint import Fingerprint
from envparity_server import intake
from envparity_server.compare.model import Severity
from envparity_server.drift.life import State
from envparity_server.drift.rules import Rule, rule_id
from envparity_server.evaluation import evaluate
from envparity_server.storage import baselines, deploys, drifts, history, hosts, rules
from envparity_server.storage.database import writing
from tests.server.fleet import EPOCH, enrolled, known, report
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages, section, versions

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
TICK = timedelta(minutes=5)
QUARTER = timedelta(minutes=15)

_SYSTEM = (
    ("curl", "8.14.1-2"), ("libc6", "2.41-12"), ("libssl3t64", "3.5.1-1"), ("linux-image-amd64", "6.12.41-1"),
    ("openssl", "3.5.1-1"), ("tzdata", "2026b-1"),
)  # fmt: skip
_DATABASE = (*_SYSTEM, ("postgresql-17", "17.5-1"))
_SHOP = (("pillow", "11.3.0"), ("requests", "2.31.0"), ("shop", "1.3.0"))
Pinned = tuple[tuple[str, str], ...]


@dataclass
class Machine:
    """A host, as what runs on it changes; `phase` is its minute within a quarter of an hour."""

    name: str
    environment: str
    role: str
    phase: int
    system: dict[str, str]
    shop: dict[str, str]
    log: dict[str, str] = field(default_factory=dict)  # of the package manager, as the agent sends it
    patched: tuple[str, ...] = ()  # files in the writable layer of its container
    timezone: str = "Etc/UTC"
    silent: bool = False
    id: str = ""

    @property
    def fingerprint(self) -> Fingerprint:
        """What its agent would report now."""
        return _fingerprint(
            tuple(sorted(self.system.items())), tuple(sorted(self.shop.items())), self.patched, self.timezone
        )


@cache
def _fingerprint(system: Pinned, shop: Pinned, patched: tuple[str, ...], timezone: str) -> Fingerprint:
    sections = [
        OPERATING_SYSTEM, SEARCHED, ENGINE, section("os-packages", versions(dict(system))),
        section("settings", {"timezone": {"value": timezone}}),
    ]  # fmt: skip
    if shop:
        layer = {f"layer:{path}": {"change": "modified"} for path in patched}
        sections.append(packages(dict(shop)))
        sections.append(section("container/shop.web", {"image": {"reference": "registry.test/shop:7"}, **layer}))
    return host(*sections)


@dataclass
class Story:
    """The fleet on a database, and the clock."""

    engine: Engine
    machines: dict[str, Machine] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    now: datetime = MONDAY
    deploy: str = ""

    def named(self, prefix: str) -> list[Machine]:
        """The machines whose names begin so."""
        return [one for name, one in self.machines.items() if name.startswith(prefix)]

    def joins(self, connection: Connection, machine: Machine) -> None:
        """A machine enrols."""
        labels = {"role": machine.role} if machine.role else {}
        machine.id = enrolled(connection, machine.name, machine.environment, labels).id
        self.machines[machine.name] = machine

    def reports(self, connection: Connection) -> None:
        """Who is due reports; what has not changed is a root hash only."""
        stored = {one.id: one for one in hosts.all_hosts(connection)}
        for one in self.machines.values():
            if one.silent or self.now.minute % 15 != one.phase:
                continue
            last = stored[one.id]
            if last.root != one.fingerprint.root:
                report(connection, last, one.fingerprint, self.now, observed={"os-packages": one.log})
            else:
                intake.accept(connection, last, EPOCH, (last.seq or 0) + 1, head(one), self.now)

    def evaluates(self, connection: Connection) -> None:
        """The job runs, and what it tells is a line."""
        for one in evaluate(connection, self.now):
            found = drifts.by_id(connection, one.drift_id)
            assert found is not None
            self.lines.append(f"{self.now:%a %H:%M}  {one.event:<9} {found.severity.word:<8}  {found.words}")


def head(machine: Machine) -> dict[str, object]:
    """A report of what has not changed."""
    found = machine.fingerprint
    return {
        "root": found.root, "taken_at": found.taken_at, "identity": {}, "observed": {}, "interval": 900, "agent": "1.0"
    }  # fmt: skip


Act = Callable[[Story, Connection], None]


def told(engine: Engine) -> list[str]:
    """Live the week; returns what was told."""
    story = Story(engine)
    with writing(engine) as connection:
        _begin(story, connection)
    acts = sorted(_week(), key=lambda one: one[0])
    while story.now < MONDAY + timedelta(days=7):
        with writing(engine) as connection:
            while acts and acts[0][0] <= story.now:
                acts.pop(0)[1](story, connection)
            story.reports(connection)
            if story.now.minute % 15 == 0:
                story.evaluates(connection)
        story.now += TICK
    return story.lines


def _begin(story: Story, connection: Connection) -> None:
    for environment, role, prefix, count in (
        ("prod", "web", "web", 30), ("prod", "db", "db", 10), ("test", "", "test", 4), ("dev", "", "dev", 3),
    ):  # fmt: skip
        for number in range(1, count + 1):
            system, shop = dict(_DATABASE if role == "db" else _SYSTEM), dict(() if role == "db" else _SHOP)
            name = f"{prefix}-{number:02}"
            story.joins(connection, Machine(name, environment, role, number % 3 * 5, system, shop))
    connection.exec_driver_sql("UPDATE environment SET against = 'env:prod,role=web' WHERE name = 'test'")
    kernels = "kernels wait for a reboot, rack by rack"
    rules.add(connection, _rule("os-packages/linux-image-*", kernels), "prod", "person:ada", MONDAY)
    patched = "nobody patches a container of prod"
    rules.add(connection, _rule("container/*/layer:*", patched, Severity.CRITICAL), "prod", "person:ada", MONDAY)


def _rule(match: str, reason: str, severity: Severity | None = None) -> Rule:
    return Rule(rule_id(match, "env:prod", severity), match, "env:prod", reason, "platform", None, severity)


def _week() -> Iterator[tuple[datetime, Act]]:
    yield from _upgrades()
    yield from _first_deploy()
    yield from _second_deploy()
    yield from _hands()
    yield from _machines()
    yield from _baseline()


def at(day: int, clock: str) -> datetime:
    """A moment of the week: day 0 is Monday."""
    hour, minute = clock.split(":")
    return MONDAY + timedelta(days=day, hours=int(hour), minutes=int(minute))


def _upgrades() -> Iterator[tuple[datetime, Act]]:
    """unattended-upgrades of four nights, host by host over three hours; databases are upgraded by hand.

    Wednesday's leaves web-17 behind, whose dpkg was locked, until somebody looks at it in the afternoon. Of the kernel
    on Monday each other host is rebooted, which a rule expects.
    """
    nights = {
        0: {"openssl": "3.5.1-1+deb13u1", "libssl3t64": "3.5.1-1+deb13u1"},
        2: {"curl": "8.14.1-2+deb13u1", "tzdata": "2026c-0+deb13u1"},
        3: {"libc6": "2.41-12+deb13u1"},
        5: {"openssl": "3.5.1-1+deb13u2", "libssl3t64": "3.5.1-1+deb13u2"},
    }
    for night, newer in nights.items():
        for place in range(36):
            yield at(night, "02:00") + place * TICK, _upgrade(place, newer, "web-17" if night == 2 else "")
    yield at(2, "15:00"), _upgrade(None, nights[2], "")
    yield at(0, "04:00"), _kernel


def _upgrade(place: int | None, newer: dict[str, str], locked: str) -> Act:
    def act(story: Story, _: Connection) -> None:
        for number, one in enumerate(story.machines.values()):
            if one.role != "db" and one.name != locked and place in (None, number * 7 % 36):
                changes = ", ".join(f"{name} {one.system[name]} -> {version}" for name, version in newer.items())
                who = "unattended-upgrade" if place is not None else "apt upgrade by ada (1000)"
                one.log = {f"{story.now:%Y-%m-%d %H:%M:%S}": f"{who}: {changes}"}
                one.system.update(newer)

    return act


def _kernel(story: Story, _: Connection) -> None:
    for one in story.named("web")[::2]:
        one.system["linux-image-amd64"] = "6.12.43-1"


def _first_deploy() -> Iterator[tuple[datetime, Act]]:
    """On Tuesday shop 1.4.0 goes to test, and half an hour later to prod, which takes forty minutes."""
    newer = {"shop": "1.4.0", "requests": "2.32.4"}
    yield at(1, "09:30"), _install("test", newer)
    yield at(1, "10:00"), _deploy("shop 1.4.0")
    for number in range(8):
        yield at(1, "10:00") + number * TICK, _install("web", newer, slice(4 * number, 4 * number + 4))
    yield at(1, "10:45"), _deployed
    yield at(1, "11:00"), _install("dev", newer)


def _second_deploy() -> Iterator[tuple[datetime, Act]]:
    """On Thursday shop 1.5.0, with the newer Pillow that test has had, misses two hosts until Friday."""
    newer = {"shop": "1.5.0", "pillow": "12.0.0"}
    yield at(3, "14:00"), _deploy("shop 1.5.0")
    yield at(3, "14:00"), _install("test", newer)
    for number in range(7):
        yield at(3, "14:05") + number * TICK, _install("web", newer, slice(4 * number, 4 * number + 4))
    yield at(3, "14:40"), _install("web-31", newer)
    yield at(3, "15:00"), _deployed
    yield at(3, "15:00"), _install("dev", newer)
    yield at(4, "10:00"), _install("web", newer)


def _install(prefix: str, newer: dict[str, str], which: slice = slice(None)) -> Act:
    def act(story: Story, _: Connection) -> None:
        for one in story.named(prefix)[which]:
            one.shop.update(newer)

    return act


def _deploy(name: str) -> Act:
    def act(story: Story, connection: Connection) -> None:
        begun = deploys.begin(connection, "env:prod,role=web", "prod", name, "", "token:github", story.now)
        story.deploy = begun.id

    return act


def _deployed(story: Story, connection: Connection) -> None:
    deploys.end(connection, [story.deploy], story.now)


def _hands() -> Iterator[tuple[datetime, Act]]:
    """On Monday db-03 flaps; on Wednesday test gets a newer Pillow, which Ada acknowledges, and web-07 a patch."""
    for number in range(8):
        yield at(0, "13:00") + 2 * number * QUARTER, _timezone("Europe/Berlin" if number % 2 == 0 else "Etc/UTC")
    yield at(2, "09:30"), _install("test", {"pillow": "12.0.0"})
    yield at(2, "14:00"), _acknowledge
    yield at(2, "16:20"), _patch("web-07", "/srv/shop/views.py")
    yield at(4, "09:00"), _patch("web-07")


def _timezone(name: str) -> Act:
    def act(story: Story, _: Connection) -> None:
        story.machines["db-03"].timezone = name

    return act


def _patch(name: str, *paths: str) -> Act:
    def act(story: Story, _: Connection) -> None:
        story.machines[name].patched = paths

    return act


def _acknowledge(story: Story, connection: Connection) -> None:
    wanted = drifts.Wanted(environment="test")
    (found,), _ = drifts.listed(connection, wanted)
    assert drifts.decide(
        connection, found.id, found.version, State.ACKNOWLEDGED, story.now, "comes with shop 1.5", "person:ada"
    )


def _machines() -> Iterator[tuple[datetime, Act]]:
    """On Wednesday web-31 joins with what its old image has; on Friday web-12 is cloned; on Saturday a rack is dark."""
    yield at(2, "09:00"), _new_host
    yield at(4, "11:00"), _clone
    yield at(5, "12:05"), _dark(True)
    yield at(5, "14:05"), _dark(False)


def _new_host(story: Story, connection: Connection) -> None:
    system, shop = dict(_SYSTEM), dict(story.machines["web-01"].shop)
    story.joins(connection, Machine("web-31", "prod", "web", 5, system, shop))


def _clone(story: Story, connection: Connection) -> None:
    """It reports as web-12, which is refused, and is enrolled anew as web-32."""
    one = story.machines["web-12"]
    last = known(connection, one.id)
    copy = {**head(one), "root": story.machines["db-01"].fingerprint.root}
    with pytest.raises(intake.Conflict):
        intake.accept(connection, last, EPOCH, last.seq or 0, copy, story.now)
    story.joins(connection, Machine("web-32", "prod", "web", 10, dict(one.system), dict(one.shop)))


def _dark(silent: bool) -> Act:
    def act(story: Story, _: Connection) -> None:
        for one in story.named("web")[:12]:
            one.silent = silent

    return act


def _baseline() -> Iterator[tuple[datetime, Act]]:
    """Databases are held against a baseline since Monday; on Friday its next version has a newer PostgreSQL.

    They are upgraded on Sunday morning.
    """
    yield at(0, "12:00"), _pin("db-01", 1)
    yield at(4, "12:30"), _stage
    yield at(4, "13:00"), _pin("test-db", 2)
    yield at(6, "06:00"), _migrate


def _stage(story: Story, connection: Connection) -> None:
    system = {**dict(_DATABASE), "postgresql-17": "17.6-1"}
    story.joins(connection, Machine("test-db", "staging", "db", 5, system, {}))


def _pin(name: str, number: int) -> Act:
    def act(story: Story, connection: Connection) -> None:
        (source,) = hosts.named(connection, name)
        tree = history.at(connection, [source.id])[source.id].sections
        pinned = baselines.Pinned(f"host:{name}", "host", story.now.isoformat(), "how databases are set up")
        selector = "env:prod,role=db"
        made = baselines.propose(connection, "databases", selector, "prod", pinned, tree, "person:ada", story.now)
        assert made == number
        assert baselines.approve(connection, "databases", number, "person:bob", story.now)

    return act


def _migrate(story: Story, _: Connection) -> None:
    for one in story.named("db"):
        one.system["postgresql-17"] = "17.6-1"
