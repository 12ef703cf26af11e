"""The configuration: api.yaml, and beside it the key by which tokens are checked."""

from pathlib import Path

import yaml


def read(directory: Path):
    config = yaml.safe_load((directory / "api.yaml").read_text())
    config["tokens"]["key"] = (directory / "issuer.pem").read_text()
    return config
