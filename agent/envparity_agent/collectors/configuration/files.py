"""The configuration files that the operator names: by key where their format has keys, else whole."""

import stat
from collections.abc import Iterator

from envparity_agent.collectors.configuration import formats
from envparity_agent.collectors.configuration.globs import matches
from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.memory import stamp
from envparity_agent.collectors.values import Disclosure, untold
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_agent.root import Root

FILE = "@file"  # the item that stands for the file itself


def collect(subject: Subject) -> Iterator[Section]:
    """Yield one `config/PATH` for each file that is named or pattern that names none; `config` says if there are any.

    What one host alone has is unknown and no difference: the other's operator may not have named it.
    """
    named = bool(subject.options.files)
    yield Section(
        "config",
        "file",
        1,
        status=Status.OK if named else Status.ABSENT,
        reasons=() if named else (Reason.NOT_INSTALLED,),
    )
    seen: set[str] = set()
    for pattern in subject.options.files:
        plain = pattern.strip("/")
        try:
            paths = matches(subject.root, pattern)
        except Unreadable as problem:
            yield _without(plain, Status.FAILED, problem.reason)
            continue
        if not paths:
            yield _without(plain, Status.ABSENT, Reason.NOT_INSTALLED)
        for path in paths:
            if path not in seen:
                seen.add(path)
                subject.progress(f"reading {path}")
                yield _file(subject, path)


def _without(path: str, status: Status, reason: str) -> Section:
    return Section(f"config/{path}", "file", 1, status=status, reasons=(reason,))


def _file(subject: Subject, path: str) -> Section:
    root, disclosure = subject.root, subject.options.disclosure
    try:
        if root.stat(path) is None:
            return _without(path, Status.ABSENT, Reason.NOT_INSTALLED)
        known = stamp(root, path), disclosure
        return subject.memory.recall(("file", subject.prefix, path), known, lambda: _read(root, path, disclosure))
    except Unreadable as problem:
        return _without(path, Status.FAILED, problem.reason)


def _read(root: Root, path: str, disclosure: Disclosure) -> Section:
    content = root.read(path)
    status = root.stat(path)
    if status is None:
        raise Unreadable(path, Reason.VANISHED)
    form = formats.format_of(path)
    reasons: set[Reason] = set()
    items: dict[str, Attributes] = {}
    if form != formats.WHOLE:
        try:
            found = formats.read(path, content)
            items = {name: disclosure.of(name, value) for name, value in found.values.items()}
            reasons |= set() if found.complete else {Reason.CAP}
        except formats.Invalid as problem:
            form = formats.WHOLE
            reasons |= set() if isinstance(problem, formats.Other) else {Reason.INVALID}
    own: Attributes = {"mode": f"{stat.S_IMODE(status.st_mode):04o}", "format": form}
    if form == formats.WHOLE or Reason.CAP in reasons:  # what no key tells is told by the whole
        own = {**own, **disclosure.keyed(FILE, content.decode("utf-8", "surrogateescape"))}
    items[FILE] = own
    reasons |= set(untold(items))
    return Section(f"config/{path}", "file", 1, items, Status.PARTIAL if reasons else Status.OK, tuple(sorted(reasons)))
