"""The two sides that a verb holds against each other: fingerprinted here, read from a file, or asked of a server."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.values import Key
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.targets import fingerprint
from envparity_agent.terminal import note
from envparity_server.compare.selectors import is_selector, parse_selector
from envparity_server.drift.rules import Subject, subject_of

Side = tuple[Fingerprint, Subject]  # a fingerprint, and what rules may know it by


def keyed(how: Options, targets: Sequence[str]) -> Options:
    """With a key where this run reads every target itself, so that values which are not told can be told apart.

    The operator's key, else one of this run.
    """
    if not all(_is_read_here(one) for one in targets):
        return how
    key = how.disclosure.key or Key(secrets.token_bytes(32))
    return replace(how, disclosure=replace(how.disclosure, key=key))


def _is_read_here(text: str) -> bool:
    """Whether a target is fingerprinted by this run: not a selector, a pipe, or a file that may hold a fingerprint."""
    if text == "local":
        return True
    return not is_selector(text) and text != "-" and (os.path.isdir(text) or not os.path.exists(text))


def side(text: str, how: Options, server: str | None, token_file: str | None, memory: Memory | None = None) -> Side:
    """A target, or what a selector stands for on the server."""
    if not is_selector(text):
        found = fingerprint(text, how, memory)
        return found, Subject(found.target.name)
    parse_selector(text, datetime.now(UTC))  # a misspelt one is told before anything is asked
    # here and not above: what speaks HTTP takes long to load, and most look at what is here
    from envparity_server.cli.asking import asking

    how.progress(f"asking for {text}")
    with asking(server, token_file) as client:
        found, notes, subject = client.fingerprint(text)
    for one in notes:
        note(f"{text}: {one}")
    return found, subject_of(subject, text)
