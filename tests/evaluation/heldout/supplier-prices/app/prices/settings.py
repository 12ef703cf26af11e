"""The settings, from variables that begin with PRICES_."""

from pydantic import BaseSettings, Field, SecretStr


class Settings(BaseSettings):
    url: str = "sandbox:"
    token: SecretStr
    margin: float = Field(default=0.1, ge=0, lt=1)
    timeout: float = 10.0
    log_level: str = "INFO"

    class Config:
        env_prefix = "PRICES_"
