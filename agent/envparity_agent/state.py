"""What an agent must not lose: its enrolment and the number of its last report; a crash leaves the file whole."""

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from envparity_agent.errors import CannotTell, EnvparityError, UsageError

_FILE = "agent.json"
_MEMORY = "memory.json"


def _new_credential() -> str:
    return f"epa_{secrets.token_urlsafe(32)}"


@dataclass(frozen=True)
class Enrolment:
    """One agent's identity: random, made here; `epoch` changes with every enrolment, so `seq` orders its reports."""

    server: str
    root: str
    docker: str | None = None
    host_id: str = field(default_factory=lambda: secrets.token_hex(8))
    credential: str = field(default_factory=_new_credential)
    epoch: str = field(default_factory=lambda: secrets.token_hex(8))
    seq: int = 0
    next_credential: str = ""  # while the credential is changed: either may be the one that works

    def next(self) -> "Enrolment":
        """The enrolment with the next report's number."""
        return replace(self, seq=self.seq + 1)

    def changing(self) -> "Enrolment":
        """The enrolment with a new credential beside the present one; with the one that it has, if it has one."""
        return replace(self, next_credential=self.next_credential or _new_credential())


class AlreadyRunning(EnvparityError):
    """Another agent uses the same state: for one that would do the same there is nothing to do, and no failure."""

    exit_code = 0


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file so that after a crash it is the old one or the new one, whole; readable by its owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
        _sync_directory(path.parent)
    except OSError as problem:
        raise CannotTell(f"cannot write {path}: {problem.strerror}", "check the disk, or give --state DIR") from None


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save(directory: Path, enrolment: Enrolment) -> None:
    """Keep an enrolment."""
    kept = asdict(enrolment)
    if not enrolment.next_credential:
        del kept["next_credential"]  # agents before 0.2 do not know it
    write_durably(directory / _FILE, json.dumps(kept, indent=1).encode())


def is_enrolled(directory: Path) -> bool:
    """Whether there is an enrolment, readable or not."""
    return (directory / _FILE).exists()


def load(directory: Path) -> Enrolment:
    """Read the enrolment; raises UsageError where there is none, or it is not one."""
    path = directory / _FILE
    try:
        return Enrolment(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise UsageError(
            f"this agent is not enrolled: no {path}", "envparity agent enroll --server URL --token-file FILE"
        ) from None
    except (OSError, ValueError, TypeError) as problem:
        raise UsageError(f"cannot read {path}: {problem}", "enrol anew: envparity agent enroll --again") from None


def remembered(directory: Path) -> dict[str, Any]:
    """What the last survey left for the next one; nothing where that cannot be read: it is only found again."""
    try:
        kept = json.loads((directory / _MEMORY).read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def remember(directory: Path, lasting: Mapping[str, Any]) -> None:
    """Keep what the next survey goes on with."""
    content = json.dumps(lasting, sort_keys=True).encode()
    if content != json.dumps(remembered(directory), sort_keys=True).encode():
        write_durably(directory / _MEMORY, content)


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Hold the state for one agent; raises AlreadyRunning where another one has it."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (directory / "lock").open("w")
    except OSError as problem:
        raise CannotTell(f"cannot use {directory}: {problem.strerror}", "give --state DIR") from None
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"another agent is at work with {directory}: nothing to do") from None
        yield
