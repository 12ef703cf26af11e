"""How a run is set, by variables that begin with DIGEST_."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    sender: str
    stories: int
    dry_run: bool
    track_opens: bool
    log_level: str

    @classmethod
    def from_environment(cls) -> "Settings":
        return cls(
            sender=os.environ.get("DIGEST_SENDER", "digest@localhost"),
            stories=int(os.environ.get("DIGEST_STORIES", "5")),
            dry_run=bool(os.environ.get("DIGEST_DRY_RUN")),
            track_opens=os.environ.get("DIGEST_TRACK_OPENS") == "true",
            log_level=os.environ.get("DIGEST_LOG_LEVEL", "INFO"),
        )
