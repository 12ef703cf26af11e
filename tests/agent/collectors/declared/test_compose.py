"""Checks what a compose file declares of its services."""

from pathlib import Path

import pytest

from envparity_agent.collectors.declared.compose import read_compose
from envparity_agent.collectors.declared.source import Source
from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import Attributes, Fingerprint, Reason, Status
from tests.agent.collectors.declared.files import read, refusal
from tests.agent.trees import put

CLEAR = Options(disclosure=Disclosure(Key(b"0" * 32), clear=("*",)))


def made(place: Path, text: str) -> Fingerprint:
    """The fingerprint of a compose file in the directory `shop`."""
    return read(place, "shop/compose.yaml", text, CLEAR)


def config(place: Path, service: str) -> dict[str, Attributes]:
    """The configuration of the service `web` with these lines."""
    body = "".join(f"    {line}\n" for line in service.split("\n"))
    return dict(made(place, f"services:\n  web:\n    image: nginx\n{body}").sections["container/shop.web/config"].items)


def environment(place: Path, service: str) -> dict[str, object]:
    """The values of its variables."""
    items = config(place, service)
    return {name.removeprefix("env:"): body["value"] for name, body in items.items() if name.startswith("env:")}


def test_each_service_is_a_container_of_the_project(tmp_path: Path) -> None:
    found = made(tmp_path, "services:\n  web: {image: nginx:1.25}\n  db: {image: postgres}\n")
    assert found.target.kind == "compose"
    assert set(found.sections) == {
        "container/shop.web", "container/shop.web/config", "container/shop.db", "container/shop.db/config",
    }  # fmt: skip
    assert found.sections["container/shop.web"].items == {"image": {"reference": "docker.io/library/nginx:1.25"}}
    assert {(one.status, one.reasons) for one in found.sections.values()} == {(Status.PARTIAL, (Reason.DECLARED,))}


@pytest.mark.parametrize(
    ("directory", "text", "project"),
    [
        ("My Shop.2", "", "myshop2"),
        ("_x", "", "x"),
        ("any", "name: own\n", "own"),
        ("any", "name: ${NAME:-other}\n", "other"),
    ],
)
def test_the_project_has_the_name_that_compose_gives_it(
    tmp_path: Path, directory: str, text: str, project: str
) -> None:
    found = read(tmp_path, f"{directory}/docker-compose.yml", f"{text}services: {{web: {{image: a}}}}\n")
    assert f"container/{project}.web" in found.sections


def test_the_project_may_be_named_beside_the_file(tmp_path: Path) -> None:
    put(tmp_path, "shop/.env", "COMPOSE_PROJECT_NAME=own\n")
    assert "container/own.web" in made(tmp_path, "services: {web: {image: a}}\n").sections


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("environment: {A: '1', B: 1.10, C: true, D: on}", {"A": "1", "B": "1.1", "C": "true", "D": "on"}),
        ("environment: [A=1, B=x=y, C=]", {"A": "1", "B": "x=y", "C": ""}),
        ("environment: [GIVEN, HOME]", {"GIVEN": "beside"}),
        ("environment: {A: $GIVEN, B: '${HOME}', C: '${NONE:-x}', D: '$$GIVEN', E: '${NONE:-${GIVEN}}'}",
         {"A": "beside", "C": "x", "D": "$GIVEN", "E": "beside"}),
        ("environment: {A: '${GIVEN:+yes}', B: '${EMPTY:-x}', C: '${EMPTY-x}', D: '${NONE:?why}'}",
         {"A": "yes", "B": "x", "C": ""}),
        ("env_file: web.env", {"A": "from file", "B": "q\nr", "C": "beside"}),
        ("env_file: [web.env]\nenvironment: {A: own}", {"A": "own", "B": "q\nr", "C": "beside"}),
        ("env_file: [{path: gone.env, required: false}]", {}),
    ],
)  # fmt: skip
def test_variables_have_the_values_that_compose_gives_them(
    tmp_path: Path, text: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent's own environment is not the one in which the services start."""
    monkeypatch.setenv("HOME", "/home/agent")
    put(tmp_path, "shop/.env", "# beside\nexport GIVEN=beside # why\nEMPTY=\n")
    put(tmp_path, "shop/web.env", "A='from file'\nB=\"q\nr\"\nC=beside\n")
    assert environment(tmp_path, text) == expected


def test_a_file_of_variables_that_is_missing_is_told_with_the_line(tmp_path: Path) -> None:
    told = refusal(tmp_path, "compose.yaml", "services:\n  web: {env_file: gone.env}\n")
    assert told == "compose.yaml, line 2: gone.env: there is no such file"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("'8080:8000'", {"port:8000/tcp": ("0.0.0.0:8080",)}),
        ("'127.0.0.1:8080:8000/udp'", {"port:8000/udp": ("127.0.0.1:8080",)}),
        ("'[::1]:8080:8000'", {"port:8000/tcp": ("[::1]:8080",)}),
        ("8000", {"port:8000/tcp": ("0.0.0.0:any",)}),
        ("'80-81:90-91'", {"port:90/tcp": ("0.0.0.0:80",), "port:91/tcp": ("0.0.0.0:81",)}),
        ("'8080:8000', '8081:8000'", {"port:8000/tcp": ("0.0.0.0:8080", "0.0.0.0:8081")}),
        ("{target: 8000, published: '8080', host_ip: 127.0.0.1}", {"port:8000/tcp": ("127.0.0.1:8080",)}),
    ],
)
def test_ports_lead_where_the_file_says(tmp_path: Path, entry: str, expected: dict[str, tuple[str, ...]]) -> None:
    items = config(tmp_path, f"ports: [{entry}]")
    assert items == {name: {"published": published} for name, published in expected.items()}


def test_what_else_a_service_says_is_told_as_of_a_container(tmp_path: Path) -> None:
    items = config(
        tmp_path,
        "command: uvicorn shop:app --port 8000\nentrypoint: [python, -m, shop]\nuser: app\nworking_dir: /srv\n"
        "restart: on-failure:3\nnetwork_mode: service:db\nprivileged: true\nexpose: ['9000']\nmem_limit: 512m\n"
        "deploy: {resources: {limits: {cpus: '0.5'}}}\nlabels: [org.opencontainers.image.title=shop, own=hunter2]\n"
        "volumes: ['data:/data', './here:/here:ro', '/etc/x:/etc/x/', {type: tmpfs, target: /tmp/y}]",
    )
    assert items == {
        "command": {"command": "uvicorn shop:app --port 8000"},
        "entrypoint": {"command": "python -m shop"},
        "user": {"value": "app"},
        "workdir": {"value": "/srv"},
        "restart": {"value": "on-failure:3"},
        "network": {"value": "container"},
        "privileged": {"value": True},
        "port:9000/tcp": {"exposed": True},
        "limit:memory": {"value": 512 * 1024 * 1024},
        "limit:cpu": {"value": 500},
        "label:org.opencontainers.image.title": {"value": "shop"},
        "mount:/data": {"type": "volume", "writable": True, "source": "shop_data"},
        "mount:/here": {"type": "bind", "writable": False},
        "mount:/etc/x": {"type": "bind", "writable": True, "source": "/etc/x"},
        "mount:/tmp/y": {"type": "tmpfs", "writable": True},
    }


def test_anchors_and_merge_keys_are_resolved(tmp_path: Path) -> None:
    text = """\
x-common: &common
  image: nginx
  environment: &env {A: 1, B: 2}
services:
  web:
    <<: *common
    environment: {<<: *env, B: 3}
"""
    found = made(tmp_path, text)
    assert found.sections["container/shop.web"].items["image"]["reference"] == "docker.io/library/nginx:latest"
    assert found.sections["container/shop.web/config"].items == {"env:A": {"value": "1"}, "env:B": {"value": "3"}}


def test_a_service_takes_over_what_it_extends(tmp_path: Path) -> None:
    text = """\
services:
  base:
    image: nginx
    profiles: [never]
    environment: [A=1, B=1]
    ports: ['80:80']
    command: [python]
  web:
    extends: {service: base}
    environment: {B: 2}
    ports: ['81:81']
    command: [sh]
"""
    sections = made(tmp_path, text).sections
    assert "container/shop.base" not in sections
    assert sections["container/shop.web/config"].items == {
        "env:A": {"value": "1"},
        "env:B": {"value": "2"},
        "command": {"command": "sh"},
        "port:80/tcp": {"published": ("0.0.0.0:80",)},
        "port:81/tcp": {"published": ("0.0.0.0:81",)},
    }


@pytest.mark.parametrize("line", ["extends: {service: base, file: other.yaml}", 'command: "sh \'x"'])
def test_what_is_not_followed_makes_the_configuration_incomplete(tmp_path: Path, line: str) -> None:
    found = made(tmp_path, f"services:\n  web:\n    image: a\n    {line}\n")
    assert len(found.sections["container/shop.web/config"].reasons) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("services: []\n", "line 1: services is not a mapping"),
        ("services:\n  web: nginx\n", "line 2: the service web is not a mapping"),
        ("services:\n  web: {extends: gone}\n", "line 2: web extends a service that is not there"),
        ("services:\n  web: {ports: [http]}\n", "line 2: 'http' is no port"),
        ("services:\n  web: {ports: ['1-2:3']}\n", "line 2: 1-2:3 is no port"),
        ("services:\n  web: {environment: 1}\n", "line 2: environment is neither"),
        ("services:\n\tweb: {}\n", "line 2: not YAML"),
        ("services:\n  web: {}\n  web: {}\n", "line 3: the key 'web' occurs twice"),
    ],
)
def test_what_is_no_compose_file_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, "compose.yaml", text)


@pytest.mark.parametrize(("text", "line"), [("A=1\nnot an assignment\n", 2), ("A='1\n", 1), ("\n=1\n", 2)])
def test_a_file_of_variables_that_is_none_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    put(tmp_path, ".env", text)
    assert refusal(tmp_path, "compose.yaml", "services: {web: {image: a}}\n").startswith(f".env, line {line}: ")


def test_what_a_pipe_names_beside_it_is_not_found() -> None:
    sections = read_compose(Source("-", b"services: {web: {image: a, env_file: x.env}}\n"), Options())
    assert sections[1].reasons == (Reason.DECLARED, Reason.UNSUPPORTED)
