"""Whom a selector names: the hosts of environments and labels, one host, and whether a host is among them."""

from collections.abc import Sequence
from difflib import get_close_matches

from sqlalchemy import Connection

from envparity_agent.errors import CannotTell, UsageError
from envparity_server.compare.selectors import ALL, Selector
from envparity_server.storage import hosts
from envparity_server.storage.actors import Environments
from envparity_server.storage.hosts import Host

_MOST_NAMES = 10


def chosen(connection: Connection, selector: Selector, environments: Environments = None) -> Sequence[Host]:
    """The hosts of a selector, at its moment, for somebody who may see these environments.

    Raises UsageError for an unknown environment and for an unknown or ambiguous host, CannotTell where no host is or
    was in it.
    """
    return _one(connection, selector, environments) if selector.kind == "host" else _some(
        connection, selector, environments
    )  # fmt: skip


def covers(selector: Selector, host: Host) -> bool:
    """Whether a host is among those that a selector names."""
    if selector.kind == "host":
        return selector.name in (host.id, host.name)
    in_environment = selector.name in (ALL, host.environment)
    return selector.kind == "env" and in_environment and selector.labels.items() <= host.labels.items()


def environment_of(connection: Connection, selector: Selector, environments: Environments = None) -> str | None:
    """The environment that all hosts of a selector belong to; None where it goes across environments."""
    if selector.kind == "host":
        return _one(connection, selector, environments)[0].environment
    return None if selector.kind != "env" or selector.name == ALL else selector.name


def _one(connection: Connection, selector: Selector, environments: Environments) -> Sequence[Host]:
    found = hosts.named(connection, selector.name, environments)
    if not found:
        known = ", ".join(one.name for one in hosts.all_hosts(connection, environments)[:_MOST_NAMES]) or "none"
        raise UsageError(f"no host {selector.name}", f"known hosts: {known}")
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise UsageError(f"several hosts are called {selector.name}", f"name one by its id: {ids}")
    return found


def _some(connection: Connection, selector: Selector, environments: Environments) -> Sequence[Host]:
    known = hosts.environments(connection, environments)
    if selector.name not in (ALL, *known):
        raise UsageError(f"{selector.text}: never seen, there is no such environment", _near(selector, known))
    wanted = known if selector.name == ALL else [selector.name]
    found = [one for name in wanted for one in hosts.in_environment(connection, name, selector.labels, selector.moment)]
    if not found:
        raise CannotTell(f"{selector.text}: no host is in it", _known(known))
    return found


def _near(selector: Selector, known: Sequence[str]) -> str:
    """What somebody who misspelt an environment may have meant."""
    near = get_close_matches(selector.name, known)
    return f"did you mean {' or '.join(f'env:{one}' for one in near)}? {_known(known)}" if near else _known(known)


def _known(environments: Sequence[str]) -> str:
    more = len(environments) - _MOST_NAMES
    told = ", ".join(f"env:{one}" for one in environments[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    return f"known environments: {told or 'none'}"
