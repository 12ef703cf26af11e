"""Reads a pyvenv.cfg: its creators differ in what they write."""

import re
from dataclasses import dataclass

from envparity_agent.collectors.reads import Reads
from envparity_agent.root import Root

READS = Reads(content=(r"pyvenv\.cfg",))

_VERSION = re.compile(r"\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?")


@dataclass(frozen=True)
class Configuration:
    """What a pyvenv.cfg says; paths are relative to the root."""

    home: str
    base_prefixes: tuple[str, ...]  # where the base interpreter may be, the likeliest first
    version: str
    creator: str
    system_site: bool

    @property
    def short_version(self) -> str:
        """X.Y, empty where the file does not say."""
        return ".".join(self.version.split(".")[:2])


def read_configuration(root: Root, prefix: str) -> Configuration | None:
    """Parse a pyvenv.cfg; None where it has no `home` and so makes no venv; raises Unreadable."""
    fields: dict[str, str] = {}
    content = root.read(f"{prefix}/pyvenv.cfg", cap=64 * 1024)
    for line in content.decode("utf-8", "replace").splitlines():
        key, separator, value = line.partition("=")
        if separator:
            fields[key.strip().lower()] = value.strip()
    if not fields.get("home"):
        return None
    version = _VERSION.match(fields.get("version_info") or fields.get("version", ""))
    home = fields["home"].strip("/")
    executables = (fields.get(key, "").strip("/") for key in ("base-executable", "executable"))
    candidates = (
        home.rpartition("/")[0],
        home,  # virtualenv before 20.16 wrote the prefix itself
        *(fields[key].strip("/") for key in ("base-prefix",) if key in fields),
        *(path.rpartition("/")[0].rpartition("/")[0] for path in executables if path),
        # /bin is /usr/bin on merged systems
        *(["usr"] if home == "bin" else []),
    )
    return Configuration(
        home=home,
        base_prefixes=tuple(dict.fromkeys(candidates)),
        version=version.group() if version else "",
        creator=next((name for name in ("uv", "virtualenv") if name in fields), "venv"),
        system_site=fields.get("include-system-site-packages", "false").lower() == "true",
    )
