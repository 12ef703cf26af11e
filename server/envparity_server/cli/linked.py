"""Looks at two targets once more, for the symbols of what differs between them and of what uses it."""

import os
from collections.abc import Iterator
from dataclasses import replace

from envparity_agent.collectors.interface import Around, Options
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.python.symbols import MAX_SOURCE, MAX_SOURCES, SCHEMA, is_package, parsed
from envparity_agent.errors import CannotTell, Unreadable, UsageError
from envparity_agent.fingerprint import MAX_ITEMS, Attributes, Fingerprint, Reason, Section, Status
from envparity_agent.root import Root
from envparity_agent.survey import within_contract
from envparity_agent.targets import fingerprint
from envparity_server.compare.model import Comparison

APPLICATION = "symbols/@application"

_NOT_OF_THE_APPLICATION = frozenset({"node_modules", "site-packages", "dist-packages", "__pycache__"})


def with_symbols(
    good: str, bad: str, comparison: Comparison, options: Options, app_source: str | None = None
) -> tuple[Fingerprint | None, Fingerprint | None, Section | None]:
    """Both targets with the symbols that explain their comparison, and those of the application's own source.

    None for a side that cannot be looked at again: a file, a pipe, or what a server has.
    """
    application = source(app_source, options) if app_source else None
    differing = frozenset(one.item for one in comparison.differences if one.kind == "python" and one.item)
    asked = replace(options, symbols=Around(differing, frozenset(_used(application))))
    memory = Memory()  # what both sides have is read once
    first, second = (fingerprint(text, asked, memory) if _is_read_here(text) else None for text in (good, bad))
    return first, second, application


def _is_read_here(text: str) -> bool:
    kind, separator, _ = text.partition(":")
    named = text == "local" or bool(separator and kind in ("root", "container", "image"))
    return named or os.path.isdir(text)


def _used(application: Section | None) -> Iterator[str]:
    """The uses of the application."""
    for body in application.items.values() if application else ():
        used = body.get("uses")
        yield from used if isinstance(used, tuple) else ()


def source(directory: str, options: Options) -> Section:
    """The symbols of an application's own modules, below a directory; raises UsageError where that is none."""
    if not os.path.isdir(directory):
        raise UsageError(f"{directory} is no directory", "name the directory of the application's source")
    options.progress(f"reading {directory}")
    items: dict[str, Attributes] = {}
    reasons: set[str] = set()
    left = MAX_SOURCES
    with Root(directory) as root:
        for file in sorted(_files(directory)):
            if len(items) >= MAX_ITEMS:
                reasons.add(Reason.CAP)
                break
            try:
                content = root.read(file, min(MAX_SOURCE, left))
            except Unreadable as problem:
                reasons.add(problem.reason)
                continue
            left -= len(content)
            items[file] = parsed(content, _module(file), is_package(f"/{file}"), whole=True)
    if not items and not reasons:
        raise CannotTell(f"{directory} holds no Python source")
    status = Status.PARTIAL if reasons else Status.OK
    return within_contract(Section(APPLICATION, "symbols", SCHEMA, items, status, tuple(sorted(reasons))))


def _files(directory: str) -> Iterator[str]:
    """The sources below a directory; an environment that lies in it is not the application."""
    for folder, folders, files in os.walk(directory):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in _NOT_OF_THE_APPLICATION)
        yield from (os.path.relpath(os.path.join(folder, one), directory) for one in files if one.endswith(".py"))


def _module(file: str) -> str:
    """The module that a file is, where its directory is on the path."""
    return file.removesuffix(".py").removesuffix("/__init__").replace(os.sep, ".")
