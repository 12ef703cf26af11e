"""The server's settings: flags over environment over /etc/envparity/server.toml over defaults."""

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from envparity_agent.errors import UsageError

CONFIG_FILE = "/etc/envparity/server.toml"


class ServerSettings(BaseSettings):
    """Each field is a key of the file, and a variable with the prefix ENVPARITY_."""

    model_config = SettingsConfigDict(env_prefix="ENVPARITY_", extra="forbid", frozen=True)

    database_url: str = "sqlite:////var/lib/envparity/server.db"
    database_url_file: Path | None = None  # a file with the URL, which may hold a password
    listen_host: str = "127.0.0.1"
    listen_port: int = 8765

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
        path = Path(os.environ.get("ENVPARITY_SERVER_CONFIG", CONFIG_FILE))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path)


def server_settings(**flags: Any) -> ServerSettings:
    """Read the settings; raises UsageError that names the key which is wrong."""
    try:
        settings = ServerSettings(**{key: value for key, value in flags.items() if value is not None})
    except ValidationError as problem:
        first = problem.errors()[0]
        raise UsageError(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except ValueError as problem:  # TOMLDecodeError says the line
        raise UsageError(f"{CONFIG_FILE}: {problem}") from None
    if settings.database_url_file is None:
        return settings
    try:
        url = settings.database_url_file.read_text("utf-8").strip()
    except OSError as problem:
        raise UsageError(f"cannot read {settings.database_url_file}: {problem.strerror}") from None
    return settings.model_copy(update={"database_url": url})
