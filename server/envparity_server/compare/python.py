"""How two items of Python environments are compared: version first, then content, one difference for one cause."""

import re
from fnmatch import fnmatchcase

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envparity_agent.fingerprint import Attributes, Value
from envparity_server.compare.model import Distance, State
from envparity_server.compare.versions import equal, python_distance, system_distance

Finding = tuple[str, State, Distance | None]

_CONTENT = frozenset({"content", "code", "pure", "tags", "build", "channel"})
_SOURCE = frozenset({"commit", "editable", "head", "dirty", "changes"})
_FLAGS = frozenset({"dirty", "editable", "restart_needed"})
# manylinux and musllinux say which libc a build fits, linux_ that it was built in place: the platform is the same
_PLATFORM = re.compile(r"^(?:manylinux\w*?|linux)_(x86_64|i686|aarch64|armv\w+|ppc64\w*|s390x|riscv64|loongarch64)$")


def compare_distributions(
    left: Attributes, right: Attributes, differing: frozenset[str], one_abi: bool = True
) -> list[Finding]:
    """Findings for one distribution; `differing` are the compared attributes that are not equal.

    `one_abi` says that both environments have the same Python version, so that unlike tags have a cause of their own.
    """
    if "specifier" in left or "specifier" in right:
        return _declared(left, right)
    ours, theirs = str(left.get("version") or ""), str(right.get("version") or "")
    unread = any(str(one.get("problem", "")).startswith("unread") for one in (left, right))
    if (unread or "problem" in differing) and (not ours or not theirs or equal(ours, theirs)):
        return [("problem", State.UNKNOWN if unread else State.CHANGED, None)]
    if "role" in left and ours != theirs and _is_part(ours, theirs):
        return [("version", State.UNKNOWN, None)]  # an interpreter of which only X.Y could be told
    told = differing - _CONTENT - {"version"} - _unsaid(left, right) - _implied(left, right, differing)
    if not equal(ours, theirs):
        return [("version", State.CHANGED, python_distance(ours, theirs)), *_changed(told - _SOURCE - {"abi"})]
    # another source has other files: the source is the cause
    source = [*_checkouts(left, right, told), *_builds(left, right, differing)]
    findings = [*source, *_changed(told - _SOURCE)]
    if not source and differing & _CONTENT:
        is_editable = left.get("editable") and right.get("editable")
        findings += _editables(left, right, differing) if is_editable else _content(left, right, differing, one_abi)
    return findings


def _changed(attributes: frozenset[str]) -> list[Finding]:
    return [(name, State.CHANGED, None) for name in sorted(attributes)]


def _unsaid(left: Attributes, right: Attributes) -> frozenset[str]:
    """What a side says only where it is so, and neither does: no, on one side, and nothing on the other."""
    return frozenset(name for name in _FLAGS if not left.get(name) and not right.get(name))


def _implied(left: Attributes, right: Attributes, differing: frozenset[str]) -> frozenset[str]:
    """The attributes that cannot but differ where others do, or that say the same in another form."""
    implied: set[str] = set()
    if differing & {"abi", "orphaned", "role", "system_site"} or _entries(left) == _entries(right):
        implied.add("path")
    if differing & {"editable", "commit", "head"}:
        implied |= {"dirty", "changes"}
    if "editable" in differing:
        implied |= {"commit", "head"}
    if bool(left.get("dirty")) != bool(right.get("dirty")):
        implied.add("changes")
    return frozenset(implied)


def _entries(attributes: Attributes) -> list[str]:
    """The entries of sys.path in their order; their numbers sort as text only up to 99."""
    path = attributes.get("path")
    numbered = [entry.partition(" ") for entry in path] if isinstance(path, tuple | list) else []
    return [entry for number, _, entry in sorted(numbered, key=lambda one: (len(one[0]), one[0]))]


def _checkouts(left: Attributes, right: Attributes, told: frozenset[str]) -> list[Finding]:
    """One version from two commits, or from a checkout and something else."""
    findings: list[Finding] = []
    for name in sorted(told & _SOURCE):
        unlike = name in ("head", "changes") and not (left.get(name) and right.get(name))  # one is no checkout
        findings.append((name, State.INCOMPARABLE if unlike else State.CHANGED, None))
    return findings


def _editables(left: Attributes, right: Attributes, differing: frozenset[str]) -> list[Finding]:
    """RECORD lists the way to the sources of an editable installation, and none of these.

    The commit tells what it is, or the hash over its files. https://peps.python.org/pep-0660/
    """
    known = any(left.get(name) and right.get(name) for name in ("head", "changes"))
    return [] if known or "content" not in differing else [("content", State.INCOMPARABLE, None)]


def _builds(left: Attributes, right: Attributes, differing: frozenset[str]) -> list[Finding]:
    """One version built twice, where both say which build it is; conda's build string tells mkl from openblas."""
    for name in ("build", "channel"):
        if name in differing and left.get(name) and right.get(name):
            return [(name, State.CHANGED, Distance.REBUILD)]
    return []


def _is_part(left: str, right: str) -> bool:
    """Whether one version is the beginning of the other: 3.11 of 3.11.2."""
    shorter, longer = sorted((left, right), key=len)
    return longer.startswith(f"{shorter}.")


def _content(left: Attributes, right: Attributes, differing: frozenset[str], one_abi: bool) -> list[Finding]:
    """Same version: the content is compared within one platform, the pure-Python payload across platforms."""
    if not left.get("content") or not right.get("content"):
        return [("content", State.INCOMPARABLE, None)] if "content" in differing else []
    if not ({"code", "tags"} & (left.keys() | right.keys())):  # no wheel: the hash of a conda package
        return _archives(str(left["content"]), str(right["content"]))
    if _platforms(left.get("tags")) & _platforms(right.get("tags")) or "tags" not in differing:
        attribute = "content" if "code" in differing else "metadata"
        return [(attribute, State.CHANGED, Distance.REBUILD)] if "content" in differing else []
    findings: list[Finding] = [("tags", State.CHANGED, None)] if one_abi else []
    return [*findings, ("pure", State.CHANGED, Distance.REBUILD)] if "pure" in differing else findings


def _archives(left: str, right: str) -> list[Finding]:
    if left == right:
        return []
    if left.partition(":")[0] != right.partition(":")[0]:
        return [("content", State.INCOMPARABLE, None)]
    return [("content", State.CHANGED, Distance.REBUILD)]


def _platforms(tags: Value) -> set[str]:
    found = set()
    for tag in tags if isinstance(tags, tuple) else ():
        interpreter, _, platform = tag.rpartition("-")
        same = _PLATFORM.match(platform)
        found.add(f"{interpreter}-linux_{same.group(1)}" if same else tag)
    return found


def _declared(left: Attributes, right: Attributes) -> list[Finding]:
    """Two files: a range against a range is compared as it is written, a pin has to be within the other's range."""
    declared, other = (left, right) if "specifier" in left else (right, left)
    if "specifier" in other:
        return [] if left["specifier"] == right["specifier"] else [("specifier", State.CHANGED, None)]
    return _within(str(declared["specifier"]), str(other.get("version") or ""))


def compare_declared(asked: Attributes, there: Attributes) -> list[Finding]:
    """What is asked for of a distribution, or of the interpreter, against what is installed."""
    findings: list[Finding] = []
    version, installed = str(asked.get("version") or ""), str(there.get("version") or "")
    if (version or asked.get("specifier")) and not installed:
        return [("version" if version else "specifier", State.UNKNOWN, None)]
    if version and not equal(version, installed):
        findings.append(("version", State.CHANGED, python_distance(version, installed)))
    elif asked.get("specifier"):
        findings += _within(str(asked["specifier"]), installed)
        if findings and "role" in there and installed.count(".") < 2:  # an interpreter of which only X.Y is known
            findings = [("specifier", State.UNKNOWN, None)]
    if asked.get("commit") and asked["commit"] != there.get("commit"):
        findings.append(("commit", State.CHANGED, None))
    return findings


def compare_declared_system(asked: Attributes, there: Attributes) -> list[Finding]:
    """What is asked for of an OS package against what is installed: versions are equal as texts, or fit a pattern."""
    version, installed = str(asked.get("version") or ""), str(there.get("version") or "")
    if version:
        return [] if version == installed else [("version", State.CHANGED, system_distance(version, installed))]
    pattern = str(asked.get("specifier") or "")
    if not pattern or (pattern.startswith("=") and fnmatchcase(installed, pattern[1:])):
        return []
    is_pattern = pattern.startswith("=") and "*" in pattern
    return [("specifier", State.CHANGED if is_pattern else State.UNKNOWN, None)]  # apk's ranges have rules of their own


def _within(specifier: str, version: str) -> list[Finding]:
    """Whether a version is in a range; not known for a range of another grammar, such as conda's `1.2|1.3`."""
    try:
        fits = SpecifierSet(specifier).contains(version, prereleases=True)
    except (InvalidSpecifier, ValueError):  # ValueError: more digits than int() takes
        return [("specifier", State.UNKNOWN, None)]
    return [] if fits else [("specifier", State.CHANGED, None)]
