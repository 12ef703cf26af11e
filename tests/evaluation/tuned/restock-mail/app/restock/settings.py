"""The settings: a section of the file after another, as plain values."""

import configparser
import os
from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    warehouse: int
    lowest: int
    lookahead: int
    host: str
    port: int
    user: str
    password: str
    sender: str
    language: str
    recipients: str
    subject: str
    profile: str = "dev"


def load() -> Settings:
    parser = configparser.ConfigParser()
    file = Path(os.environ.get("ROOT", "/"), "etc/restock/restock.ini")
    with file.open() as lines:
        parser.read_file(lines)
    flat = {key: value for section in parser.sections() for key, value in parser.items(section)}
    flat["profile"] = os.environ.get("RESTOCK_PROFILE", "dev")
    return Settings(**{one.name: one.type(flat[one.name]) for one in fields(Settings)})
