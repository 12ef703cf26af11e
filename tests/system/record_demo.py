"""Records the demo fleet anew: python -m tests.system.record_demo, as root, with debootstrap.

Real Debian roots with real virtual environments are fingerprinted as an agent does it, each in the states that
`envparity_server.demo.fleet` tells its story with; nothing of the machine that records stays in them.
"""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from envparity_server.demo.fleet import RECORDED
from tests.system import wheels as pins
from tests.system.cache import cache_directory
from tests.system.commands import run_in_root
from tests.system.installs import install_packages, make_environment
from tests.system.roots import copy_root
from tests.system.wheels import cached_wheels
from tests.system.workspaces import workspace

SHOP = "/srv/shop/.venv"


def fingerprint(root: Path) -> dict[str, Any]:
    """What the agent sees in a root, without what tells where and when that was."""
    command = [str(Path(sys.executable).with_name("envparity")), "show", f"root:{root}", "--json"]
    document: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    document["target"] = {"kind": "host", "name": "demo"}
    for section in document["sections"].values():
        section["observed"] = {}
    return document | {"identity": {}, "observed": {}, "taken_at": "2026-01-01T00:00:00+00:00"}


def record(home: Path) -> dict[str, dict[str, Any]]:
    """Every state by its name."""
    wheels, roots = cached_wheels(cache_directory()), cache_directory() / "roots"
    states = {}
    web = copy_root(roots / "bookworm", home / "web")
    make_environment(web, SHOP, wheels.python_3_11, pins.SHOP)
    states["released"] = fingerprint(web)
    install_packages(web, SHOP, wheels.python_3_11, (pins.IDNA_ON_DEV,))
    states["patched"] = fingerprint(web)
    install_packages(web, SHOP, wheels.python_3_11, (pins.IDNA,))
    run_in_root(web, f"{SHOP}/bin/python", "-m", "pip", "uninstall", "--quiet", "--yes", "markupsafe")
    states["incomplete"] = fingerprint(web)
    install_packages(web, SHOP, wheels.built, (pins.MARKUPSAFE,))
    install_packages(web, SHOP, wheels.python_3_11, (pins.ONLY_ON_DEV,))
    states["developed"] = fingerprint(web)
    old = copy_root(roots / "bullseye", home / "old")
    make_environment(old, SHOP, wheels.python_3_9, pins.SHOP)
    states["older"] = fingerprint(old)
    new = copy_root(roots / "trixie", home / "new")
    make_environment(new, SHOP, wheels.python_3_13, pins.SHOP_FOR_313)
    states["newer"] = fingerprint(new)
    return states


if __name__ == "__main__":
    with workspace("demo") as home:
        body = json.dumps(record(home), sort_keys=True, separators=(",", ":")).encode()
    RECORDED.write_bytes(gzip.compress(body, mtime=0))
