"""The settings of the service, and what they are where the file does not say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_DEFAULTS: dict[str, dict[str, Any]] = {
    "carrier": {"name": "", "account": "", "endpoint": "", "timeout": 10},
    "origin": {"street": "", "postcode": "", "city": "", "country": "SE"},
    "labels": {"format": "pdf", "copies": 1},
    "limits": {"weight": 30.0, "girth": 300},
    "pickup": {"earliest": "08:00", "latest": "16:00"},
}


def read(file: Path) -> Mapping[str, Mapping[str, Any]]:
    given = yaml.safe_load(file.read_text()) or {}
    if unknown := given.keys() - _DEFAULTS:
        raise ValueError(f"{file.name}: unknown {', '.join(sorted(unknown))}")
    return {name: {**values, **given.get(name, {})} for name, values in _DEFAULTS.items()}
