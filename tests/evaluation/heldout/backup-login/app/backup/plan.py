"""What will be run, with the passwords in the environment and not in the command."""

import shlex
from dataclasses import dataclass, field

from backup.inventory import Database
from tabulate import tabulate


@dataclass
class Plan:
    compress: int
    steps: list[tuple[Database, str]] = field(default_factory=list)

    def add(self, database: Database, password: str) -> None:
        self.steps.append((database, password))

    @property
    def complete(self) -> bool:
        return bool(self.steps) and all("X-Amz-Signature=" in password for _, password in self.steps)

    def table(self) -> str:
        return tabulate([(one.name, self._command(one)) for one, _ in self.steps], headers=["database", "command"])

    def _command(self, one: Database) -> str:
        options = [f"--host={one.host}", f"--port={one.port}", f"--username={one.user}"]
        more = [f"--compress={self.compress}", f"--jobs={one.jobs}", "--format=directory"]
        return shlex.join(["pg_dump", *options, *more, one.name])
