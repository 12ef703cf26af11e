"""Writes declaring files, and reads them as a person names them."""

from pathlib import Path

from envparity_agent.collectors.interface import Options
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Attributes, Fingerprint, Section
from envparity_agent.targets import fingerprint
from tests.agent.trees import put


def read(place: Path, name: str, content: str | bytes, options: Options | None = None) -> Fingerprint:
    """The fingerprint of a file with this content."""
    return fingerprint(str(put(place, name, content)), options or Options())


def packages(place: Path, name: str, content: str | bytes) -> Section:
    """The one section of a file that declares packages."""
    [section] = read(place, name, content).sections.values()
    return section


def only(items: dict[str, Attributes] | object, *attributes: str) -> dict[str, dict[str, object]]:
    """The items with these attributes alone; those of the file itself left out."""
    assert isinstance(items, dict)
    return {
        name: {key: value for key, value in body.items() if key in attributes}
        for name, body in items.items()
        if not name.startswith("@")
    }


def refusal(place: Path, name: str, content: str | bytes) -> str:
    """What is said of a file that cannot be read; empty for one that can."""
    try:
        read(place, name, content)
    except UsageError as problem:
        return str(problem).replace(f"{place}/", "")
    return ""
