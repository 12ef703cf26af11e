"""Checks that what is kept of metadata is bounded, however much of it there is."""

from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.python.metadata import MAX_REQUIRED, egg_requirements, read_headers
from envparity_agent.fingerprint import Reason
from envparity_agent.targets import fingerprint
from tests.agent.trees import distribution, put, venv

LONG = [f"{'x' * 1000}{number}" for number in range(1500)]


def test_what_is_kept_of_many_long_requirements_is_bounded() -> None:
    lines = "".join(f"Requires-Dist: {one}\n" for one in LONG)
    for kept in (
        read_headers(f"Name: a\nVersion: 1\n{lines}\n".encode()).requires,
        egg_requirements("\n".join(LONG).encode()),
    ):
        assert 0 < sum(map(len, kept)) <= MAX_REQUIRED
        assert kept[0] == LONG[0]


def test_an_environment_with_more_metadata_than_any_is_read_up_to_a_cap_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envparity_agent.collectors.python.distributions.MAX_KEPT", 3000)
    site = venv(tmp_path, "app")
    for name in ("a", "b", "c"):
        made = distribution(site, name, "1.0")
        put(made, "METADATA", f"Name: {name}\nVersion: 1.0\nRequires-Dist: {LONG[0]}\nRequires-Dist: {LONG[1]}\n\n")
    [section] = [one for one in fingerprint(str(tmp_path / "app"), Options()).sections.values() if one.kind == "python"]
    assert set(section.items) == {"@python", "a"}
    assert section.reasons == (Reason.CAP,)
