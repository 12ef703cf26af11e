"""Where the code of a container's application lies, from what the engine says of the container."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# https://github.com/opencontainers/image-spec/blob/main/annotations.md
_REVISION = "org.opencontainers.image.revision"
# directories that a system has anyway: a WORKDIR that is one of them holds no application of its own
_SYSTEM = frozenset({
    "", "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "media", "mnt", "opt", "proc", "root",
    "run", "sbin", "sys", "tmp", "usr", "usr/bin", "usr/lib", "usr/local", "usr/local/bin", "usr/sbin",
    "usr/share", "var", "var/lib", "var/log", "var/run", "var/tmp",
})  # fmt: skip
_BELOW_SYSTEM = ("dev/", "proc/", "run/", "sys/")  # of the kernel, or gone with the container
_MOUNTS = frozenset({"bind", "volume"})


@dataclass(frozen=True)
class Workdir:
    """The directory of an application's code, what it was built from, and the mounts that hide it."""

    directory: str | None  # absolute, in the container; None where the image names none of its own
    revision: str | None  # the commit that the image says it was built from
    shadowed: tuple[str, ...]  # absolute paths of mounts at, above or below the directory


def workdir(inspected: Mapping[str, Any]) -> Workdir:
    """The application's code in an inspected container.

    What the image has under a mount cannot be seen in the container: a mount below the directory counts as hiding it.
    """
    config = inspected.get("Config") or {}
    revision = (config.get("Labels") or {}).get(_REVISION)
    place = _normal(str(config.get("WorkingDir") or ""))
    if place in _SYSTEM or ".." in place.split("/") or f"{place}/".startswith(_BELOW_SYSTEM):
        return Workdir(None, revision, ())
    mounts = {
        _normal(str(mount.get("Destination") or ""))
        for mount in inspected.get("Mounts") or ()
        if mount.get("Type") in _MOUNTS
    }
    shadowed = sorted(f"/{mount}" for mount in mounts if _is_within(mount, place) or _is_within(place, mount))
    return Workdir(f"/{place}", revision, tuple(shadowed))


def _normal(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _is_within(path: str, other: str) -> bool:
    """Whether a path is another one, or below it; nothing is taken to be mounted at the root itself."""
    return bool(other) and f"{path}/".startswith(f"{other}/")
