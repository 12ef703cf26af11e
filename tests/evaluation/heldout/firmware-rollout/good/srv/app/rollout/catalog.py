"""The releases of the firmware."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from packaging.version import Version


@dataclass(frozen=True)
class Release:
    version: str
    models: tuple
    channel: str


class Catalog:
    def __init__(self, releases) -> None:
        self._releases = sorted(releases, key=lambda one: Version(one.version))

    @classmethod
    def read(cls, path: Path) -> "Catalog":
        return cls(Release(one["version"], tuple(one["models"]), one["channel"]) for one in yaml.safe_load(path.read_text()))

    def newest(self, model: str, channel: str) -> Release:
        return [one for one in self._releases if model in one.models and one.channel in ("stable", channel)][-1]
