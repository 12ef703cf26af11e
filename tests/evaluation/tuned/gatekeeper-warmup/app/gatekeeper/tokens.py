"""Who may come at all."""

from collections.abc import Iterator
from pathlib import Path

import jwt


def tenants(file: Path) -> Iterator[str]:
    for token in file.read_text().split():
        claims = jwt.decode(token, options={"verify_signature": False})
        if "gate" in claims["scope"].split():
            yield claims["sub"]
