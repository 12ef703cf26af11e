"""The story of the demo fleet: which host was in which of the recorded states since when."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from envparity_agent.canonical import decode
from envparity_agent.documents import from_document
from envparity_agent.fingerprint import Fingerprint

RECORDED = Path(__file__).with_name("fingerprints.json.gz")  # made by tests/system/record_demo.py

AGAINST = {"demo-dev": "env:demo-prod", "demo-test": "env:demo-prod", "demo-prod": None}  # what each is to be like


@dataclass(frozen=True)
class DemoHost:
    """A host with its story: days before now -> the state that it was in from then on."""

    name: str
    environment: str
    role: str
    story: Mapping[float, str]


FLEET = (
    DemoHost("demo-web-1", "demo-prod", "web", {6: "released"}),
    DemoHost("demo-web-2", "demo-prod", "web", {6: "released", 1.4: "patched"}),  # by hand, at night
    DemoHost("demo-web-3", "demo-prod", "web", {6: "released"}),
    DemoHost("demo-worker-1", "demo-prod", "worker", {6: "older"}),  # nobody upgraded it: an older openssl
    DemoHost("demo-test-1", "demo-test", "web", {5: "released"}),
    DemoHost("demo-test-2", "demo-test", "web", {5: "released", 0.6: "incomplete"}),  # lost a module
    DemoHost("demo-test-3", "demo-test", "web", {5: "released"}),
    DemoHost("demo-dev-1", "demo-dev", "web", {6: "released", 3: "developed"}),
    DemoHost("demo-dev-2", "demo-dev", "web", {4: "developed"}),
    DemoHost("demo-dev-3", "demo-dev", "web", {2: "newer"}),  # the next Debian, tried out
)


@cache
def states() -> Mapping[str, Fingerprint]:
    """The recorded states by name."""
    recorded = decode(gzip.decompress(RECORDED.read_bytes()))
    return {name: from_document(document) for name, document in recorded.items()}
