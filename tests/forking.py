"""Runs `envparity` in processes forked from one that has loaded every verb: what a run costs is the run."""

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from envparity_agent.canonical import decode
from envparity_agent.cli import main

PROGRAM = Path(sys.executable).with_name("envparity")
LONGEST_RUN = 300.0
_VERBS = [entry.module for entry in entry_points(group="envparity.commands")]
# https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "tests.forking", *_VERBS, "envparity_server.storage.database"])


@dataclass(frozen=True)
class Ended:
    """How a run ended, and what it printed."""

    exit_code: int
    output: str
    complaint: str

    @property
    def document(self) -> Any:
        """The output as JSON, which it has to be in the strict sense."""
        decode(self.output.encode())
        return json.loads(self.output)


def envparity(
    *arguments: str | Path, environment: Mapping[str, str], standard_input: str = "", directory: Path | None = None
) -> Ended:
    """Run the command with these variables and no other."""
    if not PROGRAM.exists():
        pytest.skip("the program envparity is missing: pip install -e .")
    with TemporaryDirectory() as home:
        streams = [Path(home, name) for name in ("input", "output", "complaint")]
        streams[0].write_text(standard_input)
        words = [str(PROGRAM), *map(str, arguments)]
        process = PROCESSES.Process(target=_run, args=(words, dict(environment), streams, directory or Path.cwd()))
        process.start()
        process.join(LONGEST_RUN)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(words, LONGEST_RUN)
        return Ended(process.exitcode, streams[1].read_text(), streams[2].read_text())


def _run(words: list[str], environment: Mapping[str, str], streams: list[Path], directory: Path) -> None:
    """Become the program, as nearly as a process can that was not started as one."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for descriptor, (path, mode) in enumerate(zip(streams, "rww", strict=True)):
        os.dup2(os.open(path, os.O_RDONLY if mode == "r" else os.O_WRONLY | os.O_CREAT), descriptor)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(descriptor, mode, encoding="utf-8", errors="surrogateescape", closefd=False)
        for descriptor, mode in enumerate("rww")
    )
    sys.argv = words
    main()
