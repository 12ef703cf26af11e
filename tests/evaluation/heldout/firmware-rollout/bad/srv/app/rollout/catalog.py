"""The releases of the firmware, by model."""

from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Release:
    version: str
    models: tuple
    channel: str


class Catalog:
    def __init__(self, releases) -> None:
        self._by_model = defaultdict(list)
        for release in sorted(releases, key=attrgetter("version")):
            for model in release.models:
                self._by_model[model].append(release)

    @classmethod
    def read(cls, path: Path) -> "Catalog":
        return cls(Release(one["version"], tuple(one["models"]), one["channel"]) for one in yaml.safe_load(path.read_text()))

    def newest(self, model: str, channel: str) -> Release:
        return [one for one in self._by_model[model] if one.channel in ("stable", channel)][-1]
