"""Tests of hashing a directory of code: what lies in it counts, and not what tools made from it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from envparity_agent.collectors.code.files import Budget, settled
from envparity_agent.collectors.code.tree import Tree, limits, tree
from envparity_agent.collectors.memory import Memory
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root
from tests.agent.trees import put, venv
from tests.agent.unprivileged import told_without_privileges


def made(root: Path) -> Path:
    """A root with a small application."""
    put(root, "srv/shop/shop.py", "print('shop')\n")
    put(root, "srv/shop/lib/prices.py", "PRICE = 1\n")
    (root / "srv/shop/current").symlink_to("lib/prices.py")
    (root / "srv/other").symlink_to("shop.py")
    return root


def read(root: Path, budget: Budget | None = None, memory: Memory | None = None) -> Tree:
    with Root(os.fspath(root)) as opened:
        return tree(opened, "srv/shop", memory or Memory(), budget or limits())


Change = Callable[[Path], object]

COUNTS: dict[str, Change] = {
    "another content": lambda shop: put(shop, "shop.py", "print('SHOP')\n"),
    "CRLF": lambda shop: put(shop, "shop.py", "print('shop')\r\n"),
    "a file more": lambda shop: put(shop, "lib/new.py"),
    "a file less": lambda shop: (shop / "shop.py").unlink(),
    "a file elsewhere": lambda shop: (shop / "shop.py").rename(shop / "lib/shop.py"),
    "a program": lambda shop: (shop / "shop.py").chmod(0o755),
    "another target": lambda shop: os.replace(shop / "../other", shop / "current"),
    "a file in the place of a symlink": lambda shop: os.replace(put(shop, "../file", "PRICE = 1\n"), shop / "current"),
}

DOES_NOT_COUNT: dict[str, Change] = {
    "times": lambda shop: os.utime(shop / "shop.py", (1, 1)),
    "an empty directory": lambda shop: (shop / "empty").mkdir(),
    "what Python compiled": lambda shop: (put(shop, "__pycache__/shop.cpython-311.pyc", "x"), put(shop, "old.pyc")),
    "a virtual environment": lambda shop: venv(shop, "anything"),
    "what npm fetched": lambda shop: put(shop, "node_modules/left-pad/index.js"),
    "a repository": lambda shop: put(shop, ".git/HEAD", "ref: refs/heads/main\n"),
    "variables of the environment": lambda shop: put(shop, ".env", "PASSWORD=secret\n"),
    "a FIFO": lambda shop: os.mkfifo(shop / "pipe"),
}


@pytest.mark.parametrize("change", COUNTS)
def test_another_hash_comes_of(change: str, tmp_path: Path) -> None:
    before = read(made(tmp_path))
    COUNTS[change](tmp_path / "srv/shop")
    assert read(tmp_path).hash != before.hash


@pytest.mark.parametrize("change", DOES_NOT_COUNT)
def test_the_same_hash_comes_in_spite_of(change: str, tmp_path: Path) -> None:
    before = read(made(tmp_path))
    DOES_NOT_COUNT[change](tmp_path / "srv/shop")
    assert read(tmp_path) == before


def test_files_are_told_by_the_sha256_of_their_content(tmp_path: Path) -> None:
    found = read(made(tmp_path))
    assert found.files == {
        "lib/prices.py": "sha256:cba35c905acfb4dac7e6ce5348dc5034cbafdaae5ffc1b951414f6fc3cb60a60",
        "shop.py": "sha256:340b8e0231aef8061d06933b4baac0e764383ad1c9f5d86b467b67ff9b3f1326",
    }
    assert found.reasons == set()


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert read(tmp_path).reasons == {Reason.VANISHED}


@pytest.mark.parametrize("budget", [Budget(files=2), Budget(bytes=15)])
def test_what_is_beyond_the_budget_is_not_read_and_said(budget: Budget, tmp_path: Path) -> None:
    assert read(made(tmp_path), budget).reasons == {Reason.CAP}


def test_a_symlink_is_not_followed(tmp_path: Path) -> None:
    root = made(tmp_path / "root")
    put(tmp_path, "outside/secret.py", "secret")
    (root / "srv/shop/outside").symlink_to(tmp_path / "outside")
    (root / "srv/shop/secret.py").symlink_to(tmp_path / "outside/secret.py")
    assert sorted(read(root).files) == ["lib/prices.py", "shop.py"]


def test_what_may_not_be_read_is_said_and_the_rest_stands(tmp_path: Path) -> None:
    root = made(tmp_path / "root")
    (root / "srv/shop/lib").chmod(0o700)
    script = """
from envparity_agent.collectors.code.tree import limits, tree
from envparity_agent.collectors.memory import Memory
found = tree(root, "srv/shop", Memory(), limits())
print(*found.files, *found.reasons)
"""
    assert told_without_privileges(root, script) == "shop.py permission"


def test_a_file_that_changed_just_now_is_not_remembered_as_it_may_change_again_unseen(tmp_path: Path) -> None:
    assert settled(put(tmp_path, "new").stat()) is None
    assert settled(Path(os.__file__).stat()) is not None


def test_what_did_not_change_is_remembered() -> None:
    status = Path(json.__file__).stat()  # a file that is older than this test
    memory = Memory()
    memory.recall(("content", status.st_dev, status.st_ino), settled(status), lambda: "sha256:remembered")
    with Root(os.fspath(Path(os.__file__).parent)) as root:
        assert tree(root, "json", memory, limits()).files["__init__.py"] == "sha256:remembered"
