"""Checks how the walk goes on, what it does not enter, and that a kept state which is none begins anew."""

import math
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from envparity_agent.collectors.python.walk import Pass, Walk, walk
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root
from tests.agent.hanging import hanging_mount
from tests.agent.trees import interpreter, put, venv


def walked(root: Path, done: Walk, budget: float = 60.0, first: tuple[str, ...] = ()) -> Walk:
    with Root(os.fspath(root)) as opened:
        walk(opened, done, first, budget)
    return done


def test_a_pass_goes_on_where_it_stopped(tmp_path: Path) -> None:
    venv(tmp_path, "a/one")
    venv(tmp_path, "b/two")
    half = Walk(current=Pass(places=["a/one"]), pending=["b"])
    assert walked(tmp_path, half).known().places == ["a/one", "b/two", "b/two/lib/python3.11/site-packages"]
    assert half.passes == 1


def test_the_first_pass_is_not_complete_before_its_end_and_the_next_ones_are_beside_it(tmp_path: Path) -> None:
    venv(tmp_path, "a/one")
    done = walked(tmp_path, Walk(), budget=-1)
    assert (done.pending, done.known().reasons) == ([""], [Reason.CAP])
    walked(tmp_path, done)
    assert done.known().reasons == []
    walked(tmp_path, done, budget=-1)
    assert (done.known().reasons, done.known().places[0]) == ([], "a/one")


def test_what_a_pass_no_longer_finds_is_forgotten_at_its_end(tmp_path: Path) -> None:
    done = walked(
        tmp_path, Walk(passes=1, last=Pass(places=["gone"], skipped={"x": "permission"}, reasons=["permission"]))
    )
    assert done.known() == Pass()


def test_directories_that_are_named_come_first(tmp_path: Path) -> None:
    done = walked(tmp_path, Walk(), budget=-1, first=("/srv/", "/data"))
    assert done.pending == ["", "data", "srv"]


def test_nothing_below_a_standard_library_or_what_is_installed_is_walked(tmp_path: Path) -> None:
    library = interpreter(tmp_path, "opt/python")
    put(library, "site-packages/tool/template/pyvenv.cfg", "home = /usr/bin\n")
    put(library, "test/data/pyvenv.cfg", "home = /usr/bin\n")
    assert walked(tmp_path, Walk()).known().places == ["opt/python", "opt/python/lib/python3.11/site-packages"]


def test_a_file_system_that_hangs_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    venv(tmp_path, "srv/app")
    with hanging_mount(tmp_path / "mnt/share"):
        known = walked(tmp_path, Walk()).known()
    assert known.places[0] == "srv/app"
    assert known.skipped == {"mnt/share": "file system of type fuse"}
    assert known.reasons == [Reason.UNSUPPORTED]


_PASS = {"places": ["opt/v"], "skipped": {"mnt": "permission"}, "reasons": ["permission"]}


def _kept(last: object = _PASS, **more: object) -> dict[str, object]:
    return {"passes": 1, "last": last, "current": _PASS, "pending": ["srv"], **more}


def test_a_kept_state_goes_on() -> None:
    assert asdict(Walk.of(_kept())) == _kept()


@pytest.mark.parametrize(
    "kept",
    [
        *(None, [], {}, {"last": {"x": 1}}, {"last": {}, "current": {}, "passes": "many"}),
        *(_kept(passes=math.inf), _kept(pending="srv"), _kept(pending=[1])),
        *(_kept({**_PASS, "places": places}) for places in (None, 5, [None], "opt")),
        *(_kept({**_PASS, "skipped": skipped}) for skipped in (None, ["mnt"], {"mnt": 1})),
        *(_kept({**_PASS, "reasons": reasons}) for reasons in (None, [5])),
    ],
)
def test_a_kept_state_that_is_none_begins_anew(kept: object) -> None:
    assert Walk.of(kept) == Walk()
