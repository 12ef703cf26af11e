"""The configuration of a worker."""

from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    broker: str
    accept: tuple[str, ...]
    prefetch: int
    longest_side: int
    quality: int
    log_level: str

    @classmethod
    def read(cls, path: Path) -> "Config":
        parser = ConfigParser()
        parser.read_string(path.read_text(), str(path))
        return cls(
            broker=parser["queue"]["broker"],
            accept=tuple(part.strip() for part in parser["queue"]["accept"].split(",")),
            prefetch=parser.getint("queue", "prefetch"),
            longest_side=parser.getint("image", "longest_side"),
            quality=parser.getint("image", "quality"),
            log_level=parser.get("log", "level", fallback="INFO").upper(),
        )
