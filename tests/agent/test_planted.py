"""Checks that no secret of an application is in what an agent would send, with a key and without one."""

import json
import re
from pathlib import Path

import pytest

from tests.agent.collectors.answers import running_engine
from tests.agent.commands import envparity
from tests.agent.planted import FILES, plant, secrets
from tests.agent.trees import put


def settings(place: Path, key: str | None) -> str:
    """The path of settings with everything that can be asked for switched on."""
    lines = [
        f"files = {json.dumps(FILES)}",
        'labels = ["org.example.*"]',
        "symbols = true",
        "verify = true",
        'python = {shop = "/srv/shop/.venv"}',
        'applications = {shop = "/srv/shop"}',
    ]
    if key:
        put(place, "key", key).chmod(0o600)
        lines.insert(0, f"key_file = {json.dumps(str(place / 'key'))}")
    return str(put(place, "agent.toml", "\n".join(lines)))


@pytest.mark.parametrize("key", [None, "0123456789abcdef" * 4])
def test_no_planted_secret_is_in_what_is_sent(tmp_path: Path, key: str | None) -> None:
    root = tmp_path / "root"
    planted = plant(root)
    with running_engine() as engine:
        engine.answers |= planted.answers
        arguments = ("--json", "--root", str(root), "--docker", engine.url)
        ended = envparity("show", *arguments, ENVPARITY_CONFIG=settings(tmp_path, key))
        text = envparity("show", *arguments[1:], ENVPARITY_CONFIG=settings(tmp_path, key))
    assert ended.returncode == text.returncode == 0, ended.stderr
    sent = ended.stdout + ended.stderr + text.stdout + text.stderr
    assert [one for one in secrets() if one in sent] == []
    found = json.loads(ended.stdout)["sections"]
    assert {"config/srv/shop/.env", "service/shop", "container/shop.web", "python/shop"} <= found.keys()
    told = found["config/srv/shop/.env"]
    assert told["reasons"] == ([] if key else ["no-key"])
    assert told["items"]["PASSWORD"].keys() == ({"hmac", "key"} if key else {"hidden"})
    assert found["service/shop"]["items"]["command"]["command"].endswith("gunicorn --token … --dsn=… shop:app")


def test_each_secret_is_planted_somewhere(tmp_path: Path) -> None:
    planted = plant(tmp_path)
    files = "".join(path.read_text("latin-1") for path in tmp_path.rglob("*") if path.is_file())
    there = files + json.dumps({path: one for path, one in planted.answers.items() if not isinstance(one, bytes)})
    assert len(set(secrets())) == 40
    assert [one for one in secrets() if one not in there] == []


@pytest.mark.parametrize("target", ["srv/shop/requirements.txt", "root"])
def test_no_planted_secret_is_in_other_targets(tmp_path: Path, target: str) -> None:
    plant(tmp_path)
    named = f"root:{tmp_path}" if target == "root" else str(tmp_path / target)
    ended = envparity("show", named, "--json", ENVPARITY_CONFIG=settings(tmp_path / "settings", None))
    assert ended.returncode == 0, ended.stderr
    assert [one for one in secrets() if one in ended.stdout + ended.stderr] == []


def test_a_key_is_random_and_the_advice_is_beside_it() -> None:
    one, other = envparity("agent", "key"), envparity("agent", "key")
    assert re.fullmatch(r"[0-9a-f]{64}\n", one.stdout)
    assert one.stdout != other.stdout
    assert "key_file" in one.stderr


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ("0" * 64, 0o644, "everybody on this host can read the key"),
        ("0" * 8, 0o600, "too short to be one"),
    ],
)
def test_a_key_that_is_no_secret_is_refused(tmp_path: Path, content: str, mode: int, words: str) -> None:
    path = settings(tmp_path, content)
    (tmp_path / "key").chmod(mode)
    ended = envparity("show", f"root:{tmp_path}", ENVPARITY_CONFIG=path)
    assert ended.returncode == 2
    assert words in ended.stderr


def test_a_key_that_a_group_may_read_is_taken(tmp_path: Path) -> None:
    path = settings(tmp_path, "0" * 64)
    (tmp_path / "key").chmod(0o640)
    assert envparity("show", f"root:{tmp_path}", ENVPARITY_CONFIG=path).returncode == 0
