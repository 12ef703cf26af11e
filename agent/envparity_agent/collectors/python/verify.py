"""Holds the files of installed distributions against their RECORD: finds the library that was patched in place.

pip itself never looks at these hashes again: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import csv
import hashlib
import os
from base64 import urlsafe_b64encode
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.paths import join, normal, within
from envparity_agent.collectors.python.distributions import Distribution
from envparity_agent.collectors.python.record import INSTALLER_FILES, MAX_RECORD, Row, is_compiled, rows
from envparity_agent.collectors.reads import SITES, Reads
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Section, Status, Value
from envparity_agent.root import MIB, Root

# what a wheel brings lies in its site directory, or in one of these of its environment, which is not the system's own
READS = Reads(deep=(rf"{SITES}.*", r"bin/[^/]*", r"(?<!^)(?<!usr/)(?:share|include|etc)/.*"))

MAX_FILE = 4096 * MIB
MAX_BYTES = 64 * 1024 * MIB  # hashed in one environment and survey
MAX_TOLD = 1000  # paths of one distribution

# the algorithms that the specification allows: those of hashlib.algorithms_guaranteed with a fixed length, no MD5
_ALGORITHMS = frozenset({"sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b"})
_CHUNK = MIB


@dataclass
class _Verified:
    """What holding one distribution against its RECORD gave."""

    modified: dict[str, str] = field(default_factory=dict)  # path -> present hash
    missing: list[str] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)
    files: int = 0

    def attributes(self) -> dict[str, Value]:
        """The item of a distribution that deviates; empty for one that does not."""
        facts: dict[str, Value] = {}
        if self.modified:
            text = "\n".join(f"{path},{hash}" for path, hash in sorted(self.modified.items()))
            digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
            facts |= {"modified": _told(self.modified), "content": f"sha256:{digest}"}
        return facts | ({"missing": _told(self.missing)} if self.missing else {})


def verify(subject: Subject, name: str, prefix: str, distributions: Mapping[str, Distribution]) -> Section:
    """The section `verify/NAME`: an item for each distribution whose files are not what its RECORD says.

    Only files below the environment's own prefix are read: a RECORD may list any path of the host.
    """
    items: dict[str, Attributes] = {}
    reasons: set[str] = set()
    files = 0
    budget = _Budget(MAX_BYTES)
    for item, distribution in distributions.items():
        if distribution.record is None or "#" in item:  # a stale one cannot but differ from what took its place
            continue
        try:
            found = _verified(subject, distribution, prefix, budget)
        except Unreadable as problem:
            if problem.reason != Reason.VANISHED:  # no RECORD: managed elsewhere
                reasons.add(problem.reason)
            continue
        reasons |= found.reasons
        files += found.files
        if found.modified or found.missing:
            items[item] = found.attributes()
    status = Status.PARTIAL if reasons else Status.OK
    return Section(
        f"verify/{name}", "python-files", 1, items, status, tuple(sorted(reasons)), observed={"files": files}
    )


class _Budget:
    """How many bytes may still be hashed."""

    def __init__(self, left: int) -> None:
        self.left = left


def _verified(subject: Subject, distribution: Distribution, prefix: str, budget: _Budget) -> _Verified:
    """One distribution, hashed anew only where one of its files changed."""
    try:
        listed = list(_listed(subject.root, distribution, prefix))
    except csv.Error:
        raise Unreadable(distribution.place, Reason.INVALID) from None
    found = _Verified()
    there: list[tuple[Row, str, int]] = []
    stamps = hashlib.sha256()
    for row, place in listed:
        try:
            status = subject.root.stat(place)
        except Unreadable as problem:
            found.reasons.add(problem.reason)
            continue
        if status is None:
            found.missing.append(row.path)
            continue
        there.append((row, place, status.st_size))
        marks = (row, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        stamps.update(repr(marks).encode("utf-8", "replace"))
    key: Hashable = ("verify", subject.prefix, prefix, distribution.place)
    hashed = subject.memory.recall(key, stamps.digest(), lambda: _hashed(subject.root, prefix, there, budget))
    if hashed.reasons:  # perhaps it can be read the next time
        subject.memory.recall(key, None, lambda: hashed)
    return _Verified(hashed.modified, found.missing, found.reasons | hashed.reasons, hashed.files)


def _listed(root: Root, distribution: Distribution, prefix: str) -> Iterator[tuple[Row, str]]:
    """The rows that have a hash to be held against, and the places of their files; raises Unreadable and csv.Error."""
    for row in rows(root.read(distribution.record or "", MAX_RECORD)):
        algorithm, _, digest = row.hash.partition("=")
        if row.path.removeprefix(f"{distribution.entry}/") in INSTALLER_FILES:
            continue  # tools write them anew, and nothing imports them
        if row.path.startswith("../"):
            continue  # scripts: each installer and prefix has its own, and pipx writes them once more
        place = normal(row.path if row.path.startswith("/") else join(distribution.site, row.path))
        if digest and algorithm in _ALGORITHMS and not is_compiled(row.path) and within(place, prefix):
            yield row, place


def _hashed(root: Root, prefix: str, there: list[tuple[Row, str, int]], budget: _Budget) -> _Verified:
    found = _Verified()
    for row, place, size in there:
        if size > min(MAX_FILE, budget.left):
            found.reasons.add(Reason.CAP)
            continue
        budget.left -= size
        algorithm, _, expected = row.hash.partition("=")
        try:
            present = _digest(root, place, algorithm)
            found.files += 1
            if (row.size is not None and row.size != size) or present != expected:
                # a link may lead anywhere in the root: that it does is told, and nothing of what is there
                own = within(root.resolved(place), prefix)
                found.modified[row.path] = f"{algorithm}={present}" if own else "elsewhere"
        except Unreadable as problem:
            found.reasons.add(problem.reason)
    return found


def _digest(root: Root, place: str, algorithm: str) -> str:
    """The hash of a file, as RECORD writes it; raises Unreadable."""
    running = hashlib.new(algorithm)
    size = 0
    with root.regular(place) as descriptor:
        try:
            while chunk := os.read(descriptor, _CHUNK):
                running.update(chunk)
                size += len(chunk)
                if size > MAX_FILE:
                    raise Unreadable(place, Reason.CAP)
        except OSError:
            raise Unreadable(place, Reason.ERROR) from None
    return urlsafe_b64encode(running.digest()).rstrip(b"=").decode("ascii")


def _told(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(paths)[:MAX_TOLD])
