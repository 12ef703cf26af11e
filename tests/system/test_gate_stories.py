"""The gate as a team meets it: releases, bases that move, runners, stale hosts; on real environments and images."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from envparity_server.storage.database import open_database, writing
from envparity_server.storage.tables import host as host_table
from tests.forking import Ended
from tests.system.components import require_fleet
from tests.system.registry import Registry
from tests.system.releases import LIBRARY, MOVED_TO, RELEASE, RUNNING, Release, Yard, released, slim_copy, version_of
from tests.system.serving import envparity

pytestmark = pytest.mark.system

WEB = "env:prod#container/shop.web"
SCREEN = 24  # lines
# the image, its code as a whole and two files of it, and three packages of its lock
DECLARED = 7


@pytest.fixture(scope="module")
def running(registry: Registry) -> Iterator[tuple[Yard, Release]]:
    """The shop in production, on a host that has reported."""
    require_fleet()
    with released(registry) as found:
        yield found


@pytest.fixture(scope="module")
def yard(running: tuple[Yard, Release]) -> Yard:
    """Where the shop is built, run and judged."""
    return running[0]


@pytest.fixture(scope="module")
def release(yard: Yard) -> Release:
    """The next release, on the same base image."""
    return yard.release("2", RELEASE)


@pytest.fixture(scope="module")
def moved(yard: Yard, release: Release) -> Release:  # noqa: ARG001  # which was built before
    """The same once more, after the tag of the base image was moved."""
    yard.publish_base(yard.other)
    return yard.release("3", RELEASE)


@pytest.fixture(scope="module")
def pipeline(yard: Yard) -> str:
    """A token that may gate, and nothing else."""
    return yard.server.token("ci", "--name", "pipeline")


@pytest.fixture(scope="module")
def small(yard: Yard) -> Path:
    """A virtual environment of what production has."""
    return yard.environment("small", RUNNING)


@pytest.fixture
def gate(yard: Yard, pipeline: str) -> "Gate":
    """The gate, asked as a pipeline does."""
    return Gate(yard, pipeline)


class Gate:
    """Runs `envparity gate` and checks of each answer that it fits on a screen and ends with the exit code."""

    def __init__(self, yard: Yard, token: str) -> None:
        self._yard, self._token = yard, token

    def __call__(self, *arguments: str | Path, settings: Mapping[str, str] | None = None) -> Ended:
        """Ask with a token for the server."""
        return _checked(self._yard.server.ask("gate", *arguments, token=self._token, settings=settings))

    def alone(self, *arguments: str | Path) -> Ended:
        """Ask where no server is known."""
        return _checked(envparity("gate", *arguments, environment=self._yard.server.keyed))

    def image(self, built: Release, *arguments: str | Path, settings: Mapping[str, str] | None = None) -> Ended:
        """Hold an image as just built against what runs in production."""
        engine = ("--docker", self._yard.engine.url)
        return self("--target", f"image:{built.image}", *engine, *arguments, settings=settings)


def _checked(ended: Ended) -> Ended:
    if ended.output:
        assert ended.output.splitlines()[-1] == f"exit {ended.exit_code}"
        assert len(ended.output.splitlines()) <= SCREEN, ended.output
    return ended


def answer(ended: Ended) -> tuple[int, str]:
    """The exit code and the first line; what was complained about where there is no line."""
    return ended.exit_code, ended.output.partition("\n")[0] or ended.complaint


def counted(ended: Ended, pattern: str) -> list[int]:
    """The numbers in the first line, which has to be so."""
    _, line = answer(ended)
    found = re.fullmatch(pattern, line)
    assert found, ended.output + ended.complaint
    return [int(number) for number in found.groups()]


def test_a_release_with_a_declared_upgrade_passes(gate: Gate, release: Release) -> None:
    ended = gate.image(release, "--against", WEB, *release.declared)
    same, declared = counted(
        ended, rf"parity: (\d+) items the same as {WEB}, none differs at low or over; (\d+) declared"
    )
    assert (ended.exit_code, declared) == (0, DECLARED)
    assert same > 100


def test_a_base_image_that_moved_fails_and_is_named_with_what_came_along(
    gate: Gate, moved: Release, yard: Yard
) -> None:
    ended = gate.image(moved, "--against", WEB, *moved.declared)
    came_along = f"{LIBRARY} {version_of(yard.web, LIBRARY)} → {MOVED_TO}"
    assert answer(ended) == (
        1,
        f"drift: {DECLARED} declared, 1 undeclared: {came_along} via base image debian:bookworm (digest moved)",
    )
    assert f"{moved.folder}/Dockerfile:7" in ended.output  # the last FROM


def test_a_runner_is_not_red_for_what_nobody_asked_about(gate: Gate, yard: Yard, running: tuple[Yard, Release]) -> None:
    yard.report("shop-1", "mixed", yard.web)
    for name in ("db-1", "db-2"):
        yard.report(name, "mixed", yard.other)
    runner = slim_copy(yard.other, yard.home / "runner")
    yard.copy(running[1], runner)
    asked = ("--root", runner, "--against", "env:mixed")
    assert gate(*asked).exit_code == 1
    ended = gate(*asked, "--app", "shop")
    assert answer(ended)[0] == 0, ended.output
    assert "env:mixed: 1 of 3 hosts have what is asked about" in ended.output


def test_a_stale_reference_is_told_with_its_host_and_since_when(gate: Gate, yard: Yard) -> None:
    yard.report("late-1", "late", yard.web)
    since = datetime.now(UTC) - timedelta(days=1)
    database = open_database(yard.server.database_url)
    with writing(database) as connection:
        connection.execute(update(host_table).where(host_table.c.name == "late-1").values(seen_at=since))
    database.dispose()
    ended = gate("--root", yard.web, "--against", "env:late", "--only", "python")
    stale = f"1 of 1 stale: late-1 (last seen {since:%Y-%m-%d %H:%M} UTC, due every 900 s)"
    assert answer(ended) == (3, f"unknown: cannot tell: env:late: {stale}"), ended.output


def test_too_little_that_could_be_compared_is_no_pass(gate: Gate, release: Release) -> None:
    # without the agents' key nobody can tell whether the settings of the two are the same
    asked = ("--against", WEB, *release.declared)
    short = gate.image(release, *asked, settings={})
    assert answer(short)[0] == 3, short.output
    enough = gate.image(release, *asked, "--min-coverage", "95%", settings={})
    assert answer(enough)[0] == 0, enough.output
    assert "no-key" in short.output
    assert "no-key" in enough.output


def test_a_server_that_cannot_be_reached_is_no_pass(yard: Yard, small: Path) -> None:
    asked = ("gate", "--target", small, "--against", "env:prod#python/shop", "--server", "http://127.0.0.1:9")
    ended = envparity(*asked, environment={"ENVPARITY_TOKEN": "any", **yard.server.keyed})
    assert (ended.exit_code, ended.output) == (3, "")
    assert "http://127.0.0.1:9" in ended.complaint


def test_what_rules_expect_passes_and_is_counted(gate: Gate, yard: Yard, release: Release) -> None:
    rules = yard.home / "envparity.toml"
    names = ("idna", "packaging", "tabulate")
    rules.write_text("".join(f'[[rule]]\nmatch = "python/*/{name}"\nreason = "as planned"\n' for name in names))
    ended = gate.image(release, "--against", WEB, "--only", "python", "--rules", rules)
    _, expected = counted(ended, r"parity: (\d+) items the same as .*, none differs at low or over; (\d+) expected")
    assert (ended.exit_code, expected) == (0, 3)


def test_what_an_operator_accepted_is_known_until_something_else_comes(
    gate: Gate, yard: Yard, release: Release, moved: Release
) -> None:
    asked = ("--against", WEB, "--declared", release.folder / "Dockerfile", "--new-only", "--repository", "acme/shop")
    first = gate.image(release, *asked)
    assert answer(first)[0] == 1, first.output
    assert "no run against" in first.output
    kept = re.search(r"^kept as .*/(\d+)$", first.output, re.MULTILINE)
    assert kept
    operator = yard.server.token("operator", "--name", "ada")
    taken = yard.server.ask("gates", "accept", kept[1], "--reason", "as planned", token=operator)
    assert taken.exit_code == 0, taken.complaint
    again = gate.image(release, *asked)
    assert answer(again)[0] == 0, again.output
    assert "; 4 declared, 3 known" in answer(again)[1]
    further = gate.image(moved, *asked)
    assert answer(further)[0] == 1, further.output
    assert f"1 undeclared: {LIBRARY}" in answer(further)[1]


def test_no_server_is_needed(
    gate: Gate, yard: Yard, small: Path, running: tuple[Yard, Release], release: Release
) -> None:
    built = ("--target", f"image:{release.image}", "--docker", yard.engine.url, *release.declared)
    for reference in (yard.show("container:web", "web.json"), f"image:{running[1].image}"):
        code, line = answer(gate.alone(*built, "--against", reference))
        assert (code, f"; {DECLARED} declared" in line) == (0, True), line
    assert answer(gate.alone("--target", small, "--against", small.parent / "uv.lock"))[0] == 0
    ended = gate.alone("--target", small, "--against", release.folder / "uv.lock")
    assert answer(ended)[0] == 1
    assert f"idna 3.7 → 3.4 ({release.folder}/uv.lock:" in ended.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--against", "evn:prod"), "evn:prod"),
        (("--against", "env:prdo#python/shop"), "did you mean env:prod?"),
        (("--against", "env:prod#python/shpo"), "no section python/shpo"),
        (("--against", "env:prod", "--only", "pyhton"), "pyhton"),
        (("--against", "env:prod", "--fail-on", "hihg"), "hihg"),
        (("--against", "env:prod", "--min-coverage", "lots"), "lots"),
        (("--against", "env:prod", "--max-age", "soon"), "soon"),
        (("--against", "env:prod", "--on-unknown", "wran"), "wran"),
        (("--against", "env:prod", "--declared", "uv.lokc"), "uv.lokc"),
        (("--against", "env:prod", "-o", "sarfi"), "sarfi"),
        (("--agianst", "env:prod"), "--agianst"),
    ],
)
def test_a_misspelt_question_is_a_usage_error(gate: Gate, small: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = gate("--target", small, *arguments)
    assert (ended.exit_code, ended.output) == (2, "")
    assert said in ended.complaint
    assert "Traceback" not in ended.complaint
