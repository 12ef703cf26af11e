"""What may be put into the shop's media store."""

import mimetypes
from dataclasses import dataclass
from pathlib import PurePosixPath

SHOWN = {"image/png", "image/jpeg", "image/webp", "application/pdf"}


@dataclass(frozen=True)
class Asset:
    path: PurePosixPath
    kind: str

    @property
    def headers(self):
        shown = "inline" if self.kind in SHOWN else "attachment"
        return {"Content-Type": self.kind, "Content-Disposition": f'{shown}; filename="{self.path.name}"'}


def asset(path: str) -> Asset:
    kind, packed = mimetypes.guess_type(path)
    if kind is None or packed:
        kind = "application/octet-stream"
    return Asset(PurePosixPath(path), kind)
