"""What people write down for a project: pyproject.toml with its extras and groups, and conda's environment.yml."""

import re
from collections.abc import Iterator
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envparity_agent.collectors.declared.entries import Entry, at, entry, section, unread
from envparity_agent.collectors.declared.formats import Table, read_toml
from envparity_agent.collectors.declared.requirements import commit, read_requirements
from envparity_agent.collectors.declared.source import Source
from envparity_agent.collectors.declared.yaml_documents import Mapping, Sequence, read_yaml
from envparity_agent.collectors.redaction import url
from envparity_agent.fingerprint import Section, Value

CONDA = "conda:"
_CONDA = re.compile(r"(?:(?P<channel>[^\s:]+)::)?(?P<name>[A-Za-z0-9_.-]+)\s*(?P<version>[^\[\]]*)(?P<more>\[.*\])?")
_BUILD = re.compile(r"(?P<version>[^=\s]+)(?:=|\s+)(?P<build>[^=\s,|]+)")


def read_pyproject(source: Source) -> Section:
    """The dependencies of a pyproject.toml: PEP 621, its optional ones, and the groups of PEP 735."""
    document = Table(source, read_toml(source))
    project = document.table("project")
    lines = _Lines(source)
    entries = [_requirement(source, one, lines.of(one)) for one in project.texts("dependencies")]
    extras = project.table("optional-dependencies")
    for name in extras.values:
        found = (_requirement(source, one, lines.of(one)) for one in extras.texts(name))
        entries += [_chosen(one, f"extra {name}") for one in found]
    groups = document.table("dependency-groups")
    for name, members in groups.values.items():
        if not isinstance(members, list):
            raise groups.error(f"{name} is not a list")
        # a group that includes another has nothing of its own: the other one is read as well
        written = [one for one in members if not (isinstance(one, dict) and set(one) == {"include-group"})]
        if not all(isinstance(one, str) for one in written):
            raise groups.error(f"{name} has an entry that is no requirement")
        entries += [_chosen(_requirement(source, one, lines.of(one)), f"group {name}") for one in written]
    return section(
        at(source),
        entries,
        python=project.text("requires-python"),
        reasons=unread(["dependencies" in project.texts("dynamic"), _other_tool(document)]),
    )


def _other_tool(document: Table) -> bool:
    """Whether the dependencies are written in a table that only poetry reads."""
    return "dependencies" in document.table("tool").table("poetry").values


class _Lines:
    """Finds the line on which a text stands, each occurrence once."""

    def __init__(self, source: Source) -> None:
        self.places: dict[str, list[int]] = {}
        for number, line in enumerate(source.text().split("\n"), start=1):
            for quoted in re.findall(r'"([^"\\]*)"|\'([^\']*)\'', line):
                self.places.setdefault(quoted[0] or quoted[1], []).append(number)

    def of(self, text: str) -> int:
        places = self.places.get(text, [0])
        return places.pop(0) if len(places) > 1 else places[0]


def _requirement(source: Source, text: str, line: int) -> Entry:
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError, ValueError):  # RecursionError: a marker of 1,000 parentheses
        raise source.error(line, f"not a requirement: {text[:80]!r}") from None
    pins = [one.version for one in requirement.specifier if one.operator in ("==", "===")]
    pinned = len(requirement.specifier) == 1 and len(pins) == 1 and "*" not in pins[0]
    facts: dict[str, Value] = {
        "version": pins[0] if pinned else "",
        "specifier": "" if pinned else str(requirement.specifier),
        "marker": str(requirement.marker or ""),
    }
    if requirement.url:
        place, _, revision = requirement.url.partition("#")[0].rpartition("@")
        known = commit(revision)
        facts |= {"source": url(place if known else requirement.url), **known}
    return entry(requirement.name, line, **facts)


def _chosen(one: Entry, label: str) -> Entry:
    return Entry(one.name, {**one.attributes, "optional": (label,)})


def read_conda(source: Source) -> Section:
    """The packages of an environment.yml: `conda:NAME`, and those of its pip list by their plain names.

    A package of conda's may be a Python distribution or not; only an installed environment can tell which.
    https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
    """
    document = read_yaml(source)
    listed = document.get("dependencies") or Sequence(1)
    if not isinstance(listed, Sequence):
        raise source.error(document.lines.get("dependencies", 1), "dependencies is not a list")
    entries: list[Entry] = []
    python = ""
    reasons: tuple[str, ...] = ()
    for one, line in zip(listed, listed.lines, strict=True):
        if isinstance(one, Mapping) and set(one) == {"pip"}:
            pip = _pip(source, one["pip"], line)
            entries += [Entry(name, dict(body)) for name, body in pip.items.items() if not name.startswith("@")]
            reasons += pip.reasons
            continue
        found = _conda(one, line) if isinstance(one, str) else None
        if found is None:
            raise source.error(line, "not a package of conda's")
        if found.name == f"{CONDA}python":
            python = _range(found)
        else:
            entries.append(found)
    return section(at(source), entries, python=python, reasons=reasons)


def _range(python: Entry) -> str:
    version = python.attributes.get("version")
    return f"=={version}" if version else str(python.attributes.get("specifier") or "")


def _conda(text: str, line: int) -> Entry | None:
    """One match specification: `numpy`, `numpy=1.26`, `conda-forge::numpy==1.26.4=py311h64a7726_0`, `numpy>=1.20,<2`.

    https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html#package-match-specifications
    """
    if len(text) > 500 or (found := _CONDA.fullmatch(text.strip())) is None:
        return None
    version = found["version"].strip()
    facts: dict[str, Value] = {"line": line}
    if version[:1] not in ("=", "<", ">", "!", "~", ""):
        version = f"=={version}" if "*" not in version and "," not in version and "|" not in version else f"={version}"
    operator = version[: len(version) - len(version.lstrip("="))]
    bare = version.lstrip("=").strip()
    if operator and (built := _BUILD.fullmatch(bare)):  # a build is given: the version is exact then
        operator, bare = "==", built["version"]
    if operator and " " in bare:
        return None
    if operator == "==" and "*" not in bare:
        facts["version"] = bare
    elif operator == "=":  # `=1.26` is 1.26 and all that begins with it
        facts["specifier"] = f"=={bare.rstrip('.*')}.*"
    elif version:
        facts["specifier"] = _pep440(version)
    if found["more"]:
        facts["specifier"] = f"{facts.get('specifier') or ''}{found['more']}"  # told as it is, and not evaluated
    return Entry(f"{CONDA}{found['name'].lower()}", facts)


def _pep440(version: str) -> str:
    try:
        return str(SpecifierSet(version))
    except (InvalidSpecifier, ValueError):
        return version


def _pip(source: Source, listed: Any, line: int) -> Section:
    """The list below `pip:`: lines of a requirements file, each at the line where it stands."""
    if not isinstance(listed, Sequence) or not all(isinstance(one, str) for one in listed):
        raise source.error(line, "pip is not a list of requirements")
    return read_requirements(_as_file(source, listed))


def _as_file(source: Source, listed: Sequence) -> Source:
    """A requirements file whose lines are numbered as in the file that lists them."""
    rows: list[str] = []
    for text, line in zip(_rows(listed), listed.lines, strict=True):
        rows += [""] * (line - 1 - len(rows))
        rows.append(text)
    return Source(source.name, "\n".join(rows).encode(), source.root, source.path)


def _rows(listed: Sequence) -> Iterator[str]:
    for text in listed:
        yield " ".join(str(text).split("\n"))
