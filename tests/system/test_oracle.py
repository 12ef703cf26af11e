"""What `envparity show` says of this machine, held against the machine's own tools: pip, dpkg, docker, find."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from envparity_agent.fingerprint import clean_text
from tests.system.commands import CommandError, run
from tests.system.components import require_fleet
from tests.system.containers import run_container
from tests.system.engines import Engine
from tests.system.fleet import Fleet
from tests.system.images import WORKER_ENVIRONMENT, WORKER_PACKAGES, build, images_in
from tests.system.registry import Registry
from tests.system.serving import envparity

pytestmark = pytest.mark.system

# a user who may speak to the engine, but not look into the processes of others
WITHOUT_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
TEMPORARY = ("/tmp/", "/var/tmp/")  # noqa: S108  # not written here
_PASSING = [f"{kind}{place}" for kind in ("app", "python") for place in TEMPORARY]  # what other tests have there
Sections = Mapping[str, Mapping[str, Any]]


def _venvs() -> set[str]:
    find = ("find", "/", "-xdev", "-name", "pyvenv.cfg", "-print0")
    listed = os.fsdecode(subprocess.run(find, capture_output=True, check=False).stdout).split("\0")
    return {os.path.dirname(path) for path in listed if path}


@pytest.fixture(scope="module")
def venvs_before() -> set[str]:
    """The directories that have a pyvenv.cfg, before this machine is read."""
    return _venvs()


@pytest.fixture(scope="module")
def sections(venvs_before: set[str]) -> Sections:
    """The sections of this machine's fingerprint."""
    assert venvs_before
    require_fleet()
    shown = envparity("show", "--json")
    assert shown.exit_code == 0, shown.complaint
    found: Sections = shown.document["sections"]
    return found


def _versions(section: Mapping[str, Any]) -> dict[str, str]:
    """Name -> version of what imports: not the interpreter, not what is shadowed."""
    return {
        name: attributes.get("version", "")
        for name, attributes in section["items"].items()
        if not name.startswith("@") and "#" not in name
    }


def test_every_pyvenv_cfg_that_find_finds_is_an_environment(venvs_before: set[str], sections: Sections) -> None:
    skipped = tuple(f"/{path}/" for path in sections["python"]["items"])
    lasting = venvs_before & _venvs()  # what other programs make and remove meanwhile is left out
    expected = {prefix for prefix in lasting if not f"{prefix}/".startswith(skipped) and not _is_of_a_test(prefix)}
    assert expected
    assert {clean_text(f"python{prefix}") for prefix in expected} <= sections.keys()


def _is_of_a_test(prefix: str) -> bool:
    """Whether a test of the search left it below a library directory, which is not searched."""
    return prefix.startswith(TEMPORARY) and "/lib/python" in prefix


def test_every_interpreter_has_its_own_site_directory_shown(sections: Sections) -> None:
    stdlib = os.path.dirname(os.__file__)
    assert f"python{stdlib}" in sections
    assert sections[f"python{stdlib}"]["items"]["@python"]["version"] == sys.version.split()[0]


def _inspected(interpreter: str) -> dict[str, str] | None:
    """Name -> version as pip tells them, None where pip does not run with that Python any more."""
    try:
        told = run(
            sys.executable, "-m", "pip", "--python", interpreter, "inspect",
            environment={"PATH": "/usr/bin:/bin", "HOME": "/root", "PYTHONNOUSERSITE": "1"},
        )  # fmt: skip
    except CommandError:
        return None
    found: dict[str, str] = {}
    for one in json.loads(told)["installed"]:
        found.setdefault(canonicalize_name(one["metadata"]["name"]), one["metadata"]["version"])
    return found


def test_names_and_versions_are_those_of_pip_inspect(sections: Sections) -> None:
    agreed = 0
    for path, section in sections.items():
        facts = section["items"].get("@python", {})
        prefix = path.removeprefix("python")
        if facts.get("role") == "interpreter":
            prefix = prefix.rpartition("/lib")[0]
        interpreter = f"{prefix}/bin/python{facts.get('abi', '')}"
        if facts.get("role") not in ("venv", "interpreter") or not os.access(interpreter, os.X_OK):
            continue
        if prefix.startswith(TEMPORARY) and prefix != sys.prefix:
            continue  # what other tests have there comes and goes
        told = _inspected(interpreter)
        if told is None:
            continue
        assert _versions(section) == told, f"{path} against pip inspect of {interpreter}"
        agreed += 1
    assert agreed >= 1


def test_os_packages_are_those_that_dpkg_shows_as_installed(sections: Sections) -> None:
    form = "${db:Status-Status}\t${Package}\t${Architecture}\t${Version}\n"
    rows = [line.split("\t") for line in run("dpkg-query", "-W", "-f", form).splitlines()]
    installed = [row[1:] for row in rows if row[0] == "installed"]
    occurrences = Counter(name for name, _, _ in installed)
    expected = {
        name if occurrences[name] == 1 else f"{name}:{architecture}": version
        for name, architecture, version in installed
    }
    items = sections["os-packages"]["items"]
    assert {name: one["version"] for name, one in items.items() if "state" not in one} == expected


def test_containers_have_the_digests_that_docker_inspect_has(fleet: Fleet, engines: Mapping[str, Engine]) -> None:
    shown = envparity("show", "--json", "--root", fleet.prod.root, "--docker", str(fleet.prod.docker))
    for name in ("web", "worker"):
        image = shown.document["sections"][f"container/{name}"]["items"]["image"]
        inspected = json.loads(engines["prod"].docker("inspect", name))[0]
        known = json.loads(engines["prod"].docker("image", "inspect", inspected["Image"]))[0]
        assert image["config"] == inspected["Image"] == known["Id"]
        assert image["reference"] == inspected["Config"]["Image"]
        assert image["repo_digests"] == sorted(known["RepoDigests"])
        assert image["fields"] == ["config=Image.Id"]


def test_a_container_read_from_outside_has_what_pip_says_inside(fleet: Fleet, engines: Mapping[str, Engine]) -> None:
    shown = envparity("show", "container:worker", "--json", "--docker", str(fleet.dev.docker))
    assert shown.exit_code == 0, shown.complaint
    python = "/opt/worker/.venv/bin/python"
    told = json.loads(engines["dev"].docker("exec", "worker", python, "-m", "pip", "list", "--format", "json"))
    assert _versions(shown.document["sections"]["python/opt/worker/.venv"]) == {
        one["name"]: one["version"] for one in told
    }
    assert shown.document["sections"]["os"]["items"]["distribution"]["codename"] == "bookworm"


def test_a_container_reads_the_same_without_the_rights_to_look_into_it(fleet: Fleet) -> None:
    asked = ("show", "container:worker", "--json", "--docker", str(fleet.dev.docker))
    looked_into = envparity(*asked)
    copied = envparity(*asked, through=WITHOUT_CAPABILITIES)
    assert copied.exit_code == 0, copied.complaint
    found, same = looked_into.document["sections"], copied.document["sections"]
    # the search says which mounts it left out, and a copy has none
    assert {path: one["items"] for path, one in same.items() if path != "python"} == {
        path: one["items"] for path, one in found.items() if path != "python"
    }
    ways = [sections["container/worker"]["observed"]["read_through"] for sections in (found, same)]
    assert ways == ["proc", "archive"]


def test_a_host_tells_of_a_container_what_the_container_tells_as_a_target(fleet: Fleet) -> None:
    docker = str(fleet.dev.docker)
    shown = envparity("show", "--json", "--root", fleet.dev.root, "--docker", docker).document["sections"]
    alone = envparity("show", "container:worker", "--json", "--docker", docker).document["sections"]
    start = "container/worker/"
    inside = {path.removeprefix(start): one["items"] for path, one in shown.items() if path.startswith(start)}
    assert inside.pop("config") == alone.pop("container/worker/config")["items"]
    assert inside == {path: one["items"] for path, one in alone.items() if path != "container/worker"}
    assert shown["container/worker"]["items"] == alone["container/worker"]["items"]
    assert shown["container/worker"]["observed"]["read_through"] == "proc"


def test_a_containers_configuration_is_what_docker_inspect_says(fleet: Fleet, engines: Mapping[str, Engine]) -> None:
    shown = envparity("show", "--json", "--root", fleet.prod.root, "--docker", str(fleet.prod.docker))
    inspected = json.loads(engines["prod"].docker("inspect", "web"))[0]
    config, host = inspected["Config"], inspected["HostConfig"]
    items = shown.document["sections"]["container/web/config"]["items"]
    assert items["command"] == {"command": "sleep …", "hidden": True}
    assert config["Cmd"] == ["sleep", "infinity"]
    assert items["restart"]["value"] == host["RestartPolicy"]["Name"] == "no"
    assert items["network"]["value"] == host["NetworkMode"] == "none"
    assert items["privileged"]["value"] is host["Privileged"] is False
    assert {item.removeprefix("env:") for item in items if item.startswith("env:")} == {
        one.partition("=")[0] for one in config["Env"] or ()
    }


def inside(sections: Sections) -> dict[str, Any]:
    """What was read in a tree: the search says which mounts it left out, and neither a copy nor an image has any."""
    return {
        path: one["items"] for path, one in sections.items() if path != "python" and path.startswith(("os", "python"))
    }


def test_an_image_reads_as_the_pristine_container_that_runs_it(
    fleet: Fleet, engines: Mapping[str, Engine], registry: Registry
) -> None:
    reference = images_in(registry).worker
    before = engines["prod"].docker("ps", "--all", "--quiet")
    image = envparity("show", f"image:{reference}", "--json", "--docker", str(fleet.prod.docker))
    assert image.exit_code == 0, image.complaint
    running = envparity("show", "container:worker", "--json", "--docker", str(fleet.prod.docker)).document["sections"]
    found = image.document["sections"]
    assert found["python/opt/worker/.venv"]["items"]["pip"]["version"]
    assert {"os", "os/settings", "os/libraries", "os-packages"} <= inside(found).keys()
    assert inside(found) == inside(running)
    assert engines["prod"].docker("ps", "--all", "--quiet") == before
    own, other = (
        sections[path]["items"]["image"] for sections, path in ((found, "image"), (running, "container/worker"))
    )
    assert {kind: own[kind] for kind in ("config", "content", "platform", "reference")} == {
        kind: other[kind] for kind in ("config", "content", "platform", "reference")
    }
    inspected = json.loads(engines["prod"].docker("image", "inspect", reference))[0]
    assert [layer.split()[1] for layer in own["layers"]] == inspected["RootFS"]["Layers"]
    assert [step.partition(" ")[2] for step in own["history"]][-1].startswith("RUN")


def test_layers_that_take_away_and_link_read_as_the_container_that_runs_them(
    registry: Registry, fresh_engine: Callable[[], Engine]
) -> None:
    """What a Dockerfile can do to files of a layer below: removed, replaced, moved, linked, a directory for a link."""
    engine = fresh_engine()
    worker = images_in(registry).worker
    site = WORKER_PACKAGES
    engine.docker("pull", "--quiet", worker)
    recipe = (
        f"FROM {worker}\n"
        f"RUN rm -r {site}/setuptools* && cp -a {site}/pip /opt/pip && rm -r {site}/pip && mv /opt/pip {site}/pip\n"
        f"RUN cp -r {site} /opt/moved && rm -r {site} && mv /opt/moved {site} && rm /etc/os-release"
        " && cp /usr/lib/os-release /etc/os-release && ln /etc/os-release /etc/os-release.linked\n"
        f"RUN python3 -m venv --without-pip /opt/other && ln {site}/pip-*/METADATA /opt/METADATA"
        " && rm -r /opt/other/lib64 && mkdir /opt/other/lib64\n"
    )
    build(engine, "layered:1", recipe)
    run_container(engine, "layered", "layered:1")
    shown = [
        envparity("show", target, "--json", "--docker", engine.url)
        for target in ("image:layered:1", "container:layered")
    ]
    assert [one.exit_code for one in shown] == [0, 0], shown[0].complaint
    image, running = (one.document["sections"] for one in shown)
    assert "setuptools" not in image["python/opt/worker/.venv"]["items"]
    assert "python/opt/other" in image
    assert inside(image) == inside(running)
    engine.docker("stop", "layered")
    stopped = envparity("show", "container:layered", "--json", "--docker", engine.url).document["sections"]
    assert inside(stopped) == inside(running)
    assert stopped["container/layered"]["observed"]["state"] == "exited"


def test_what_was_done_by_hand_in_a_container_is_told_with_whose_it_is(
    registry: Registry, fresh_engine: Callable[[], Engine]
) -> None:
    engine = fresh_engine()
    worker = images_in(registry).worker
    engine.docker("pull", "--quiet", worker)
    run_container(engine, "patched", worker)
    python = f"{WORKER_ENVIRONMENT}/bin/python"
    engine.docker("exec", "patched", python, "-m", "pip", "uninstall", "--quiet", "--yes", "setuptools")
    edited = f"{WORKER_PACKAGES}/pip/__init__.py"
    engine.docker("exec", "patched", "sh", "-c", f"echo '# edited' >> {edited}; echo x > /srv/note")
    for through in ((), WITHOUT_CAPABILITIES):
        shown = envparity("show", "container:patched", "--json", "--docker", engine.url, through=through)
        assert shown.exit_code == 0, shown.complaint
        own = shown.document["sections"]["container/patched"]["items"]
        layer = {name: body for name, body in own.items() if name.startswith("layer:")}
        assert layer.pop(f"layer:{edited}")["owner"].startswith("python:pip ")
        assert layer.pop(f"layer:{WORKER_PACKAGES}#setuptools")["change"] == "deleted"
        assert layer.pop("layer:/srv/note") == {"change": "added"}
        assert all(body["change"] == "deleted" for body in layer.values()), layer


def test_an_image_that_is_not_there_is_told(fleet: Fleet) -> None:
    shown = envparity("show", "image:never/pulled:1", "--docker", str(fleet.prod.docker))
    assert shown.exit_code == 2
    assert "docker pull never/pulled:1" in shown.complaint


def test_a_venv_compares_with_a_running_container_without_a_server(fleet: Fleet) -> None:
    venv = fleet.prod.root / "srv/tools/.venv"
    ended = envparity("diff", venv, "container:worker", "--json", "--docker", str(fleet.prod.docker))
    assert ended.exit_code == 0, ended.complaint
    assert ended.document["paired"][0]["right"] == "python/opt/worker/.venv"
    items = {one["item"]: one["state"] for one in ended.document["differences"]}
    assert items["pathspec"] == "only_left"
    assert any(one["section"] == "os-packages" for one in ended.document["not_examined"])


def test_what_does_not_move_has_the_same_hash_twice(sections: Sections) -> None:
    again = envparity("show", "--json").document["sections"]
    passing = {path for path in sections.keys() | again.keys() if path.startswith(tuple(_PASSING))}
    lasted = all(again.get(path) == sections.get(path) for path in passing)
    # the engines of other tests begin to run containers in between, and are not asked here
    moving = ("containers", *_PASSING, *(() if lasted else ("os/libraries",)))  # which environments load
    steady = [path for path in sections if path != "python" and not path.startswith(moving)]
    assert {path: again[path]["hash"] for path in steady} == {path: sections[path]["hash"] for path in steady}
