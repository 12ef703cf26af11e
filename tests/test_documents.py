"""What the README and the examples say is there: verbs, options, settings, the version, the two commands."""

import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from envparity_agent import __version__
from envparity_agent.config import AgentSettings, agent_settings
from envparity_server.settings import ServerSettings, server_settings

ROOT = Path(__file__).parent.parent
PROGRAM = Path(sys.executable).with_name("envparity")
DOCUMENTS = ("README.md", "examples/github-gate.yml", "examples/envparity-agent.service")

_COMMAND = re.compile(r"(?:^|[\s`/])envparity ((?:[a-z]+)(?: [^`\n#|>]*)?)")


def _commands() -> list[tuple[str, str]]:
    found = []
    for name in DOCUMENTS:
        text = (ROOT / name).read_text("utf-8")
        lines = [*re.findall(r"`([^`\n]+)`", text), *text.splitlines()]
        found += [(name, match.group(1).strip()) for line in lines for match in _COMMAND.finditer(f" {line}")]
    prose = ("agents", "agent:")
    return sorted({(name, command) for name, command in found if not command.startswith(prose)})


@cache
def _help(*verbs: str) -> str:
    shown = subprocess.run(
        [PROGRAM, *verbs, "--help"], capture_output=True, text=True, check=False, env={"COLUMNS": "200", "PATH": "/bin"}
    )
    assert shown.returncode == 0, f"envparity {' '.join(verbs)}: {shown.stderr}"
    return shown.stdout


@pytest.mark.parametrize(("document", "command"), _commands())
def test_every_command_in_a_document_is_one(document: str, command: str) -> None:
    words = shlex.split(command)
    verbs = words[:2] if words[0] in ("agent", "server") and len(words) > 1 else words[:1]
    shown = _help(*verbs)
    for option in (word.partition("=")[0] for word in words if word.startswith("--")):
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", shown), f"{document}: {option} of {command}"


def test_documents_have_commands_to_check() -> None:
    assert len(_commands()) > 15


def test_the_examples_files_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVPARITY_CONFIG", str(ROOT / "examples/agent.toml"))
    monkeypatch.setenv("ENVPARITY_SERVER_CONFIG", str(ROOT / "examples/server.toml"))
    assert agent_settings().python == {"shop": "/srv/shop/.venv"}
    with pytest.raises(Exception, match=r"cannot read /etc/envparity/database-url"):
        server_settings()  # every key was accepted; the file that it names is not on this machine
    assert server_settings(database_url_file="/dev/null").listen_port == 8765


@pytest.mark.parametrize("setting", [*AgentSettings.__dataclass_fields__, *ServerSettings.model_fields])
def test_every_setting_is_documented(setting: str) -> None:
    assert re.search(rf"`\[?{setting}\]?`", (ROOT / "README.md").read_text("utf-8")), setting


def test_the_example_has_every_setting_of_the_agent() -> None:
    example = tomllib.loads((ROOT / "examples/agent.toml").read_text("utf-8"))
    assert example.keys() == AgentSettings.__dataclass_fields__.keys()


def test_the_changelog_has_this_version() -> None:
    assert f"## {__version__} " in (ROOT / "CHANGELOG.md").read_text("utf-8")
