"""Tests of the order of versions, on the examples of the manuals that define it."""

from itertools import pairwise

import pytest

from envparity_agent.fingerprint import Attributes
from envparity_server.compare.order import place_of_version

# each in its order, the oldest first
PYTHON = ("1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0+local", "1.0.post1", "1.2", "1.10", "1!0.1")
DEBIAN = (
    "1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-0ubuntu1", "1.0-1~deb12u1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0a",
    "1.0+dfsg-1", "1.2", "1.10", "1:0.5",
)  # fmt: skip
RPM = ("1.0~beta1-1", "1.0-1", "1.0-1.el9", "1.0^git1-1", "1.0.a-1", "1.0.1-1", "1.2-1", "1.10-1", "1:0.5-1")


@pytest.mark.parametrize(
    ("kind", "more", "versions"),
    [("python", {}, PYTHON), ("os-packages", {"manager": "deb"}, DEBIAN), ("os-packages", {"manager": "rpm"}, RPM)],
    ids=["python", "deb", "rpm"],
)
def test_versions_are_in_the_order_of_their_ecosystem(kind: str, more: Attributes, versions: tuple[str, ...]) -> None:
    for one, other in pairwise(versions):
        place, later = (place_of_version(kind, {"version": text, **more}) for text in (one, other))
        assert place is not None
        assert place < later, (one, other)


def test_what_is_written_otherwise_can_be_the_same_place() -> None:
    assert place_of_version("python", {"version": "1.0"}) == place_of_version("python", {"version": "1.0.0"})
    one, other = ({"version": text, "manager": "deb"} for text in ("1.0", "0:1.00-0"))
    assert place_of_version("os-packages", one) == place_of_version("os-packages", other)


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("python", {"version": "no version"}),
        ("python", {"version": "9" * 5000}),
        ("python", {"content": "sha256:00"}),
        ("os-packages", {"version": "1.0-r1", "manager": "apk"}),
        ("os-packages", {"version": "9" * 5000, "manager": "deb"}),
        ("os-packages", {"version": "9" * 5000, "manager": "rpm"}),
        ("machine", {"version": "6.1.0"}),
    ],
)
def test_what_nobody_orders_has_no_place(kind: str, item: Attributes) -> None:
    assert place_of_version(kind, item) is None
