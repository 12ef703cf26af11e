"""Checks that a wrong setting is told with its line, and that a token is never an argument."""

import io
from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Consent
from envparity_agent.config import CONSENT, AgentSettings, agent_settings, read_token, server_address, state_directory
from envparity_agent.errors import UsageError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENVPARITY_CONFIG", str(tmp_path / "agent.toml"))
    return tmp_path / "agent.toml"


def test_every_key_is_read(place: Path) -> None:
    place.write_text(
        'server = "https://server.example"\nstate = "/srv/state"\ndocker = "unix:///run/docker.sock"\ninterval = 60\n'
        '[python]\nshop = "/srv/shop/.venv"\n'
    )
    assert agent_settings() == AgentSettings(
        "https://server.example", "/srv/state", "unix:///run/docker.sock", 60, {"shop": "/srv/shop/.venv"}
    )


def test_an_empty_file_leaves_the_defaults(place: Path) -> None:
    place.touch()
    assert agent_settings() == AgentSettings()
    assert AgentSettings().interval == 900


def test_a_file_that_is_named_must_be_there(place: Path) -> None:
    assert not place.exists()
    with pytest.raises(UsageError, match=r"agent\.toml: No such file"):
        agent_settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# a comment\nsever = 'x'\n", r"agent\.toml, line 2: unknown key 'sever'"),
        ("interval = 900\nint = 1\n", r"agent\.toml, line 2: unknown key 'int'"),
        ("# int is short\nint = 1\n", r"agent\.toml, line 2: unknown key 'int'"),
        ("interval = 900\n[pythons]\n", r"agent\.toml, line 2: unknown key 'pythons'"),
        ("\nserver = 1\n", r"agent\.toml, line 2: server is not of type str"),
        ("interval = '1h'\n", r"agent\.toml, line 1: interval is not of type int"),
        ("interval = true\n", r"agent\.toml, line 1: interval is not of type int"),
        ("interval = 59\n", r"agent\.toml, line 1: interval is less than 60"),
        ("python = 'x'\n", r"agent\.toml, line 1: python is not of type dict"),
        ("\n[python]\nshop = 1\n", r"agent\.toml, line 2: each value of python"),
        ("server = \n", r"agent\.toml: .*line 1"),
        ("server = 'a'\nserver = 'b'\n", r"agent\.toml: .*line 2"),
        ("server\t= 'x'\n\tinterval = 1 x\n", r"agent\.toml: .*line 2"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(place: Path, text: str, message: str) -> None:
    place.write_text(text)
    with pytest.raises(UsageError, match=message):
        agent_settings()


def test_a_file_that_is_no_text_is_told(place: Path) -> None:
    place.write_bytes(b"server = '\xff'\n")
    with pytest.raises(UsageError, match=r"agent\.toml"):
        agent_settings()


def test_a_flag_stands_over_the_file(place: Path) -> None:
    place.write_text('server = "https://file.example/"\nstate = "/srv/state"\n')
    assert server_address("https://flag.example/") == "https://flag.example"
    assert server_address(None) == "https://file.example"
    assert state_directory("/srv/flag") == Path("/srv/flag")
    assert state_directory(None) == Path("/srv/state")


@pytest.mark.parametrize("address", ["server.example", "ftp://server.example", "//server.example"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    with pytest.raises(UsageError, match="is not an http"):
        server_address(address)


def test_no_server_at_all_is_told_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="no server") as refused:
        server_address(None)
    assert "--server" in refused.value.advice


def test_a_token_comes_from_a_file_standard_input_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("from-file\n")
    monkeypatch.setenv("ENVPARITY_TOKEN", " from-environment\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("from-input\n"))
    assert read_token(str(tmp_path / "token")) == "from-file"
    assert read_token("-") == "from-input"
    assert read_token(None) == "from-environment"


def test_no_token_at_all_is_told_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="no token") as refused:
        read_token(None)
    assert "--token-file" in refused.value.advice


def test_a_file_without_a_token_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the token"):
        read_token(str(tmp_path / "nothing"))


@pytest.mark.parametrize("content", ["", "\n", "two\nlines\n", "t\u00f6ken\n", "a\x00b"], ids=repr)
def test_what_no_header_can_carry_is_no_token(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content)
    with pytest.raises(UsageError):
        read_token(str(tmp_path / "token"))


def test_an_empty_standard_input_has_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(UsageError):
        read_token("-")


def test_the_levels_of_consent_are_those_that_the_collectors_know() -> None:
    assert tuple(level.name.lower() for level in Consent) == CONSENT
