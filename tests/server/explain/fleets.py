"""Makes labelled runs out of the packages that each has."""

from collections.abc import Mapping, Sequence

from envparity_agent.fingerprint import Section
from envparity_server.explain.outcomes import Run
from tests.server.making import SEARCHED, host, packages

APP = "python/app"


def ran(name: str, failed: bool | None, has: Mapping[str, str], *more: Section) -> Run:
    """A run with these packages."""
    return Run(name, failed, host(SEARCHED, packages(has, APP), *more, name=name))


def runs(failing: Sequence[Mapping[str, str]], passing: Sequence[Mapping[str, str]]) -> list[Run]:
    """Runs that failed and runs that passed: fail-0, ..., pass-0, ..."""
    return [
        *(ran(f"fail-{number}", True, has) for number, has in enumerate(failing)),
        *(ran(f"pass-{number}", False, has) for number, has in enumerate(passing)),
    ]
