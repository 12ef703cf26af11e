"""Tests of the judgement whether a container runs what its tag points at: only like digests are compared."""

import pytest

from envparity_agent.fingerprint import Attributes
from envparity_server.storage.tags import Pointed
from envparity_server.tags.judging import Moved, judged

OLD, NEW, OTHER = (f"sha256:{letter * 64}" for letter in "abc")
AMD64 = "linux/amd64"
INDEXED = Pointed(NEW, "index", {AMD64: {"manifest": f"{NEW}m", "config": f"{NEW}c"}})
LONE = Pointed(NEW, "manifest", {"": {"manifest": NEW, "config": f"{NEW}c"}})


@pytest.mark.parametrize(
    ("image", "pointed", "moved"),
    [
        ({"repo_digests": (f"shop@{NEW}",)}, INDEXED, Moved.SAME),
        ({"repo_digests": (f"mirror/shop@{OLD}", f"shop@{NEW}")}, LONE, Moved.SAME),
        ({"index": NEW}, INDEXED, Moved.SAME),
        ({"manifest": NEW}, LONE, Moved.SAME),
        # the repository's digest is of no certain kind: that it is another one tells nothing
        ({"repo_digests": (f"shop@{OLD}",)}, INDEXED, Moved.UNKNOWN),
        ({"repo_digests": (f"shop@{OLD}",), "config": f"{NEW}c"}, INDEXED, Moved.SAME),
        ({"repo_digests": (f"shop@{OLD}",), "config": OLD}, INDEXED, Moved.MOVED),
        # a build with other attestations: another index, the same manifest
        ({"index": OLD, "manifest": f"{NEW}m"}, INDEXED, Moved.SAME),
        ({"index": OLD}, INDEXED, Moved.UNKNOWN),
        ({"index": OLD, "manifest": OLD}, INDEXED, Moved.MOVED),
        # repackaged by another tool: another manifest, the same configuration
        ({"manifest": OLD, "config": f"{NEW}c"}, LONE, Moved.SAME),
        ({"manifest": OLD}, LONE, Moved.MOVED),
        # a config digest is held against no manifest digest
        ({"config": OLD}, Pointed(NEW, "manifest", {"": {"manifest": NEW}}), Moved.UNKNOWN),
        ({"platform": "linux/arm64", "manifest": OLD}, INDEXED, Moved.UNKNOWN),
        ({"manifest": OLD}, Pointed(NEW, "index", {AMD64: {}}), Moved.UNKNOWN),
        ({}, INDEXED, Moved.UNKNOWN),
    ],
)
def test_only_digests_of_like_kind_are_compared(image: Attributes, pointed: Pointed, moved: Moved) -> None:
    found, why = judged({"platform": AMD64, **image}, pointed)
    assert found == moved, why
    assert why
