"""What the payment service told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import orjson


@attrs.frozen
class Event:
    id: str
    type: str
    data: dict[str, Any] = attrs.field(factory=dict)


def read(file: Path) -> Iterator[Event]:
    for line in file.read_bytes().splitlines():
        yield Event(**orjson.loads(line))
