"""Reads the main file, and over it those of conf.d by their number."""

import os
from configparser import ConfigParser
from pathlib import Path

_ETC = Path(os.environ.get("ROOT", "/")) / "etc/gatekeeper"


def read() -> ConfigParser:
    config = ConfigParser()
    config.read([_ETC / "gatekeeper.ini", *sorted((_ETC / "conf.d").glob("[0-9][0-9]-*.ini"))])
    return config
