"""The words of a comparison: its states, version distances, severities, and the differences themselves."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from hashlib import sha256
from typing import Any

from envparity_agent.canonical import canonical
from envparity_agent.fingerprint import Target, Value

LOCK, LIST = "lock", "list"  # a file that names all that is to be installed, and one that names what is asked for


class State(StrEnum):
    """How one attribute of one item stands on the two sides."""

    SAME = "same"
    CHANGED = "changed"
    ONLY_LEFT = "only_left"
    ONLY_RIGHT = "only_right"
    INCOMPARABLE = "incomparable"  # the sides have identities of unlike kinds
    UNKNOWN = "unknown"  # a side could not be read, or was not collected
    EXPECTED = "expected"  # a rule covers it


DRIFT_STATES = frozenset({State.CHANGED, State.ONLY_LEFT, State.ONLY_RIGHT})
UNKNOWN_STATES = frozenset({State.INCOMPARABLE, State.UNKNOWN})


class Distance(StrEnum):
    """How far two versions are apart."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    PRE = "pre"
    LOCAL = "local"
    REBUILD = "rebuild"  # same version, other content
    UNORDERED = "unordered"


class Severity(IntEnum):
    """How much a difference matters; ordered."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The severity in words."""
        return self.name.lower()


@dataclass(frozen=True)
class Difference:
    """One attribute that differs, or that could not be compared; an empty item stands for the whole section."""

    section: str
    kind: str
    item: str
    attribute: str
    state: State
    left: Value = None
    right: Value = None
    distance: Distance | None = None
    severity: Severity = Severity.INFO
    version: str = ""  # of the item, where both sides have the same
    owner: str = ""  # what the item belongs to: an OS package, or what was installed in a container
    undeclared: str = ""  # it is installed, and the other side's file, a LOCK or a LIST, does not name it
    found: State | None = None  # of what is expected: its state, if no rule covered it
    rule: str = ""  # id of the rule that expects it
    reason: str = ""  # of that rule
    rated_by: str = ""  # id of the rule that its severity is from
    origin: str = ""  # how it came to be, where that is known: `added in the left container`, `3 layers shared, then …`

    @property
    def id(self) -> str:
        """Stable over hosts and time: the key of whoever wants to ignore or follow this difference."""
        return sha256("\0".join((self.section, self.item, self.attribute)).encode()).hexdigest()[:16]

    @property
    def content(self) -> str:
        """Whether it is the very same as that of another run, in 16 hex digits; expected, it is what it was without."""
        said = (self.found or self.state, self.left, self.right)
        return sha256(b"\0".join(canonical(one) for one in said)).hexdigest()[:16]

    @property
    def word(self) -> str:
        """How much it matters, in a word: what could not be compared, or is expected, has no severity to show."""
        if self.state in UNKNOWN_STATES:
            return "unknown"
        return "expected" if self.state == State.EXPECTED else self.severity.word

    def document(self) -> dict[str, Any]:
        """The difference as `diff --json` has it."""
        return {
            "id": self.id,
            "section": self.section,
            "item": self.item or None,
            "attribute": self.attribute or None,
            "state": str(self.state),
            "left": self.left,
            "right": self.right,
            "severity": self.severity.word,
            "distance": str(self.distance) if self.distance else None,
            "owner": self.owner or None,
            "rule": self.rule or None,
            **({"rated_by": self.rated_by} if self.rated_by else {}),
            **({"found": str(self.found), "reason": self.reason} if self.found else {}),
            **({"origin": self.origin} if self.origin else {}),
        }


@dataclass(frozen=True)
class Unexamined:
    """A section, or an aspect of the comparison, that was not looked at, and why."""

    section: str
    why: str
    beyond: bool = False  # the left target is of a kind that has no such section: nobody asked about it


@dataclass(frozen=True)
class Pair:
    """Two sections that were held against each other although their paths differ, and why these."""

    left: str
    right: str
    why: str
    sure: bool = True  # else the two are only the nearest to each other: too little to judge by

    def document(self) -> dict[str, str]:
        """The pair as `diff --json` and `gate --json` have it."""
        return {"left": self.left, "right": self.right, "why": self.why}


@dataclass(frozen=True)
class Comparison:
    """The outcome: what differs, how many items are the same, what was paired, and what was not examined."""

    left: Target
    right: Target
    differences: tuple[Difference, ...]
    same: int
    examined: int  # sections that were compared
    pairs: tuple[Pair, ...]
    unexamined: tuple[Unexamined, ...]
    remarks: tuple[str, ...] = ()  # about the rules: which one has expired
    held: tuple[tuple[str, str], ...] = ()  # paths, left and right, of the sections that were held against each other

    def summary(self) -> dict[str, int]:
        """State -> count: differences by state, and items that are the same."""
        counts = {str(State.SAME): self.same}
        for difference in self.differences:
            counts[str(difference.state)] = counts.get(str(difference.state), 0) + 1
        return counts

    def document(self) -> dict[str, Any]:
        """The comparison as `diff --json` prints it."""
        return {
            "schema": 1,
            "left": {"kind": self.left.kind, "name": self.left.name},
            "right": {"kind": self.right.kind, "name": self.right.name},
            "summary": self.summary(),
            "differences": [difference.document() for difference in self.differences],
            "paired": [pair.document() for pair in self.pairs],
            "not_examined": [{"section": one.section or None, "why": one.why} for one in self.unexamined],
            **({"remarks": list(self.remarks)} if self.remarks else {}),
        }
