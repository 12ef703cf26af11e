"""What files declare of containers, in sections with the items that running containers have."""

import re
from collections.abc import Iterable

from envparity_agent.collectors.values import untold
from envparity_agent.fingerprint import Attributes, Reason, Section, Status

MAX_PORTS = 1000  # of one range
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)


def container_section(name: str, image: Attributes) -> Section:
    """What a file says of the image that a container runs: never all of it."""
    return Section(
        f"container/{name}", "container", 2, {"image": image}, status=Status.PARTIAL, reasons=(Reason.DECLARED,)
    )


def config_section(name: str, items: dict[str, Attributes], reasons: Iterable[str] = ()) -> Section:
    """What a file says of a container's configuration; its image brings more."""
    why = tuple(sorted({Reason.DECLARED, *untold(items), *reasons}))
    return Section(f"container/{name}/config", "configuration", 1, items, status=Status.PARTIAL, reasons=why)


def ports(text: str) -> list[str]:
    """The items of a port or a range of ports: `port:8000/tcp`; none for what is no port."""
    found = _PORT.fullmatch(text)
    if not found:
        return []
    first, last = int(found[1]), int(found[2] or found[1])
    if not 0 < first <= last <= 65535 or last - first >= MAX_PORTS:
        return []
    return [f"port:{number}/{(found[3] or 'tcp').lower()}" for number in range(first, last + 1)]
