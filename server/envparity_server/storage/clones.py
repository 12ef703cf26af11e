"""Hosts that say they are the same machine: clones of one image, or one machine that was enrolled twice."""

from collections.abc import Iterable, Mapping

from envparity_server.storage.hosts import Host

_MOST_NAMES = 3
_UNSET = "uninitialized"  # what systemd leaves in an image that is to be started


def clones(hosts: Iterable[Host]) -> Mapping[str, str]:
    """What is to be said of each host whose machine id another one has, by host id."""
    by_machine: dict[str, list[Host]] = {}
    for one in hosts:
        machine = one.identity.get("machine_id")
        if machine and machine != _UNSET:
            by_machine.setdefault(str(machine), []).append(one)
    return {
        one.id: _told([other for other in same if other.id != one.id])
        for same in by_machine.values()
        if len(same) > 1
        for one in same
    }


def _told(others: list[Host]) -> str:
    names = ", ".join(f"{one.name} ({one.id})" for one in others[:_MOST_NAMES])
    more = f" and {len(others) - _MOST_NAMES} more" if len(others) > _MOST_NAMES else ""
    return f"has the machine id of {names}{more}: a clone, or one machine that was enrolled twice"
