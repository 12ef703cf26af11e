"""What it costs to hold two environments of a thousand packages against each other."""

from collections.abc import Iterator
from pathlib import Path

from deepdiff import DeepDiff

from envparity_agent.fingerprint import Attributes, Fingerprint, Section, Target
from envparity_server.compare.differences import compare
from tests.performance.measuring import Figure, in_process, side_by_side
from tests.performance.peers import Peers

PACKAGES, CHANGED = 1000, 10


def comparing(_home: Path, _peers: Peers) -> Iterator[Figure]:
    """Ten of a thousand packages changed; the hashes of the sections are there, as in a store."""
    left, right = _environment(changed=0), _environment(changed=CHANGED)
    assert left.root != right.root  # computes the hashes
    before, after = (
        {name: dict(body) for name, body in one.sections["python/app"].items.items()} for one in (left, right)
    )
    ours = in_process(lambda: compare(left, right))
    whole = in_process(lambda: DeepDiff(before, after))
    yield side_by_side(f"{PACKAGES} packages, {CHANGED} changed", ours, "DeepDiff of the whole", whole, 0.03)


def _environment(changed: int) -> Fingerprint:
    def body(number: int) -> Attributes:
        minor = 1 if number < changed else 0
        return {"version": f"1.{minor}.{number}", "content": f"sha256:{number:064x}{minor}", "tags": ("py3-none-any",)}

    items = {f"package-{number:04}": body(number) for number in range(PACKAGES)}
    section = Section("python/app", "python", 1, items)
    return Fingerprint(Target("python", "app"), "2026-11-01T12:00:00+00:00", {section.path: section})
