"""Who acts, and how far: a role, and the environments that it is for."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

Environments = frozenset[str] | None  # those that somebody may see; None for all


class Role(StrEnum):
    """What somebody may do: each of viewer, operator, admin may do what the one before may; `ci` stands apart."""

    CI = "ci"  # asks for a verdict or an explanation, marks deploys
    VIEWER = "viewer"  # reads
    OPERATOR = "operator"  # decides: hosts, baselines, rules, drifts
    ADMIN = "admin"  # people, tokens, channels, audit

    def may(self, needed: "Role") -> bool:
        """Whether this role is enough where another one is asked for."""
        ladder = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
        if Role.CI in (self, needed):
            return self == needed or (needed == Role.CI and self in ladder)
        return ladder.index(self) >= ladder.index(needed)


@dataclass(frozen=True)
class Actor:
    """A person, a token or this machine's operator, as the audit log names it."""

    name: str  # person:ada, token:github, local:root
    role: Role
    environments: Environments = None

    def sees(self, environment: str | None) -> bool:
        """Whether something of this environment is there for the actor; what belongs to none is for all-seeing ones."""
        return self.environments is None or environment in self.environments

    def covers(self, environments: Environments) -> bool:
        """Whether all that somebody else may see, this actor may see as well."""
        if self.environments is None:
            return True
        return environments is not None and environments <= self.environments

    def may_grant(self, role: Role, environments: Environments) -> bool:
        """Whether the actor may hand out a role for some environments: nobody grants more than he has."""
        return self.role.may(role) and self.covers(environments)


def narrowed(seen: Environments, environment: str) -> Environments:
    """Of what somebody sees, the environment that is asked for, "" for all of it."""
    if not environment:
        return seen
    return frozenset({environment}) if seen is None else seen & {environment}


def stored(environments: Environments) -> list[str] | None:
    """How environments are stored."""
    return None if environments is None else sorted(environments)


def from_stored(environments: Iterable[str] | None) -> Environments:
    """Environments as they were stored."""
    return None if environments is None else frozenset(environments)
