"""Checks the command line: what it prints, its exit codes, and that an error is words and never a traceback."""

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from envparity_agent import __version__, schema
from envparity_agent.canonical import decode
from envparity_agent.documents import from_document
from tests.agent.commands import envparity
from tests.agent.trees import distribution, put, system, venv

# what only the server needs
SERVERS_LIBRARIES = ("sqlalchemy", "fastapi", "starlette", "uvicorn", "alembic", "jinja2", "pydantic_settings")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    distribution(venv(tmp_path, "shop"), "requests", "2.32.3")
    return tmp_path / "shop"


def test_show_prints_a_fingerprint_of_an_environment(shop: Path) -> None:
    ended = envparity("show", "--json", shop)
    assert (ended.returncode, ended.stderr) == (0, "")
    found = from_document(decode(ended.stdout.encode()))
    [section] = found.sections.values()
    assert section.items["requests"]["version"] == "2.32.3"
    jsonschema.validate(json.loads(ended.stdout), schema.fingerprint())


def test_show_takes_what_it_printed_from_standard_input(shop: Path) -> None:
    printed = envparity("show", "--json", shop).stdout
    ended = envparity("show", "--json", "-", standard_input=printed)
    assert (ended.returncode, ended.stdout) == (0, printed)


def test_show_is_a_table_for_people(tmp_path: Path) -> None:
    ended = envparity("show", "--root", system(tmp_path))
    assert ended.returncode == 0
    assert "host web-1" in ended.stdout
    assert "absent(not-installed)" in ended.stdout
    assert "Debian 12, 2.36, x86_64" in ended.stdout


def test_show_prints_no_control_character_of_a_hostile_tree(tmp_path: Path) -> None:
    put(system(tmp_path), "etc/os-release", "PRETTY_NAME=\x1b[2J\u202edebian\n")
    ended = envparity("show", "--root", tmp_path)
    assert ended.returncode == 0
    assert r"\x1b[2J\u202edebian" in ended.stdout


def test_show_prints_the_schema_and_reads_nothing() -> None:
    ended = envparity("show", "--schema", "nothing/here")
    assert ended.returncode == 0
    assert json.loads(ended.stdout) == json.loads(json.dumps(schema.fingerprint()))


def test_the_version_is_printed() -> None:
    assert envparity("--version").stdout == f"envparity {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("show", "nothing/here"), 2, "nothing/here: no such target"),
        (("show", "root:/nothing/here"), 2, "cannot open /nothing/here as a root"),
        (("show", "/dev"), 2, "holds no Python environment"),
        (("show", "--nonsense"), 2, "No such option"),
        (("nonsense",), 2, "No such command"),
        (("show", "container:web", "--docker", "unix:///nothing/here"), 3, "unreachable"),
        (("gate",), 2, "--against"),
        (("gate", "--against", "env:prod"), 2, "no server"),
        (("gate", "--against", "env:prod", "--server", "server.example"), 2, "is not an http"),
        (("gate", "--against", "env:prod", "--server", "http://127.0.0.1:9"), 2, "no token"),
        (("agent", "once", "--state", "/dev/null/state"), 3, "envparity: cannot"),
        (("agent", "status", "--state", "/nothing/here"), 2, "not enrolled"),
        (("agent", "enroll", "--token", "secret"), 2, "No such option"),
        (("gate", "--against", "env:prod", "--token", "secret"), 2, "No such option"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_what_is_wrong_is_told_in_words_with_its_exit_code(arguments: tuple[str, ...], code: int, words: str) -> None:
    ended = envparity(*arguments)
    assert "Traceback" not in ended.stderr
    assert words in ended.stderr
    assert ended.returncode == code
    assert ended.stdout == ""


def test_a_wrong_setting_is_told_with_its_line(tmp_path: Path) -> None:
    put(tmp_path, "agent.toml", "\nsever = 'x'\n")
    ended = envparity("show", ENVPARITY_CONFIG=str(tmp_path / "agent.toml"))
    assert ended.returncode == 2
    assert "agent.toml, line 2: unknown key 'sever'" in ended.stderr


def test_an_empty_standard_input_has_no_token() -> None:
    ended = envparity("gate", "--against", "env:prod", "--server", "http://127.0.0.1:9", "--token-file", "-")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("verb", ["server", "up"])
def test_a_lean_install_says_what_a_verb_of_the_server_needs(verb: str) -> None:
    ended = envparity(verb, "run", "--port", "8000", without=SERVERS_LIBRARIES)
    assert ended.returncode == 2
    assert 'pip install "envparity[server]"' in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_lean_install_shows_and_compares(shop: Path) -> None:
    shown = envparity("show", "--json", shop, without=SERVERS_LIBRARIES)
    assert shown.returncode == 0, shown.stderr
    compared = envparity("diff", shop, shop, without=SERVERS_LIBRARIES)
    assert compared.returncode == 0, compared.stderr


def test_the_help_names_every_verb_also_on_a_lean_install() -> None:
    ended = envparity("--help", without=SERVERS_LIBRARIES)
    assert ended.returncode == 0
    for verb in ("show", "gate", "agent", "diff", "server", "up"):
        assert f" {verb} " in ended.stdout


def test_an_agent_that_is_enrolled_is_not_enrolled_over(tmp_path: Path) -> None:
    put(tmp_path, "agent.json", "{}")
    command = (
        "agent",
        "enroll",
        "--server",
        "http://127.0.0.1:9",
        "--state",
        tmp_path,
        "--root",
        system(tmp_path / "r"),
    )
    ended = envparity(*command)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "is enrolled already" in ended.stderr
    assert "--again" in ended.stderr
    assert "no token" in envparity(*command, "--again").stderr
    assert (tmp_path / "agent.json").read_text() == "{}"


def test_a_credential_is_changed_only_by_an_agent_that_has_one(tmp_path: Path) -> None:
    ended = envparity("agent", "rotate", "--state", tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "not enrolled" in ended.stderr
