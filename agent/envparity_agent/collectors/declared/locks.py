"""What the locks of installers declare: pylock.toml, poetry.lock and Pipfile.lock."""

import re
from typing import Any

from packaging.pylock import Package, Pylock, PylockValidationError

from envparity_agent.collectors.declared.entries import MAX_HASHES, Entry, at, entry, section
from envparity_agent.collectors.declared.formats import Table, headers, read_json, read_toml
from envparity_agent.collectors.declared.requirements import commit
from envparity_agent.collectors.declared.source import Source
from envparity_agent.collectors.redaction import url
from envparity_agent.fingerprint import Section, Value

_CHOSEN = re.compile(r"\b(?:extras|dependency_groups)\b")
_NUMBER = re.compile(r"packages\[(\d+)\]")


def read_pylock(source: Source) -> Section:
    """The packages of a pylock.toml: https://packaging.python.org/en/latest/specifications/pylock-toml/."""
    document = read_toml(source)
    lines = headers(source, "packages")
    try:
        lock = Pylock.from_dict(document)
    except PylockValidationError as problem:
        number = _NUMBER.search(str(problem))
        line = lines[int(number[1])] if number and int(number[1]) < len(lines) else 1
        raise source.error(line, f"not a pylock.toml: {problem}") from None
    except (RecursionError, ValueError):  # a marker of 1,000 parentheses, a version of 5,000 digits
        raise source.error(1, "not a pylock.toml that can be read") from None
    known = lines if len(lines) == len(lock.packages) else [0] * len(lock.packages)
    entries = [_locked(package, line) for package, line in zip(lock.packages, known, strict=True)]
    return section(at(source), entries, complete=True, python=str(lock.requires_python or ""))


def _locked(package: Package, line: int) -> Entry:
    marker = str(package.marker or "")
    archives = [*(package.wheels or ()), *(one for one in (package.sdist, package.archive) if one)]
    facts: dict[str, Value] = {
        "version": str(package.version or ""),
        "marker": marker,
        "optional": ("extra or group",) if _CHOSEN.search(marker) else (),
        "hashes": _hashes(f"{name}:{value}" for one in archives for name, value in one.hashes.items()),
    }
    if package.vcs:
        facts |= {"source": url(package.vcs.url or package.vcs.path or ""),
                  **commit(package.vcs.commit_id)}  # fmt: skip
    elif package.directory:
        facts["source"] = package.directory.path
    elif package.archive:
        facts["source"] = url(package.archive.url or package.archive.path or "")
    return entry(package.name, line, **facts)


def read_poetry(source: Source) -> Section:
    """The packages of a poetry.lock; which belong to a group is told since its version 2.1, and before its 2.0.

    https://github.com/python-poetry/poetry/blob/main/src/poetry/packages/locker.py
    """
    document = Table(source, read_toml(source))
    grouped = document.table("metadata").text("lock-version") not in ("", "2.0")
    via: dict[str, list[str]] = {}
    packages = document.tables("package", headers(source, "package"))
    for package in packages:
        for name in package.table("dependencies").values:
            via.setdefault(entry(name, 0).name, []).append(package.name())
    entries = []
    for package in packages:
        origin = package.table("source")
        facts: dict[str, Value] = {
            "version": package.text("version"),
            "marker": _poetry_marker(package),
            "optional": _poetry_groups(package, grouped),
            "hashes": _hashes(one.text("hash") for one in package.tables("files")),
            "via": tuple(sorted(set(via.get(entry(package.name(), 0).name, ())))),
        }
        if origin.text("type") in ("git", "url", "directory", "file"):
            facts |= {"source": url(origin.text("url")), **commit(origin.text("resolved_reference"))}
        entries.append(entry(package.name(), package.line, **facts))
    return section(at(source), entries, complete=True, python=_poetry_python(document.table("metadata")))


def _poetry_marker(package: Table) -> str:
    """The marker of a package; one per group where the groups have unlike ones."""
    markers = package.values.get("markers", "")
    if isinstance(markers, dict):
        main = markers.get("main", "")
        return main if isinstance(main, str) else ""
    return package.text("markers")


def _poetry_groups(package: Table, grouped: bool) -> tuple[str, ...]:
    """What must be chosen for a package to be installed; empty for what always is."""
    groups = package.texts("groups")
    category = package.text("category")
    if package.values.get("optional") is True:
        return ("extra",)
    if "main" in groups or category == "main":
        return ()
    chosen = [f"group {one}" for one in (*groups, category) if one]
    return tuple(sorted(chosen)) if grouped and chosen else ("unknown",)


def _poetry_python(metadata: Table) -> str:
    """The range of interpreters, where it is written as PEP 440 has it: poetry's own `^3.11` is not."""
    versions = metadata.text("python-versions")
    return versions if re.fullmatch(r"(?:(?:>=|<=|<|>|==|!=|~=)\s*[\w.*]+\s*,?\s*)+", versions[:200]) else ""


def read_pipfile(source: Source) -> Section:
    """The packages of a Pipfile.lock: https://pipenv.pypa.io/en/stable/pipfile.html."""
    document = Table(source, read_json(source), 1)
    lines = _members(source.text())
    entries = []
    for group in ("default", "develop"):
        for name in document.table(group).values:
            line = lines.get((group, name), 0)
            package = Table(source, document.table(group).values[name], line, name)
            entries.append(_pipfile_entry(name, package, () if group == "default" else ("develop",)))
    required = document.table("_meta").table("requires")
    full, short = required.text("python_full_version"), required.text("python_version")
    python = f"=={full}" if full else f"=={short}.*" if short else ""
    merged = {one.name for one in entries if not one.attributes["optional"]}
    kept = [one for one in entries if not one.attributes["optional"] or one.name not in merged]
    return section(at(source), kept, complete=True, python=python)


def _pipfile_entry(name: str, package: Table, optional: tuple[str, ...]) -> Entry:
    version = package.text("version")
    pinned = version.startswith("==") and "*" not in version and "," not in version
    facts: dict[str, Value] = {
        "version": version.removeprefix("==").lstrip("=") if pinned else "",
        "specifier": "" if pinned or version == "*" else version,
        "marker": package.text("markers"),
        "optional": optional,
        "hashes": _hashes(package.texts("hashes")),
    }
    places = ("git", "hg", "svn", "bzr", "file", "path")
    place = next((package.text(key) for key in places if key in package.values), "")
    if place:
        facts |= {"source": url(place), **commit(package.text("ref"))}
    return entry(name, package.line, **facts)


def _members(text: str) -> dict[tuple[str, str], int]:
    """The lines of the members of `default` and `develop`, in the layout that pipenv writes."""
    found: dict[tuple[str, str], int] = {}
    group = ""
    for number, line in enumerate(text.split("\n"), start=1):
        indent = len(line) - len(line.lstrip())
        name, quote, rest = line.strip()[1:].partition('"')
        if not quote or not rest.startswith(": {"):
            continue
        if indent == 4:
            group = name
        elif indent == 8:
            found.setdefault((group, name), number)
    return found


def _hashes(hashes: Any) -> tuple[str, ...]:
    return tuple(sorted({one for one in hashes if one})[:MAX_HASHES])
