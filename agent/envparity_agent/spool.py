"""The report that waits on disk to be acknowledged: a fingerprint is state, so a newer one replaces it."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from envparity_agent.canonical import canonical, decode
from envparity_agent.documents import from_document
from envparity_agent.errors import InvalidDocument
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.state import write_durably

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """A fingerprint under the agent's own number."""

    epoch: str
    seq: int
    fingerprint: Fingerprint


class Spool:
    """One file: a line with the length and hash of what follows, then the report."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "report"

    def put(self, report: Report) -> None:
        """Keep a report until it is acknowledged; raises CannotTell where the disk does not take it."""
        body = canonical({"epoch": report.epoch, "seq": report.seq, "fingerprint": report.fingerprint.document()})
        write_durably(self._path, f"{len(body)} {hashlib.sha256(body).hexdigest()}\n".encode() + body)

    def waiting(self) -> Report | None:
        """The report that waits; one that was torn is set aside and told, never sent."""
        try:
            head, _, body = self._path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        try:
            if head != f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode():
                raise InvalidDocument("length or hash does not fit")
            held = decode(body)
            return Report(held["epoch"], held["seq"], from_document(held["fingerprint"]))
        except (InvalidDocument, KeyError, TypeError) as problem:  # also one that another version wrote
            aside = self._path.with_suffix(".torn")
            self._path.replace(aside)
            _log.warning("a damaged report was set aside as %s: %s", aside, problem)
            return None

    def acknowledged(self) -> None:
        """Forget the report that the server has committed."""
        self._path.unlink(missing_ok=True)
