"""What a gate is asked, and the files that it is told by: what declares a change and where, and an earlier answer."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from envparity_agent.canonical import decode
from envparity_agent.collectors.interface import Options
from envparity_agent.errors import CannotTell, InvalidDocument, UsageError
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.project import Project
from envparity_agent.targets import fingerprint
from envparity_server.cli.strictness import Strictness
from envparity_server.gating.model import DECLARING, Finding, Place, read_report

MAX_ACCEPTED = 64 * 1024 * 1024
_BASE = "base image"  # what the origin of a finding says that came along with one

Files = Sequence[tuple[str, Fingerprint]]  # that may say what is found


@dataclass(frozen=True)
class Asked:
    """What a gate is asked, wherever it is judged."""

    against: str
    target: str
    app: str
    only: str
    strict: Strictness
    project: Project
    declared: tuple[str, ...]

    def read(self, how: Options) -> tuple[Fingerprint, tuple[Fingerprint, ...]]:
        """The subject, and what the files declare."""
        meant = tuple(declaration(path, how) for path in self.declared)
        return fingerprint(self.target, how), meant


def declaration(path: str, how: Options) -> Fingerprint:
    """What a file declares; raises UsageError for what cannot be read, or declares nothing."""
    advice = "--declared takes a lock, a requirements file, a Dockerfile or a compose file"
    if path == "-" or not os.path.exists(path) or os.path.isdir(path):
        raise UsageError(f"{path}: no such file", advice)
    try:
        found = fingerprint(path, how)
    except CannotTell as problem:
        raise UsageError(str(problem), problem.advice or advice) from None
    if found.target.kind not in DECLARING:
        raise UsageError(f"{path} is the fingerprint of a {found.target.kind}, and declares nothing", advice)
    return found


def locating(files: Files) -> Callable[[Finding], Place | None]:
    """Finds the place of a finding in the first of these files that says it."""
    declaring = [(path, found) for path, found in files if found.target.kind in DECLARING]
    if not declaring:
        return lambda _: None
    # here and not above: the readers of all these formats take long to load, and most gates name no file
    from envparity_agent.targets.lines import lines

    read = [lines(path, found) for path, found in declaring]

    def place(finding: Finding) -> Place | None:
        came_along = _BASE in finding.origin
        for one in read:
            line = one.of(finding.section, finding.item) or (one.base() if came_along else None)
            if line:
                return Place(line.file, line.number)
        return None

    return place


def accepted(path: str) -> Mapping[str, str]:
    """What may be taken as accepted of an earlier gate, id -> content, from its JSON; raises UsageError."""
    advice = "give what an earlier gate wrote: envparity gate -o json=FILE"
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_ACCEPTED)
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror}", advice) from None
    try:
        document = decode(content)
        if not isinstance(document, Mapping) or document.get("verb") != "gate":
            raise CannotTell("no gate")
        report = read_report(document)
    except (CannotTell, InvalidDocument):
        raise UsageError(f"{path} is not the JSON of a gate", advice) from None
    return report.acceptable
