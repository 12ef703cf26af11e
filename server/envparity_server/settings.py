"""The server's settings: flags over environment over /etc/envparity/server.toml over defaults."""

import os
import tomllib
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, StringConstraints, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from envparity_agent.errors import UsageError
from envparity_server.logs import LogFormat

CONFIG_FILE = "/etc/envparity/server.toml"
_REGISTRY = r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?(=https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?)?$"


class ServerSettings(BaseSettings):
    """Each field is a key of the file, and a variable with the prefix ENVPARITY_."""

    model_config = SettingsConfigDict(env_prefix="ENVPARITY_", extra="forbid", frozen=True)

    database_url: str = "sqlite:////var/lib/envparity/server.db"
    database_url_file: Path | None = None  # a file with the URL, which may hold a password
    listen_host: str = "127.0.0.1"
    listen_port: int = 8765
    trusted_proxies: str = ""  # addresses, with commas, whose X-Forwarded-For and -Proto are believed
    header_seconds: PositiveFloat = 10.0  # that a client has to send a request's head
    body_seconds: PositiveFloat = 30.0  # and its body, and to take the answer
    idle_seconds: PositiveFloat = 30.0  # that a connection is kept between two requests
    drain_seconds: PositiveFloat = 10.0  # that requests have to end when the server is stopped
    log_format: LogFormat = LogFormat.JSON  # or text
    settle: NonNegativeInt = 3600  # seconds that a drift has to last before it is told
    keep_days: PositiveInt = 365  # of history, changes and deliveries; what a host runs now stays
    keep_days_in: dict[str, PositiveInt] = {}  # environment -> days, where they are others
    # where people reach the dashboard; links in notifications begin with it
    public_url: Annotated[str, StringConstraints(pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$")] = ""
    # networks that notifications may go to although they are not the public internet; a variable has commas between
    webhook_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    # registries that are asked where tags of images point: HOST, or HOST=URL where its API is at another address
    registries: Annotated[tuple[Annotated[str, StringConstraints(pattern=_REGISTRY)], ...], NoDecode] = ()

    @field_validator("webhook_networks", "registries", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @property
    def kept(self) -> tuple[timedelta, dict[str, timedelta]]:
        """How long history lasts: everywhere, and in the environments where it is another time."""
        return timedelta(days=self.keep_days), {name: timedelta(days=days) for name, days in self.keep_days_in.items()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic-settings' signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


DEFAULTS = ServerSettings.model_construct()  # of an application that nobody configured: no file, no environment


def config_file() -> Path:
    """The file that ENVPARITY_SERVER_CONFIG names, else the default one."""
    return Path(os.environ.get("ENVPARITY_SERVER_CONFIG") or CONFIG_FILE)


def server_settings(**flags: Any) -> ServerSettings:
    """Read the settings; raises UsageError that names the key which is wrong."""
    given = {key: value for key, value in flags.items() if value is not None}
    path = config_file()
    in_file = _keys(path)
    try:
        settings = ServerSettings(**given)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = str(first["loc"][0])
        from_file = key in in_file and key not in given and f"ENVPARITY_{key.upper()}" not in os.environ
        place = f"{path}, line {in_file[key]}: " if from_file else ""
        raise UsageError(f"{place}setting {key}: {first['msg']}") from None
    in_environment = {name for name in ("DATABASE_URL", "DATABASE_URL_FILE") if f"ENVPARITY_{name}" in os.environ}
    if settings.database_url_file is None or "database_url" in given or in_environment == {"DATABASE_URL"}:
        return settings
    try:
        url = settings.database_url_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"cannot read {settings.database_url_file}: {problem}") from None
    return settings.model_copy(update={"database_url": url})


def _keys(path: Path) -> dict[str, int]:
    """The file's keys with their lines; raises UsageError where it is not TOML, or named and not there."""
    if "ENVPARITY_SERVER_CONFIG" not in os.environ and not path.exists():
        return {}
    try:
        text = path.read_text("utf-8")
        keys = tomllib.loads(text)
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror}") from None
    except ValueError as problem:  # TOMLDecodeError says the line; UnicodeDecodeError is one as well
        raise UsageError(f"{path}: {problem}") from None
    lines = [line.strip().lstrip("[") for line in text.splitlines()]
    return {key: next((number for number, line in enumerate(lines, 1) if line.startswith(key)), 1) for key in keys}
