"""Rules: which differences are expected, and how severe others are, by globs on their place.

What is unknown never becomes expected, and what is expected stays countable: a rule moves a difference to another state
and takes none away.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from envparity_agent.errors import InvalidDocument, UsageError
from envparity_agent.project import MAX_RULES, Project, WrongRule, checked_rule, checked_severity
from envparity_server.compare.model import DRIFT_STATES, Comparison, Difference, Distance, Severity, State
from envparity_server.compare.selectors import ALL, Selector, parse_selector
from envparity_server.drift.globs import indexed

MAX_STEPS = 5_000_000_000  # of all globs on all differences of one comparison: some seconds at the worst
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)  # selectors of rules have none


@dataclass(frozen=True)
class Rule:
    """What `match` fits, on the hosts of a selector (empty for all), is expected, or has a severity if one is given."""

    id: str
    match: str
    hosts: str
    reason: str
    owner: str = ""
    expires: datetime | None = None
    severity: Severity | None = None

    def is_expired(self, now: datetime) -> bool:
        """Whether its end has come."""
        return self.expires is not None and self.expires <= now

    def covers(self, subject: "Subject") -> bool:
        """Whether a side of a comparison is one of its hosts: `env:dev` covers `env:dev,role=web` and a host of dev."""
        if not self.hosts:
            return True
        selector = _selector(self.hosts)
        if selector.kind == "host":
            return bool(selector.name) and selector.name in (subject.name, subject.id)
        in_environment = subject.environment is not None and selector.name in (ALL, subject.environment)
        return in_environment and selector.labels.items() <= subject.labels.items()


@dataclass(frozen=True)
class Subject:
    """A side of a comparison: a host, or the hosts of a selector; a target that is no host has no environment."""

    name: str
    environment: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    id: str = ""  # of a host


@dataclass(frozen=True)
class Severities:
    """The table `[severity]` of a project: the first glob that fits and tells of the version distance wins."""

    entries: tuple[tuple[str, Severity | Mapping[Distance, Severity]], ...] = ()

    def of(self, difference: Difference, spend: Callable[[int], None]) -> Severity | None:
        """The severity of a difference; None where the table does not tell."""
        if not self.entries:
            return None
        globs = indexed(tuple(glob for glob, _ in self.entries))
        for number in globs.fitting(difference.section, difference.item, difference.attribute, spend):
            told = self.entries[number][1]
            found = (
                told if isinstance(told, Severity) else told.get(difference.distance) if difference.distance else None
            )
            if found is not None:
                return found
        return None


NO_SEVERITIES = Severities()


def applied(
    comparison: Comparison,
    rules: Sequence[Rule],
    subjects: Sequence[Subject],
    now: datetime,
    severities: Severities = NO_SEVERITIES,
) -> Comparison:
    """The rated comparison under some rules: the most severe first, what is expected last.

    Of `subjects`, the sides of the comparison, a rule has to cover one. The severity is of `severities`, else of the
    first rule that has one, else the one of before; expected is what any rule without a severity fits, under the name
    of the first one. A rule that has expired covers nothing; where it would, that is a remark.
    Raises UsageError where the rules would take more than MAX_STEPS.
    """
    if not rules and not severities.entries:
        return comparison
    rule_book = _RuleBook(rules, subjects, now, severities)
    differences = [rule_book.judged(one) if one.state in DRIFT_STATES else one for one in comparison.differences]
    differences.sort(key=lambda one: (one.state == State.EXPECTED, -one.severity))
    remarks = tuple(dict.fromkeys((*comparison.remarks, *rule_book.remarks())))
    return replace(comparison, differences=tuple(differences), remarks=remarks)


class _RuleBook:
    """The rules of one comparison, and how many differences each expired one would have covered."""

    def __init__(
        self, rules: Sequence[Rule], subjects: Sequence[Subject], now: datetime, severities: Severities
    ) -> None:
        self._rules = rules
        self._globs = indexed(tuple(rule.match for rule in rules))
        self._covering = [any(rule.covers(subject) for subject in subjects) or not rule.hosts for rule in rules]
        self._expired = [rule.is_expired(now) for rule in rules]
        self._severities = severities
        self._missed: Counter[int] = Counter()
        self._steps = 0

    def judged(self, difference: Difference) -> Difference:
        table = self._severities.of(difference, self._spend)
        if table is not None:
            difference = replace(difference, severity=table, rated_by="")
        rating = table is None
        missed = []
        for number in self._fitting(difference):
            rule = self._rules[number]
            if self._expired[number]:
                missed.append(number)
            elif rule.severity is not None:
                difference = replace(difference, severity=rule.severity, rated_by=rule.id) if rating else difference
                rating = False
            elif difference.state != State.EXPECTED:
                difference = replace(
                    difference, state=State.EXPECTED, found=difference.state, rule=rule.id, reason=rule.reason
                )
        if difference.state != State.EXPECTED:
            self._missed.update(missed)
        return difference

    def _fitting(self, difference: Difference) -> Iterator[int]:
        fitting = self._globs.fitting(difference.section, difference.item, difference.attribute, self._spend)
        return (number for number in fitting if self._covering[number])

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise UsageError(
                "the rules take too long on these differences", "let each match name a section and an item"
            )

    def remarks(self) -> Iterator[str]:
        """One for each expired rule that would have covered something, in the order of the rules."""
        for number, count in sorted(self._missed.items()):
            rule = self._rules[number]
            many = f"{count} difference{'s' if count > 1 else ''}"
            yield f"the rule {rule.match} ({rule.reason}) expired on {rule.expires:%Y-%m-%d}: {many} no longer covered"


def hits(comparison: Comparison) -> Counter[str]:
    """How many differences each rule expected or rated, by its id."""
    return Counter(id for one in comparison.differences for id in (one.rule, one.rated_by) if id)


def subject_of(document: Mapping[str, Any], text: str) -> Subject:
    """A side of a comparison as a server tells it; of an older server, which does not, what its selector says."""
    labels = document.get("labels")
    if isinstance(document.get("name"), str) and isinstance(labels, Mapping):
        return Subject(document["name"], document.get("environment"), labels, str(document.get("id") or ""))
    selector = parse_selector(text, _ANY_MOMENT)
    return named(selector)


def named(selector: Selector) -> Subject:
    """The side of a comparison that a selector names, as far as the selector tells."""
    if selector.kind == "env":
        return Subject(selector.whom, selector.name, selector.labels)
    return Subject(selector.name if selector.kind == "host" else selector.whom)


def rule_id(match: str, hosts: str, severity: Severity | None) -> str:
    """The name of a rule by what it does: two that do the same are one, in a file and in a database."""
    return sha256("\0".join((match, hosts, severity.word if severity is not None else "")).encode()).hexdigest()[:16]


def rule_of(document: object) -> Rule:
    """A rule of a document, from a file or a request; raises WrongRule, which says which key is wrong."""
    checked = checked_rule(document)
    try:
        hosts = canonical_hosts(checked["hosts"])
    except UsageError as problem:
        raise WrongRule("hosts", f"hosts: {problem}", problem.advice) from None
    severity = None if checked["severity"] is None else _severity("severity", checked["severity"])
    expires = datetime.fromisoformat(checked["expires"]) if checked["expires"] else None
    match = checked["match"]
    return Rule(
        rule_id(match, hosts, severity), match, hosts, checked["reason"], checked["owner"], expires, severity
    )  # fmt: skip


def document_of(rule: Rule) -> dict[str, Any]:
    """A rule as JSON: what `rule_of` reads, and its id."""
    return {
        "id": rule.id,
        "match": rule.match,
        "hosts": rule.hosts,
        "reason": rule.reason,
        "owner": rule.owner,
        "expires": rule.expires.isoformat() if rule.expires else None,
        "severity": rule.severity.word if rule.severity is not None else None,
    }


def severity_of(entry: object) -> tuple[str, Severity | Mapping[Distance, Severity]]:
    """An entry of `Severities`; raises WrongRule, which says which key is wrong."""
    checked = checked_severity(entry)
    glob, value = checked["match"], checked["severity"]
    if isinstance(value, str):
        return glob, _severity("severity", value)
    known = ", ".join(Distance)
    by_distance = {}
    for word, severity in value.items():
        if word not in set(Distance):
            raise WrongRule(word, f"{word[:40]!r} is no version distance", f"version distances: {known}")
        by_distance[Distance(word)] = _severity(word, severity)
    return glob, by_distance


def _severity(key: str, word: str) -> Severity:
    known = {one.word: one for one in Severity}
    if word not in known:
        raise WrongRule(key, f"{word[:40]!r} is no severity", f"severities: {', '.join(known)}")
    return known[word]


def of_project(project: Project) -> tuple[tuple[Rule, ...], Severities]:
    """The rules and severities of a project's file; raises UsageError with file, line and key."""
    rules, entries = [], []
    for number, document in enumerate(project.rules):
        try:
            rules.append(rule_of(document))
        except WrongRule as problem:
            raise UsageError(f"{project.place(problem.key, number)}: {problem}", problem.advice) from None
    for entry in project.severity:
        try:
            entries.append(severity_of(entry))
        except WrongRule as problem:
            raise UsageError(f"{project.place(entry['match'])}: {problem}", problem.advice) from None
    return tuple(rules), Severities(tuple(entries))


def of_question(rules: object, severity: object) -> tuple[tuple[Rule, ...], Severities]:
    """The rules and severities that came with a question; raises InvalidDocument that says which is wrong, and why."""
    found: list[list[Any]] = []
    for name, documents, read in (("rules", rules, rule_of), ("severity", severity, severity_of)):
        if not isinstance(documents, list | tuple) or len(documents) > MAX_RULES:
            raise InvalidDocument(f"{name} is not a list of at most {MAX_RULES}")
        found.append([])
        for number, document in enumerate(documents):
            try:
                found[-1].append(read(document))
            except WrongRule as problem:
                raise InvalidDocument(f"{name}[{number}]: {problem}", problem.advice) from None
    return tuple(found[0]), Severities(tuple(found[1]))


def canonical_hosts(text: str) -> str:
    """A rule's selector in its one form, labels sorted; raises UsageError for what is none, or has a moment or part."""
    if not text:
        return ""
    selector = _selector(text)
    labels = (f",{key}={value}" for key, value in sorted(selector.labels.items()))
    return f"{selector.kind}:{selector.name}{''.join(labels)}"


@lru_cache(maxsize=4096)
def _selector(text: str) -> Selector:
    selector = parse_selector(text, _ANY_MOMENT)
    if selector.kind == "baseline" or re.search("[@#]", text):
        raise UsageError(
            f"{text!r} is a baseline, or has a moment or a part",
            "a rule is for env:dev, env:dev,role=web, role=web or host:web-1",
        )
    return selector
