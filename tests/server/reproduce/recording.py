"""Writes the goldens anew, for a person to read what changed: python -m tests.server.reproduce.recording"""

from collections.abc import Mapping
from pathlib import Path

from envparity_server.reproduce.reproducing import Lock, reproduce
from tests.server.reproduce.samples import SAMPLES

GOLDENS = Path(__file__).with_name("goldens")


def made(name: str) -> Mapping[str, str]:
    """The files that rebuild a sample."""
    return reproduce(SAMPLES[name], Lock.PYLOCK).files


def record() -> None:
    """Write the files of every sample."""
    for name in SAMPLES:
        (GOLDENS / name).mkdir(parents=True, exist_ok=True)
        for file, text in made(name).items():
            (GOLDENS / name / file).write_text(text)


if __name__ == "__main__":
    record()
