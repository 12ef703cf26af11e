"""What the README and the examples say is there: verbs, options, settings, the version, the two commands."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import typer

from envparity_agent import __version__, cli
from envparity_agent.config import AgentSettings, agent_settings
from envparity_server.settings import ServerSettings, server_settings

ROOT = Path(__file__).parent.parent
PROGRAM = Path(sys.executable).with_name("envparity")
DOCUMENTS = (
    "README.md", "examples/github-gate.yml", "examples/gitlab-gate.yml", "examples/pre-commit-gate.yaml",
    "examples/envparity-agent.service",
)  # fmt: skip

_COMMAND = re.compile(r"(?:^|[\s`/])envparity ((?:[a-z]+)(?: [^`\n#|>]*)?)")


def _commands() -> list[tuple[str, str]]:
    found = []
    for name in DOCUMENTS:
        text = (ROOT / name).read_text("utf-8")
        lines = [*re.findall(r"`([^`\n]+)`", text), *text.splitlines()]
        found += [(name, match.group(1).strip()) for line in lines for match in _COMMAND.finditer(f" {line}")]
    prose = ("agents", "agent:")
    return sorted({(name, command) for name, command in found if not command.startswith(prose)})


def _verb(words: list[str]) -> list[str]:
    """The words of a command line that name a verb, without what it is given."""
    named = [list(verb) for verb in VERBS if words[: len(verb)] == list(verb)]
    assert named, f"envparity has no verb {' '.join(words[:3])}"
    return max(named, key=len)


def _leaves(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every verb with its words: a group is one as well, by the help that lists its own."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():  # typer brings a click of its own, or uses click's
        yield from _leaves(inner, *path, name)


def _verbs() -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for entry in (*cli._OWN, *entry_points(group=cli._GROUP)):
        loaded = entry.load()
        group = loaded if isinstance(loaded, typer.Typer) else typer.Typer()
        if group is not loaded:
            group.command(entry.name)(loaded)
        found |= dict(_leaves(typer.main.get_command(group), entry.name))
    return found


VERBS = _verbs()


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
    shown = _help(*_verb(words))
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


@pytest.mark.parametrize(
    "verb", [verb for verb, command in VERBS.items() if not hasattr(command, "commands")], ids=" ".join
)
def test_every_verb_is_documented_and_its_help_has_an_example(verb: tuple[str, ...]) -> None:
    name = f"envparity {' '.join(verb)}"
    assert re.search(rf"{re.escape(name)}\b", (ROOT / "README.md").read_text("utf-8")), f"the README lacks {name}"
    assert re.search(rf"\s{re.escape(name)}\b", VERBS[verb].help or ""), f"the help of {name} lacks an example"


def test_the_example_has_every_setting_of_the_agent() -> None:
    example = tomllib.loads((ROOT / "examples/agent.toml").read_text("utf-8"))
    assert example.keys() == AgentSettings.__dataclass_fields__.keys()


def test_the_changelog_has_this_version() -> None:
    assert f"## {__version__} " in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_example_has_every_setting_of_the_server() -> None:
    example = tomllib.loads((ROOT / "examples/server.toml").read_text("utf-8"))
    assert example.keys() == ServerSettings.model_fields.keys() - {"database_url"}  # of the file that holds it
