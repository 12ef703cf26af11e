"""The words of a gate: a finding and how it stands, the report with its verdict, and the document that both are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from envparity_agent.errors import CannotTell
from envparity_agent.fingerprint import Value

SCHEMA = 1
DECLARING = frozenset({"compose", "declared", "dockerfile"})  # kinds of target that are files which declare


class Verdict(StrEnum):
    """The three answers; what could not be compared is never parity."""

    PARITY = "parity"
    DRIFT = "drift"
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """How a difference stands before the gate; the first that applies."""

    UNKNOWN = "unknown"  # a side could not be read, or the two are incomparable
    EXPECTED = "expected"  # a rule covers it
    DECLARED = "declared"  # what the subject has is what the declaration says
    KNOWN = "known"  # the last accepted run had the very same
    BELOW = "below"  # under the threshold
    FAILS = "fails"  # none of these: at or over the threshold


@dataclass(frozen=True)
class Place:
    """Where a file says it: a path as it was given, and a line from 1."""

    file: str
    line: int


@dataclass(frozen=True)
class Finding:
    """One difference as a gate or a comparison tells it; an empty item stands for the whole section."""

    id: str  # `Difference.id`: stable over hosts and time
    content: str  # 16 hex digits over state and both values: whether it is the very same as that of another run
    section: str
    item: str
    attribute: str
    state: str  # of `compare.model.State`, the subject being left
    left: Value
    right: Value
    severity: str
    distance: str
    words: str  # `3.0.15 → 3.0.11`: from the reference to the subject
    standing: Standing
    why: str = ""  # why it stands so: `uv.lock`, the rule's reason, `run 41`
    origin: str = ""  # how it came: `via base image debian:bookworm (digest moved)`
    place: Place | None = None

    @property
    def told(self) -> str:
        """What differs and how it came: `3.0.15 → 3.0.11 via base image debian:bookworm (digest moved)`."""
        between = " " if self.origin.startswith(("via ", "(")) else ", " if self.origin else ""
        return f"{self.words}{between}{self.origin}"

    @property
    def headline(self) -> str:
        """The same, with the item."""
        return f"{self.item or 'the whole section'} {self.told}"


@dataclass(frozen=True)
class Suspected:
    """One of the likeliest causes, as `explain` ranks them, with its remedy: steps that are printed and never run."""

    rank: int
    section: str
    item: str
    reasons: tuple[str, ...]
    steps: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Coverage:
    """How many of the items in scope could be compared."""

    compared: int
    total: int

    @property
    def percent(self) -> float:
        """Rounded down to a tenth, so that 100 means all; of nothing, 0."""
        return self.compared * 1000 // self.total / 10 if self.total else 0.0


@dataclass(frozen=True)
class Report:
    """What a gate answers, or what a comparison found, in the form that every format is written from."""

    verb: str  # gate, diff
    subject: str
    reference: str
    verdict: Verdict | None  # None: nobody asked for one
    threshold: str
    summary: str  # the answer in one line, without the exit code
    findings: tuple[Finding, ...]  # those that fail first, each standing by severity, then by place
    reasons: tuple[str, ...] = ()  # why it cannot be told, and what was not examined
    coverage: Coverage = Coverage(0, 0)
    causes: tuple[Suspected, ...] = ()
    rules: tuple[tuple[str, str, int], ...] = ()  # id, reason, how many findings it expects
    paired: tuple[tuple[str, str, str], ...] = ()  # left, right, why
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    run: Mapping[str, Any] = field(default_factory=dict)  # where the server keeps it: id, url; empty: nowhere
    doubts: tuple[str, ...] = ()  # those of the reasons that no coverage makes up for: a stale host, nothing compared

    @property
    def is_uncovered(self) -> bool:
        """Whether it cannot be told for want of coverage alone."""
        return self.verdict == Verdict.UNKNOWN and not self.doubts

    def standing(self, *kinds: Standing) -> tuple[Finding, ...]:
        """The findings that stand so."""
        return tuple(one for one in self.findings if one.standing in kinds)

    @property
    def acceptable(self) -> dict[str, str]:
        """What whoever accepts this accepts, id -> content: what fails, and what was accepted before it.

        What passed for another reason has to pass for it again: a file that declares it, a rule, a threshold.
        """
        return {one.id: one.content for one in self.standing(Standing.FAILS, Standing.KNOWN) if one.content}

    def document(self) -> dict[str, Any]:
        """The report as `gate --json` prints it and the server answers; `expected` is what the first release had."""
        return {
            "schema": SCHEMA,
            "verb": self.verb,
            "subject": self.subject,
            "against": self.reference,
            "verdict": str(self.verdict) if self.verdict else None,
            "threshold": self.threshold,
            "summary": self.summary,
            "reasons": list(self.reasons),
            "doubts": list(self.doubts),
            "differences": [_of_finding(one) for one in self.standing(Standing.FAILS)],
            "accounted": [_of_finding(one) for one in self.findings if one.standing != Standing.FAILS],
            "expected": len(self.standing(Standing.EXPECTED)),
            "coverage": {"compared": self.coverage.compared, "total": self.coverage.total},
            "causes": [
                {
                    "rank": one.rank,
                    "section": one.section,
                    "item": one.item or None,
                    "reasons": list(one.reasons),
                    "steps": list(one.steps),
                    "note": one.note,
                }
                for one in self.causes
            ],
            "rules": [{"rule": id, "reason": reason, "expected": count} for id, reason, count in self.rules],
            "paired": [{"left": left, "right": right, "why": why} for left, right, why in self.paired],
            "notes": list(self.notes),
            "remarks": list(self.remarks),
            "run": dict(self.run) or None,
        }


def _of_finding(one: Finding) -> dict[str, Any]:
    return {
        "id": one.id,
        "content": one.content,
        "section": one.section,
        "item": one.item or None,
        "attribute": one.attribute or None,
        "state": one.state,
        "left": one.left,
        "right": one.right,
        "severity": one.severity,
        "distance": one.distance or None,
        "words": one.words,
        "standing": str(one.standing),
        "why": one.why or None,
        "origin": one.origin or None,
        "place": {"file": one.place.file, "line": one.place.line} if one.place else None,
    }


def read_report(document: Mapping[str, Any]) -> Report:
    """The report that the answer of a server holds, of the first release as well; unknown keys are left out.

    Raises CannotTell where it is none.
    """
    try:
        verdict = Verdict(document["verdict"])
        failing = [_finding(one, Standing.FAILS) for one in _tables(document["differences"])]
        coverage = document.get("coverage") or {}
        return Report(
            verb="gate",
            subject=_text(document, "subject"),
            reference=_text(document, "against"),
            verdict=verdict,
            threshold=_text(document, "threshold"),
            summary=_text(document, "summary"),
            findings=(*failing, *(_finding(one, None) for one in _tables(document.get("accounted")))),
            reasons=_texts(document["reasons"]),
            coverage=Coverage(_number(coverage, "compared"), _number(coverage, "total")),
            causes=tuple(_suspected(one) for one in _tables(document.get("causes"))),
            rules=tuple(
                (_text(one, "rule"), _text(one, "reason"), _number(one, "expected"))
                for one in _tables(document.get("rules"))
            ),
            paired=tuple(
                (_text(one, "left"), _text(one, "right"), _text(one, "why")) for one in _tables(document.get("paired"))
            ),
            notes=_texts(document.get("notes")),
            remarks=_texts(document.get("remarks")),
            run=dict(document.get("run") or {}),
            # of the first release, which does not tell them apart, each is one
            doubts=_texts(document["doubts"] if "doubts" in document else document["reasons"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        told = "the server gave no verdict"
        raise CannotTell(told, "check that it is an envparity server of this version") from None


def _finding(one: Mapping[str, Any], standing: Standing | None) -> Finding:
    place = one.get("place")
    return Finding(
        id=_text(one, "id"),
        content=_text(one, "content"),
        section=_text(one, "section"),
        item=_text(one, "item"),
        attribute=_text(one, "attribute"),
        state=_text(one, "state"),
        left=_value(one.get("left")),
        right=_value(one.get("right")),
        severity=_text(one, "severity"),
        distance=_text(one, "distance"),
        words=_text(one, "words") or _text(one, "state"),
        standing=standing or Standing(one["standing"]),
        why=_text(one, "why"),
        origin=_text(one, "origin"),
        place=Place(_text(place, "file"), _number(place, "line")) if place else None,
    )


def _suspected(one: Mapping[str, Any]) -> Suspected:
    reasons, steps = _texts(one.get("reasons")), _texts(one.get("steps"))
    return Suspected(
        _number(one, "rank"), _text(one, "section"), _text(one, "item"), reasons, steps, _text(one, "note")
    )


def _tables(value: Any) -> Sequence[Mapping[str, Any]]:
    """A list of tables; decoded JSON has tuples for lists."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(one, Mapping) for one in value):
        raise TypeError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise TypeError
    return tuple(value)


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise TypeError
    return value or ""


def _number(table: Mapping[str, Any], key: str) -> int:
    value = table.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _value(value: Any) -> Value:
    if isinstance(value, list | tuple):
        return _texts(value)
    if value is not None and not isinstance(value, str | int):
        raise TypeError
    return value


def located(report: Report, place: Callable[[Finding], Place | None]) -> Report:
    """With the place of each finding, as far as a file says it."""
    return replace(report, findings=tuple(replace(one, place=place(one)) for one in report.findings))
