"""Systems as they were recorded: a file each with the files that say what it is, and the golden answer.

They follow the public documentation of each system; of several equal processors one is listed.
"""

import tomllib
from pathlib import Path
from typing import Any

from tests.agent.trees import elf, put

HERE = Path(__file__).parent


def names(folder: str) -> list[str]:
    """The names of what is recorded in a folder."""
    return sorted(path.stem for path in (HERE / folder).glob("*.toml"))


def build(root: Path, folder: str, name: str) -> dict[str, Any]:
    """Write a recorded system below a root; return its golden answer, lists as tuples."""
    recording = tomllib.loads((HERE / folder / f"{name}.toml").read_text())
    for path, content in recording.get("files", {}).items():
        if path.endswith("/"):
            (root / path).mkdir(parents=True)
        else:
            put(root, path, content)
    for path, program in recording.get("programs", {}).items():
        put(root, path, elf(program["machine"], program["text"].encode()))
    for path, target in recording.get("links", {}).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)
    return {
        item: {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}
        for item, body in recording.get("golden", {}).items()
    }
