"""How two OS packages are compared: version first; the content counts where the version is the same."""

from envparity_agent.fingerprint import Attributes
from envparity_server.compare.model import Distance, State
from envparity_server.compare.versions import system_distance

Finding = tuple[str, State, Distance | None]


def compare_packages(left: Attributes, right: Attributes, differing: frozenset[str]) -> list[Finding]:
    """Findings for one package; `differing` are the compared attributes that are not equal."""
    findings: list[Finding] = [(name, State.CHANGED, None) for name in sorted(differing - {"version", "content"})]
    ours, theirs = str(left.get("version") or ""), str(right.get("version") or "")
    if "version" in differing:
        distance = system_distance(ours, theirs) if ours and theirs else None
        return [("version", State.CHANGED, distance), *findings]
    if "content" in differing and "architecture" not in differing:  # another architecture is other content
        return [_content(left, right), *findings]
    return findings


def _content(left: Attributes, right: Attributes) -> Finding:
    """Same version: built again, or hashes of unlike kinds that cannot be held against each other."""
    kinds = {_kind_of_hash(one) for one in (left, right)}
    if len(kinds) > 1 or not left.get("content"):
        return "content", State.INCOMPARABLE, None
    return "content", State.CHANGED, Distance.REBUILD


def _kind_of_hash(package: Attributes) -> tuple[str, str]:
    """The package manager and the algorithm: `sha256:...` of dpkg and rpm, `Q1...` of apk."""
    content = str(package.get("content") or "")
    return str(package.get("manager") or ""), content.partition(":")[0] if ":" in content else content[:2]
