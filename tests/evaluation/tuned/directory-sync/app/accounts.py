"""Accounts as the file server wants them: its password hash is the old one of Windows."""

import hashlib
import re
from dataclasses import dataclass

NAME = re.compile(r"[a-z][a-z0-9._-]{1,30}")


class BadAccount(Exception):
    """An account that must not be written."""


@dataclass(frozen=True)
class Account:
    name: str
    number: int
    secret: str

    def check(self) -> None:
        if not NAME.fullmatch(self.name):
            raise BadAccount(self.name)

    def nt_hash(self) -> str:
        return hashlib.new("md4", self.secret.encode("utf-16-le")).hexdigest().upper()

    def line(self) -> str:
        return f"{self.name}:{self.number}:{'X' * 32}:{self.nt_hash()}:[U          ]:LCT-00000000:"
