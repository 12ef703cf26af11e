"""Makes two sides of a failure, and asks for the evidence against what differs between them."""

from collections.abc import Mapping
from dataclasses import dataclass

from envparity_agent.fingerprint import Attributes, Fingerprint, Section
from envparity_server.compare.differences import compare
from envparity_server.explain.causes import explain
from envparity_server.explain.model import Cause, Situation
from tests.server.making import host, section

PATH = "python/srv/shop"
GLIBC: Mapping[str, Attributes] = {
    "libc": {"family": "glibc", "version": "2.36"},
    "architecture": {"machine": "x86_64"},
}


def environment(items: Mapping[str, Attributes], python: str = "3.11.7", path: str = PATH) -> Section:
    """A Python environment of distributions."""
    interpreter: Attributes = {
        "version": python, "abi": ".".join(python.split(".")[:2]), "role": "venv", "implementation": "cpython",
    }  # fmt: skip
    return section(path, {"@python": interpreter, **items}, kind="python", schema=2)


def dist(version: str, *requires: str, **more: str | bool | tuple[str, ...]) -> Attributes:
    """A distribution with what it requires."""
    content = f"sha256:{version}"
    return {"version": version, "content": content, "code": content, "requires": tuple(sorted(requires)), **more}


@dataclass(frozen=True)
class Found:
    """What was found of one suspect."""

    rank: int
    score: float
    reasons: tuple[str, ...]
    section: str

    def says(self, *words: str) -> bool:
        """Whether one reason has all of these words."""
        return any(all(word in reason for word in words) for reason in self.reasons)


def situation(good: Fingerprint, bad: Fingerprint) -> Situation:
    """Two sides, and nothing else."""
    return Situation(good, bad, compare(good, bad))


def causes(good: Fingerprint, bad: Fingerprint) -> dict[str, Found]:
    """Item -> what was found of it, in the order of the ranks."""
    return {one.suspect.item: found(one) for one in explain(situation(good, bad)).causes}


def found(cause: Cause) -> Found:
    """A cause in short."""
    return Found(cause.rank, cause.score, tuple(one.text for one in cause.evidence), cause.suspect.section)


def between(good: Section, bad: Section, *common: Section) -> dict[str, Found]:
    """The causes between two hosts that have one section each, and what is the same on both."""
    return causes(host(section("python"), good, *common), host(section("python"), bad, *common, name="web-2"))
