"""Fingerprints of files: a fingerprint that was kept, and what declares packages."""

import os
import sys
from pathlib import Path

from envparity_agent.canonical import decode
from envparity_agent.collectors.declared.readers import REQUIREMENTS, reader
from envparity_agent.collectors.declared.source import Source
from envparity_agent.collectors.interface import Options
from envparity_agent.documents import from_document
from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.fingerprint import Fingerprint, Target, clean_text, now
from envparity_agent.root import MIB, Root
from envparity_agent.survey import within_contract

MAX_FILE = 64 * MIB


def standard_input(options: Options) -> Fingerprint:
    """The fingerprint that comes by a pipe, or of what it declares."""
    return _content(Source("standard input", sys.stdin.buffer.read(MAX_FILE + 1)), options)


def file(path: Path, options: Options) -> Fingerprint:
    """The fingerprint that a file holds, or of what it declares; raises UsageError or CannotTell."""
    try:
        with path.open("rb") as file:  # once: a pipe of the shell's <(...) can be read only once
            content = file.read(MAX_FILE + 1)
    except OSError as problem:
        raise CannotTell(f"{path}: {problem.strerror}") from None
    if not path.is_file():
        return _content(Source(str(path), content), options)
    with Root("/") as root:  # what the file names beside it is read through this
        return _content(Source(str(path), content, root, os.path.abspath(path)), options)


def _content(source: Source, options: Options) -> Fingerprint:
    if len(source.content) > MAX_FILE:
        raise source.error(0, f"larger than {MAX_FILE // MIB} MiB")
    chosen = reader(source)
    if source.content.lstrip()[:1] == b"{" and chosen is REQUIREMENTS:
        return _document(source.content, source.name)
    options.progress(f"reading {source.name}")
    sections = (within_contract(one) for one in chosen.read(source, options))
    return Fingerprint(
        Target(chosen.target, clean_text(source.name)), now(), {section.path: section for section in sections}
    )


def _document(content: bytes, name: str) -> Fingerprint:
    try:
        return from_document(decode(content))
    except UsageError as problem:
        raise UsageError(f"{name}: {problem}", problem.advice) from None
