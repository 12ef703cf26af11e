"""What an operator may set, each as a variable."""

from pydantic import BaseModel, Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Remote(BaseModel):
    """A service that is asked, and asked again after each of the delays."""

    url: HttpUrl
    delays: tuple[float, ...] = (0.5,)


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="STOREFRONT_", extra="ignore")

    session_secret: SecretStr
    catalog_url: HttpUrl
    catalog_delays: tuple[float, ...] = (0.5,)
    page_size: int = Field(default=24, gt=0, le=96)
    debug: bool = False
    cdn_host: str = ""

    @model_validator(mode="after")
    def no_secret_of_dev(self) -> "Settings":
        if not self.debug and self.session_secret.get_secret_value() == "only-on-dev":
            raise ValueError("the session secret of dev is used outside of dev")
        return self

    @property
    def catalog(self) -> Remote:
        return Remote(url=self.catalog_url, delays=self.catalog_delays)
