"""One step of one gateway; never back, because its settings cannot be read by an older firmware."""

from packaging.version import Version
from rollout.catalog import Release
from rollout.fleet import Gateway


class Refused(Exception):
    """A step that must not be made."""


def plan(gateway: Gateway, release: Release):
    installed, offered = Version(gateway.firmware), Version(release.version)
    if offered < installed:
        raise Refused(f"{offered} is older than {installed}, which is installed")
    if offered == installed:
        return None
    return gateway.name, gateway.firmware, release.version
