"""Times as the API tells them: what is known, and no more."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MomentText = Annotated[str, Field(max_length=64, examples=["2026-11-01T02:00"])]


class Between(BaseModel):
    """When something changed: after one report of its host, and before or with another one."""

    model_config = ConfigDict(frozen=True)

    after: datetime | None = Field(
        description="The last report without it; none where the first one that is kept had it.",
        examples=["2026-11-01T02:00:00+00:00"],
    )
    before: datetime = Field(description="The first report with it.", examples=["2026-11-01T08:10:00+00:00"])
    words: str = Field(examples=["between 2026-11-01 02:00 and 08:10 UTC"])


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that says enough."""
    seconds = max(0, int((now - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def between(after: datetime | None, before: datetime) -> Between:
    """A time as an answer tells it."""
    end = f"{before:%Y-%m-%d %H:%M} UTC"
    if after is None:
        return Between(after=None, before=before, words=f"since {end} at the latest")
    if after.date() == before.date():
        end = f"{before:%H:%M} UTC"
    return Between(after=after, before=before, words=f"between {after:%Y-%m-%d %H:%M} and {end}")
