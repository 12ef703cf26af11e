"""Reads manifests; some are generated and have thousands of lines, so by libyaml."""

from collections.abc import Iterator
from pathlib import Path

from yaml import CSafeLoader, load_all


def documents(file: Path) -> Iterator[dict]:
    with file.open(encoding="utf-8") as stream:
        for document in load_all(stream, Loader=CSafeLoader):
            if document:
                yield document
