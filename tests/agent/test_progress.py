"""Runs `show` on a real terminal: long work says what it is at, and what is not a terminal sees nothing of it."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.agent.commands import envparity
from tests.agent.trees import distribution, interpreter, system, venv

ENVIRONMENTS, DISTRIBUTIONS = 30, 34
_PROGRAM = "from envparity_agent.cli import main; main()"


def machine(root: Path) -> Path:
    """A root with a thousand distributions in thirty environments."""
    system(root)
    interpreter(root)
    for number in range(ENVIRONMENTS):
        site = venv(root, f"srv/app-{number:02}")
        for other in range(DISTRIBUTIONS):
            distribution(site, f"package{other}", f"1.{number}")
    return root


def on_a_terminal(*arguments: str) -> tuple[str, str]:
    """What a program writes to its terminal, and what to its standard output, which is a pipe."""
    ours, its = pty.openpty()
    environment = {**os.environ, "ENVPARITY_CONFIG": os.devnull, "TERM": "xterm", "COLUMNS": "120"}
    command = (sys.executable, "-c", _PROGRAM, *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=its, env=environment) as started:
        os.close(its)
        output = started.communicate()[0].decode()
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # Linux ends a terminal whose other end is closed so
        pass
    finally:
        os.close(ours)
    assert started.returncode == 0, shown
    return shown.decode(errors="replace"), output


def test_a_machine_with_many_environments_is_read_with_progress_on_the_terminal(tmp_path: Path) -> None:
    shown, output = on_a_terminal("show", f"root:{machine(tmp_path)}")
    assert "reading " in shown
    assert output.count("python/srv/app-") == ENVIRONMENTS
    assert "reading" not in output


def test_what_is_no_terminal_sees_no_progress(tmp_path: Path) -> None:
    ended = envparity("show", f"root:{system(tmp_path)}")
    assert (ended.returncode, ended.stderr) == (0, "")
