"""Checks what can be named as a target, and what is said of what is none."""

import json
import os
from pathlib import Path

import pytest

from envparity_agent.collectors import INSIDE
from envparity_agent.collectors.interface import Options
from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.fingerprint import Status, Target
from envparity_agent.targets import fingerprint
from tests.agent.collectors.answers import CONFIG_DIGEST, compose, container, image, running_engine
from tests.agent.collectors.archives import diff_id, saved, tar_of
from tests.agent.roots import fingerprint_of, whole_root
from tests.agent.trees import distribution, put, system, venv


def test_the_local_host_may_have_its_root_elsewhere(tmp_path: Path) -> None:
    found = fingerprint("local", Options(root=str(system(tmp_path))))
    assert found.target == Target("host", "web-1")
    assert found.sections["containers"].status is Status.ABSENT


def test_a_host_without_a_name_of_its_own_has_its_directorys(tmp_path: Path) -> None:
    (tmp_path / "web-7").mkdir()
    assert fingerprint("local", Options(root=str(tmp_path / "web-7"))).target.name == "web-7"


def test_a_root_directory_is_a_target_without_an_engine(tmp_path: Path) -> None:
    found = fingerprint(f"root:{system(tmp_path)}", Options())
    assert found.target == Target("root", str(tmp_path))
    inside = {"os", "os/settings", "os/libraries", "os-packages", "python"}
    assert set(found.sections) == inside | {"config", "services"}


def test_a_directory_with_an_environment_is_a_target(tmp_path: Path) -> None:
    distribution(venv(tmp_path, "app"), "shop", "1")
    found = fingerprint(str(tmp_path / "app"), Options())
    assert found.target == Target("python", str(tmp_path / "app"))
    [section] = found.sections.values()
    assert section.items["shop"]["version"] == "1"


def test_a_directory_may_be_named_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv(tmp_path, "app")
    monkeypatch.chdir(tmp_path / "app")
    assert fingerprint(".", Options()).target.name == str(tmp_path / "app")


def test_a_fingerprint_file_is_a_target(tmp_path: Path) -> None:
    taken = fingerprint_of(whole_root(tmp_path / "root"))
    put(tmp_path, "taken.json", json.dumps(taken.document(), indent=2))
    read = fingerprint(str(tmp_path / "taken.json"), Options())
    assert (read.root, read.target, read.identity) == (taken.root, taken.target, taken.identity)


def test_a_requirements_file_is_a_target(tmp_path: Path) -> None:
    put(tmp_path, "requirements.txt", "six==1.17.0\n")
    found = fingerprint(str(tmp_path / "requirements.txt"), Options())
    assert found.target.kind == "declared"
    assert found.sections["python/requirements.txt"].items == {"six": {"version": "1.17.0", "line": 1}}


def test_a_requirements_file_may_be_a_pipe() -> None:
    """As the shell hands over `<(pip freeze)`: it can be read once."""
    reading, writing = os.pipe()
    try:
        os.write(writing, b"six==1.17.0\n")
        os.close(writing)
        [section] = fingerprint(f"/dev/fd/{reading}", Options()).sections.values()
    finally:
        os.close(reading)
    assert section.items == {"six": {"version": "1.17.0", "line": 1}}


@pytest.mark.parametrize("content", [b"{", b"{}", b'{"schema": 1}', b'{"schema": NaN}', b'{"schema": 999}'])
def test_a_file_that_is_no_fingerprint_is_named(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "taken.json", content)
    with pytest.raises(UsageError, match=r"taken\.json: "):
        fingerprint(str(tmp_path / "taken.json"), Options())


@pytest.mark.parametrize("content", [b"\x7fELF\xff\xfe", b"\xff", "caf\xe9==1\n".encode("latin-1")])
def test_a_file_that_is_no_text_is_no_target(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "binary", content)
    with pytest.raises(UsageError):
        fingerprint(str(tmp_path / "binary"), Options())


def test_a_file_of_a_terabyte_is_no_target(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(UsageError, match="larger than"):
        fingerprint(str(tmp_path / "large"), Options())


@pytest.mark.parametrize("text", ["nothing/here", "local:host", "weather:x", ""])
def test_what_is_no_target_is_told_with_what_is_one(text: str) -> None:
    with pytest.raises(UsageError, match="no such target") as refused:
        fingerprint(text, Options())
    assert "container:NAME" in refused.value.advice


@pytest.mark.parametrize("text", ["root:/nothing/here", "root:/dev/null"])
def test_a_root_that_is_no_directory_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="as a root"):
        fingerprint(text, Options())


def test_a_container_that_does_not_run_is_read_all_the_same(tmp_path: Path) -> None:
    distribution(venv(system(tmp_path), "app"), "shop", "1")
    stopped = container("a", "web", State={"Status": "exited", "Running": False, "Pid": 0, "StartedAt": "today"})
    with running_engine() as engine:
        engine.has(stopped)
        engine.answers["/containers/web/json"] = stopped
        engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(tmp_path)
        found = fingerprint("container:web", Options(engine=engine.url))
    assert found.sections["python/app"].items["shop"]["version"] == "1"
    observed = found.sections["container/web"].observed
    assert (observed["state"], observed["read_through"]) == ("exited", "archive")


def test_a_container_that_runs_and_one_that_does_not_have_the_same_facts(tmp_path: Path) -> None:
    """Whether it runs is what moves by itself: it is observed, and not compared."""
    system(tmp_path)
    roots = []
    for state in ("running", "exited"):
        one = container("a", "web", State={"Status": state, "Running": False, "Pid": 0, "StartedAt": "today"})
        with running_engine() as engine:
            engine.has(one)
            engine.answers["/containers/web/json"] = one
            engine.answers[f"/containers/{'a' * 64}/archive"] = tar_of(tmp_path)
            roots.append(fingerprint("container:web", Options(engine=engine.url)).root)
    assert roots[0] == roots[1]


def test_an_image_is_a_target_that_nothing_runs_for(tmp_path: Path) -> None:
    distribution(venv(system(tmp_path), "app"), "shop", "1")
    layer = tar_of(tmp_path)
    with running_engine() as engine:
        engine.answers["/images/shop/web:1.4/json"] = image(RootFS={"Layers": [diff_id(layer)]})
        engine.answers[f"/images/{CONFIG_DIGEST}/get"] = saved(layer)
        engine.answers[f"/images/{CONFIG_DIGEST}/history"] = [{"CreatedBy": "/bin/sh -c #(nop) CMD [serve]"}]
        found = fingerprint("image:shop/web:1.4", Options(engine=engine.url))
        assert {method for method, _ in engine.requests} == {"GET"}
    assert found.target == Target("image", "shop/web:1.4")
    assert set(found.sections) == {"image", "image/config", "python/app", *(collector.path for collector in INSIDE)}
    assert found.sections["python/app"].items["shop"]["version"] == "1"
    facts = found.sections["image"].items["image"]
    assert (facts["config"], facts["reference"]) == (CONFIG_DIGEST, "docker.io/shop/web:1.4")
    assert (facts["layers"], facts["history"]) == ((f"00 {diff_id(layer)}",), ("00 CMD",))


def test_an_image_of_which_the_history_is_not_told_is_read_all_the_same(tmp_path: Path) -> None:
    layer = tar_of(system(tmp_path))
    with running_engine() as engine:
        engine.answers["/images/web/json"] = image(RootFS={"Layers": [diff_id(layer)]})
        engine.answers[f"/images/{CONFIG_DIGEST}/get"] = saved(layer)
        engine.answers[f"/images/{CONFIG_DIGEST}/history"] = 403
        assert fingerprint("image:web", Options(engine=engine.url)).sections["os"].status is Status.OK


def test_an_image_that_the_engine_has_not_is_told_with_how_to_fetch_it() -> None:
    with running_engine() as engine, pytest.raises(UsageError, match="no image nothing:1") as refused:
        fingerprint("image:nothing:1", Options(engine=engine.url))
    assert refused.value.advice == "fetch it: docker pull nothing:1"


@pytest.mark.parametrize("target", ["container:web", "image:web"])
def test_nothing_of_an_engine_can_be_told_without_one(tmp_path: Path, target: str) -> None:
    with pytest.raises(CannotTell):
        fingerprint(target, Options(root=str(tmp_path)))


@pytest.mark.parametrize("answer", [404, 500, b"", b"no archive" * 100, None], ids=repr)
def test_an_image_that_cannot_be_read_cannot_be_told(answer: object) -> None:
    with running_engine() as engine:
        engine.answers["/images/web/json"] = image()
        engine.answers[f"/images/{CONFIG_DIGEST}/get"] = answer
        with pytest.raises(CannotTell):
            fingerprint("image:web", Options(engine=engine.url))


def test_a_container_that_is_not_there_is_told_with_those_that_are() -> None:
    with running_engine() as engine:
        engine.has(container("a", "shop-web-1", compose("web")), container("b", "db"))
        with pytest.raises(UsageError, match="no container cache") as refused:
            fingerprint("container:cache", Options(engine=engine.url))
    assert refused.value.advice == "containers: db, shop.web"
