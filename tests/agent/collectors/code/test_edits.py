"""Random edits of a repository: it is dirty exactly where git says so, and equal states have equal changes."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent.collectors.code.repositories import Work, committed

PATHS = ("shop.py", "lib/prices.py", "lib/new.py", "lib/deep/er/names.py", "build/out.py", "a.pyc", "kept.pyc", "run")
CONTENTS = ("", "print('shop')\n", "print('SHOP')\n", "PRICE = 1\n", "#!/bin/sh\n", "one\r\ntwo\r\n")


def _place(work: Work, path: str) -> Path | None:
    """Where a path is, None where something else is in its way."""
    place = work.top / path
    blocked = any(above.is_symlink() or (above.exists() and not above.is_dir()) for above in place.parents)
    return None if blocked or place.is_dir() else place


def _write(work: Work, path: str, content: str) -> None:
    place = _place(work, path)
    if place:
        if place.is_symlink():
            place.unlink()
        work.put(path, content)


def _delete(work: Work, path: str, _: str) -> None:
    place = _place(work, path)
    if place:
        place.unlink(missing_ok=True)


def _program(work: Work, path: str, _: str) -> None:
    place = _place(work, path)
    if place and place.exists() and not place.is_symlink():
        place.chmod(0o755)


def _link(work: Work, path: str, content: str) -> None:
    place = _place(work, path)
    if place:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(content.strip() or "nowhere")


def _ignore(work: Work, path: str, _: str) -> None:
    work.put(".gitignore", f"*.pyc\n{path.rpartition('/')[2]}\n")


def _add(work: Work, path: str, _: str) -> None:
    work.git("add", path, check=False)


def _announce(work: Work, path: str, _: str) -> None:
    work.git("add", "-N", path, check=False)


def _forget(work: Work, path: str, _: str) -> None:
    work.git("rm", "-q", "--cached", path, check=False)


def _commit(work: Work, *_: str) -> None:
    work.commit()


def _reset(work: Work, *_: str) -> None:
    work.git("reset", "-q", "--hard")


def _pack(work: Work, *_: str) -> None:
    work.git("gc", "-q")


EDITS: tuple[Callable[[Work, str, str], None], ...] = (
    _write, _delete, _program, _link, _ignore, _add, _announce, _forget, _commit, _reset, _pack,
)  # fmt: skip
edits = st.lists(
    st.tuples(st.sampled_from(EDITS), st.sampled_from(PATHS), st.sampled_from(CONTENTS)), min_size=1, max_size=8
)


def _is_dirty_as_git_says(template: Work, made: list[tuple[Callable[[Work, str, str], None], str, str]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        work = Work(Path(place))
        shutil.copytree(template.top, work.top, symlinks=True)
        for edit, path, content in made:
            edit(work, path, content)
        before = work.told()
        assert (before[0].get("commit"), before[0]["dirty"], before[1]) == (work.head(), work.is_dirty(), set())
        work.settle()
        assert work.told() == before
        copy = Work(Path(place), "srv/copy")
        shutil.copytree(work.top, copy.top, symlinks=True)
        assert copy.told() == before


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Work:
    return committed(tmp_path_factory.mktemp("template"))


@settings(max_examples=15)
@given(edits)
def test_a_checkout_is_dirty_where_git_says_so(
    template: Work, made: list[tuple[Callable[[Work, str, str], None], str, str]]
) -> None:
    _is_dirty_as_git_says(template, made)


@pytest.mark.long
@settings(max_examples=400)
@given(edits)
def test_a_checkout_is_dirty_where_git_says_so_after_many_edits(
    template: Work, made: list[tuple[Callable[[Work, str, str], None], str, str]]
) -> None:
    _is_dirty_as_git_says(template, made)
