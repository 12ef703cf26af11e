"""Tests of the server's settings: flags over environment over file over defaults."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from envparity_agent.errors import UsageError
from envparity_server.settings import server_settings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the settings, which is not there yet."""
    path = tmp_path / "server.toml"
    monkeypatch.setenv("ENVPARITY_SERVER_CONFIG", str(path))
    return path


def test_the_defaults_are_a_database_and_an_address_of_this_machine() -> None:
    settings = server_settings()
    assert settings.database_url == "sqlite:////var/lib/envparity/server.db"
    assert (settings.listen_host, settings.listen_port) == ("127.0.0.1", 8765)


def test_flags_win_over_the_environment_and_that_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('listen_port = 1\nlisten_host = "::1"\ndatabase_url = "sqlite:///file.db"\n')
    assert server_settings().listen_port == 1
    monkeypatch.setenv("ENVPARITY_LISTEN_PORT", "2")
    monkeypatch.setenv("ENVPARITY_DATABASE_URL", "sqlite:///environment.db")
    assert (server_settings().listen_port, server_settings().listen_host) == (2, "::1")
    settings = server_settings(listen_port=3, database_url=None)
    assert (settings.listen_port, settings.database_url) == (3, "sqlite:///environment.db")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("listen_prot = 1\n", "listen_prot"),
        ('listen_port = 1\n\n[severity]\n"python/*" = 1\n', "severity"),
        ('listen_port = "many"\n', "listen_port"),
        ("listen_port = 1\nlisten_port = 2\n", "line 2"),
        ("listen_port\n", "line 1"),
        ("\xff", ""),
    ],
    ids=["unknown key", "unknown table", "wrong type", "key twice", "no TOML", "no UTF-8"],
)
def test_a_wrong_file_is_refused_with_its_name_and_what_is_wrong(file: Path, content: str, said: str) -> None:
    file.write_text(content, "latin-1")
    with pytest.raises(UsageError) as refused:
        server_settings()
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def test_an_unknown_key_is_refused_with_its_line(file: Path) -> None:
    file.write_text("listen_port = 1\n\nlisten_prot = 2\n")
    with pytest.raises(UsageError, match=r"line 3.*listen_prot"):
        server_settings()


def test_a_file_that_is_named_and_not_there_is_refused(file: Path) -> None:
    with pytest.raises(UsageError, match=r"server\.toml"):
        server_settings()
    assert not file.exists()


def test_a_wrong_variable_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVPARITY_LISTEN_PORT", "many")
    with pytest.raises(UsageError, match="listen_port"):
        server_settings()


def test_a_flag_that_is_no_setting_is_refused() -> None:
    with pytest.raises(UsageError, match="listen_prot"):
        server_settings(listen_prot=1)


def test_variables_of_the_agent_are_no_settings_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVPARITY_TOKEN", "secret")
    monkeypatch.setenv("ENVPARITY_SERVER", "https://envparity.example")
    assert server_settings().listen_port == 8765


def test_the_address_of_the_database_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql+psycopg://envparity:secret@db/envparity\n")
    monkeypatch.setenv("ENVPARITY_DATABASE_URL_FILE", str(secret))
    assert server_settings().database_url == "postgresql+psycopg://envparity:secret@db/envparity"


def test_a_flag_wins_over_a_file_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "url"
    secret.write_text("sqlite:///file.db")
    monkeypatch.setenv("ENVPARITY_DATABASE_URL_FILE", str(secret))
    assert server_settings(database_url="sqlite:///flag.db").database_url == "sqlite:///flag.db"


def test_a_file_with_an_address_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        server_settings(database_url_file=tmp_path / "missing")


def test_networks_that_may_be_told_come_as_a_list_or_with_commas(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    file.write_text('webhook_networks = ["10.0.0.0/8", "fd00::/8"]\n')
    assert server_settings().webhook_networks == networks
    monkeypatch.setenv("ENVPARITY_WEBHOOK_NETWORKS", "10.0.0.0/8, fd00::/8")
    assert server_settings().webhook_networks == networks
    monkeypatch.setenv("ENVPARITY_WEBHOOK_NETWORKS", "")
    assert server_settings().webhook_networks == ()


def test_registries_are_names_that_may_have_an_address(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("")
    assert server_settings().registries == ()
    file.write_text('registries = ["docker.io", "a.test:5000=http://127.0.0.1:5000/v"]\n')
    assert server_settings().registries == ("docker.io", "a.test:5000=http://127.0.0.1:5000/v")
    monkeypatch.setenv("ENVPARITY_REGISTRIES", "docker.io, ghcr.io")
    assert server_settings().registries == ("docker.io", "ghcr.io")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("webhook_networks", '["10.0.0.1/8"]'),
        ("webhook_networks", '["everywhere"]'),
        ("registries", '["https://docker.io"]'),
        ("registries", '["docker.io=ftp://a.test"]'),
        ("registries", '["docker.io=https://user:secret@a.test"]'),
        ("registries", '["docker.io/library"]'),
        ("public_url", '"envparity.example"'),
        ("public_url", '"javascript:alert(1)"'),
        ("public_url", '"https://envparity.example/?x"'),
    ],
)
def test_a_wrong_network_or_address_is_refused_by_its_name(file: Path, key: str, value: str) -> None:
    file.write_text(f"{key} = {value}\n")
    with pytest.raises(UsageError, match=f"line 1.*{key}"):
        server_settings()


def test_the_address_that_people_use_is_kept_as_it_is() -> None:
    assert server_settings().public_url == ""
    assert (
        server_settings(public_url="https://envparity.example/parity").public_url == "https://envparity.example/parity"
    )
