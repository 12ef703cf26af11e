"""Fingerprints of files: a fingerprint that was kept, and what declares packages."""

import sys
from pathlib import Path

from envparity_agent.canonical import decode
from envparity_agent.collectors.declared.requirements import read_requirements
from envparity_agent.documents import from_document
from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.fingerprint import Fingerprint, Target, now

MAX_FILE = 64 * 1024 * 1024


def standard_input() -> Fingerprint:
    """The fingerprint that comes by a pipe."""
    return _content(sys.stdin.buffer.read(MAX_FILE + 1), "standard input")


def file(path: Path) -> Fingerprint:
    """The fingerprint that a file holds, or of what it declares; raises UsageError or CannotTell."""
    try:
        with path.open("rb") as file:  # once: a pipe of the shell's <(...) can be read only once
            content = file.read(MAX_FILE + 1)
    except OSError as problem:
        raise CannotTell(f"{path}: {problem.strerror}") from None
    return _content(content, str(path))


def _content(content: bytes, name: str) -> Fingerprint:
    if len(content) > MAX_FILE:
        raise UsageError(f"{name}: larger than {MAX_FILE // 1024 // 1024} MiB")
    if content.lstrip()[:1] == b"{":
        return _document(content, name)
    try:
        section = read_requirements(content, name)
    except UnicodeDecodeError:
        raise UsageError(f"{name}: neither a fingerprint nor a requirements file: it is not text") from None
    return Fingerprint(Target("declared", name), now(), {section.path: section})


def _document(content: bytes, name: str) -> Fingerprint:
    try:
        return from_document(decode(content))
    except UsageError as problem:
        raise UsageError(f"{name}: {problem}", problem.advice) from None
