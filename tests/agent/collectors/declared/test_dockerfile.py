"""Checks what a Dockerfile declares of its image."""

from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import Attributes, Fingerprint, Reason, Section, Status
from tests.agent.collectors.declared.files import only, read, refusal
from tests.agent.trees import put

CLEAR = Options(disclosure=Disclosure(Key(b"0" * 32), clear=("*",)))


def made(place: Path, text: str, options: Options = CLEAR) -> Fingerprint:
    """The fingerprint of a Dockerfile in the directory `shop`."""
    return read(place, "shop/Dockerfile", text, options)


def config(place: Path, text: str) -> dict[str, Attributes]:
    """The items of its configuration."""
    return dict(made(place, text).sections["container/shop/config"].items)


def values(place: Path, text: str) -> dict[str, object]:
    """The values of its configuration."""
    return {name: body["value"] for name, body in config(place, text).items() if "value" in body}


def python(place: Path, text: str) -> Section:
    return made(place, text).sections["python/Dockerfile"]


def system(place: Path, text: str) -> dict[str, dict[str, object]]:
    """Its OS packages, with versions and ranges."""
    found = made(place, text).sections.get("os-packages")
    return only(found.items, "version", "specifier") if found else {}


def test_each_section_is_only_a_part(tmp_path: Path) -> None:
    found = made(tmp_path, "FROM debian:12\nENV A=1\nRUN pip install six && apt-get install -y curl\n")
    assert {(path, one.kind) for path, one in found.sections.items()} == {
        ("container/shop", "container"), ("container/shop/config", "configuration"),
        ("python/Dockerfile", "declared"), ("os-packages", "declared"),
    }  # fmt: skip
    assert {(one.status, one.reasons) for one in found.sections.values()} == {(Status.PARTIAL, (Reason.DECLARED,))}
    assert found.target.kind == "dockerfile"


def test_what_installs_nothing_declares_no_packages(tmp_path: Path) -> None:
    assert set(made(tmp_path, "FROM scratch\n").sections) == {"container/shop", "container/shop/config"}


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("FROM debian:12\n", {"base": "docker.io/library/debian:12"}),
        ("ARG V=3.11\nFROM --platform=linux/arm64 python:${V}-slim AS x\n",
         {"base": "docker.io/library/python:3.11-slim", "platform": "linux/arm64"}),
        ("FROM debian:12 AS base\nFROM alpine AS other\nFROM base\n", {"base": "docker.io/library/debian:12"}),
        ("FROM debian:12\nFROM alpine\nFROM 0\n", {"base": "docker.io/library/debian:12"}),
        ("ARG V\nFROM python:$V\n", {"base": None}),
        ("FROM --platform=$BUILDPLATFORM debian:12\n", {"base": "docker.io/library/debian:12"}),
    ],
)  # fmt: skip
def test_the_base_is_that_of_the_last_stage(tmp_path: Path, text: str, image: Attributes) -> None:
    assert made(tmp_path, text).sections["container/shop"].items == {"image": image}


def test_the_last_stage_has_what_the_stage_before_it_sets(tmp_path: Path) -> None:
    text = 'FROM a AS base\nENV A=1\nUSER app\nCMD ["x"]\nFROM a AS other\nENV B=1\nFROM base\nENV C=$A\n'
    assert values(tmp_path, text) == {"env:A": "1", "env:C": "1", "user": "app"}
    assert config(tmp_path, text)["command"]["command"] == "…"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ENV A=\"two words\" B='$C' C=x\\ y", {"A": "two words", "B": "$C", "C": "x y"}),
        ("ENV A two words", {"A": "two words"}),
        ("ENV A=1\nENV A=2 B=$A", {"A": "2", "B": "1"}),
        ("ENV PATH=/app:$PATH", {}),
        ("ARG A=1\nENV B=${A} C=${A:+yes} D=${NONE:-x}", {"B": "1", "C": "yes"}),
        ("ARG A\nENV B=$A", {}),
        ("ENV A=1 \\\n  # why\n\n  B=2", {"A": "1", "B": "2"}),
        ("ENV A=1\\$B", {"A": "1$B"}),
    ],
)
def test_variables_have_the_values_that_a_build_gives_them(tmp_path: Path, line: str, expected: dict[str, str]) -> None:
    assert values(tmp_path, f"FROM a\n{line}\n") == {f"env:{name}": value for name, value in expected.items()}


def test_an_argument_before_the_first_stage_is_one_of_a_stage_that_asks_for_it(tmp_path: Path) -> None:
    assert values(tmp_path, "ARG A=1\nFROM a\nENV B=$A\n") == {}
    assert values(tmp_path, "ARG A=1\nFROM a\nARG A\nENV B=$A\n") == {"env:B": "1"}


def test_values_are_told_as_those_of_containers_are(tmp_path: Path) -> None:
    key = Disclosure(Key(b"0" * 32))
    sections = made(tmp_path, "FROM a\nENV A=1 TZ=UTC\n", Options(disclosure=key)).sections
    assert sections["container/shop/config"].items == {"env:A": key.of("A", "1"), "env:TZ": {"value": "UTC"}}


def test_values_that_are_not_told_make_the_section_incomplete(tmp_path: Path) -> None:
    section = made(tmp_path, "FROM a\nENV A=1\n", Options()).sections["container/shop/config"]
    assert section.reasons == (Reason.DECLARED, Reason.NO_KEY)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('CMD ["uvicorn", "shop:app", "--port", "8000"]', {"command": "uvicorn shop:app --port 8000"}),
        ("CMD uvicorn shop:app", {"command": "/bin/sh -c …"}),
        ('SHELL ["/bin/bash", "-c"]\nCMD x', {"command": "/bin/bash -c …"}),
        ('ENTRYPOINT ["python", "-m", "shop"]', {"entrypoint": "python -m shop"}),
        ('CMD ["sh"]\nENTRYPOINT ["python"]', {"command": "sh", "entrypoint": "python"}),
        ('CMD ["sh"]\nFROM 0\nENTRYPOINT ["python"]', {"entrypoint": "python"}),
        ("CMD []", {}),
    ],
)
def test_commands_are_those_that_the_image_has(tmp_path: Path, line: str, expected: dict[str, str]) -> None:
    found = config(tmp_path, f"FROM a\n{line}\n")
    assert {name: body["command"] for name, body in found.items()} == expected


def test_ports_user_directory_and_labels_are_declared(tmp_path: Path) -> None:
    text = (
        "FROM a\nEXPOSE 8000 53/udp 90-91\nUSER app\nWORKDIR /srv\nWORKDIR shop\n"
        "LABEL org.opencontainers.image.title=shop secret=hunter2\nLABEL org.opencontainers.image.created=now\n"
    )
    ports = [f"port:{port}" for port in ("8000/tcp", "53/udp", "90/tcp", "91/tcp")]
    assert config(tmp_path, text) == {
        **{port: {"exposed": True} for port in ports},
        "user": {"value": "app"},
        "workdir": {"value": "/srv/shop"},
        "label:org.opencontainers.image.title": {"value": "shop"},
    }


def test_what_depends_on_the_base_image_is_left_out(tmp_path: Path) -> None:
    text = "FROM a\nWORKDIR app\nUSER $WHO\nEXPOSE $PORT\n"
    section = made(tmp_path, text).sections["container/shop/config"]
    assert (dict(section.items), section.reasons) == ({}, (Reason.DECLARED, Reason.UNSUPPORTED))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pip install six==1.17.0 'idna>=3'", {"six": "1.17.0", "idna": ">=3"}),
        ("pip3 install --no-cache-dir -U six", {"six": ""}),
        ("python3 -m pip install -q --index-url https://u:p@x.example six==1", {"six": "1"}),
        ("uv pip install --system six==1 && true", {"six": "1"}),
        ("PIP_X=1 /opt/venv/bin/pip install six==1; ls", {"six": "1"}),
        ("--mount=type=cache,target=/root/.cache pip install six==1", {"six": "1"}),
        ('["pip", "install", "six==1"]', {"six": "1"}),
        ('["/bin/sh", "-c", "pip install six==1"]', {"six": "1"}),
        ("<<EOF\npip install six==1\npip install idna==3.7\nEOF", {"six": "1", "idna": "3.7"}),
        ("pip install \\\n  # why\n  six==1 \\\n\n  idna", {"six": "1", "idna": ""}),
        ("pip install six==$SIX", {"six": "1.17.0"}),
        ("pip install six && pip install six==1.17.0", {"six#": "", "six#1.17.0": "1.17.0"}),
        ("(pip install six)", {"six": ""}),
    ],
)
def test_what_pip_and_uv_install_is_declared(tmp_path: Path, command: str, expected: dict[str, str]) -> None:
    section = python(tmp_path, f"FROM a\nENV SIX=1.17.0\nRUN {command}\n")
    assert {name: body.get("version", body.get("specifier")) for name, body in section.items.items()} == expected
    assert section.reasons == (Reason.DECLARED,)


@pytest.mark.parametrize(
    "command",
    [
        "pip install .", "pip install -e .", "pip install -r gone.txt", "uv sync --frozen", "poetry install",
        "pip install $WHAT", "pip install `cat x`", "pip install --target /x six", "if x; then pip install .; fi",
        "pip uninstall -y six", "conda install numpy", "pip install 'six",
    ],
)  # fmt: skip
def test_what_cannot_be_followed_makes_the_packages_incomplete(tmp_path: Path, command: str) -> None:
    assert python(tmp_path, f"FROM a\nRUN {command}\n").reasons == (Reason.DECLARED, Reason.UNSUPPORTED)


@pytest.mark.parametrize(
    "lines",
    [
        "COPY requirements.txt /tmp/x.txt\nRUN pip install -r /tmp/x.txt",
        "WORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt",
        "WORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt",
        "WORKDIR /app\nCOPY requirements*.txt other.txt ./\nRUN pip install -r requirements.txt",
        'WORKDIR /app\nADD ["requirements.txt", "./"]\nRUN pip install --requirement requirements.txt',
        "RUN --mount=type=bind,source=requirements.txt,target=/r.txt pip install -r /r.txt",
    ],
)
def test_requirements_that_are_copied_from_beside_the_dockerfile_are_read(tmp_path: Path, lines: str) -> None:
    put(tmp_path, "shop/requirements.txt", "\nsix==1.17.0\n")
    section = python(tmp_path, f"FROM a\n{lines}\n")
    assert only(section.items, "version", "line") == {"six": {"version": "1.17.0", "line": 2}}
    assert section.reasons == (Reason.DECLARED,)


def test_a_file_of_another_stage_is_not_the_one_beside_the_dockerfile(tmp_path: Path) -> None:
    put(tmp_path, "shop/requirements.txt", "six==1.17.0\n")
    section = python(tmp_path, "FROM a\nCOPY --from=x requirements.txt /r.txt\nRUN pip install -r /r.txt\n")
    assert (dict(section.items), section.reasons) == ({}, (Reason.DECLARED, Reason.UNSUPPORTED))


def test_no_file_outside_the_directory_is_copied(tmp_path: Path) -> None:
    put(tmp_path, "secret.txt", "six==1.17.0\n")
    section = python(tmp_path, "FROM a\nCOPY ../secret.txt /r.txt\nRUN pip install -r /r.txt\n")
    assert dict(section.items) == {}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("apt-get update && apt-get install -y --no-install-recommends curl=7.88.1-10 libpq5=15.* git",
         {"curl": {"version": "7.88.1-10"}, "libpq5": {"specifier": "=15.*"}, "git": {"specifier": ""}}),
        ("apt install -y -t stable libc6:amd64 curl/stable", {"libc6": {"specifier": ""}, "curl": {"specifier": ""}}),
        ("apt-get install -y gcc curl && apt-get purge -y gcc", {"curl": {"specifier": ""}}),
        ("apk add --no-cache curl=8.5.0-r0 'git>2' nodejs~=20",
         {"curl": {"version": "8.5.0-r0"}, "git": {"specifier": ">2"}, "nodejs": {"specifier": "~=20"}}),
        ("apk add -t .build gcc make && apk add curl && apk del .build", {"curl": {"specifier": ""}}),
        ("dnf install -y curl-7.76.1-26.el9 python3-pip git-2.43.0 java-11-openjdk",
         {"curl": {"version": "7.76.1-26.el9"}, "python3-pip": {"specifier": ""}, "git": {"specifier": "=2.43.0-*"},
          "java-11-openjdk": {"specifier": ""}}),
        ("apt-get remove -y nothing", {}),
    ],
)  # fmt: skip
def test_what_package_managers_install_is_declared(
    tmp_path: Path, command: str, expected: dict[str, Attributes]
) -> None:
    assert system(tmp_path, f"FROM a\nRUN {command}\n") == expected


@pytest.mark.parametrize(
    "command", ["apt-get -y upgrade", "apt-get update && apt-get dist-upgrade -y", "apk upgrade", "dnf -y update"]
)
def test_to_what_packages_are_upgraded_the_file_does_not_tell(tmp_path: Path, command: str) -> None:
    packages = made(tmp_path, f"FROM a\nRUN {command}\n").sections["os-packages"]
    assert (packages.count, packages.reasons) == (0, (Reason.DECLARED, Reason.UNSUPPORTED))
    assert "os-packages" not in made(tmp_path, "FROM a\nRUN apt-get update && apk update\n").sections


def test_lines_of_a_heredoc_are_no_instructions(tmp_path: Path) -> None:
    text = "FROM a\nCOPY <<EOF /x\nENV A=1\nEOF\nENV B=1\n"
    assert values(tmp_path, text) == {"env:B": "1"}


def test_the_escape_character_may_be_another_one(tmp_path: Path) -> None:
    text = "# escape=`\nFROM a\nENV A=c:\\x `\n  B=1\n"
    assert values(tmp_path, text) == {"env:A": "c:\\x", "env:B": "1"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("RUN x\nFROM a\n", "line 1: RUN before the first FROM"),
        ("FROM a\nNONSENSE x\n", "line 2: no instruction of a Dockerfile: NONSENSE"),
        ("FROM a b\n", "line 1: FROM takes an image"),
        ("# nothing\n", "line 1: there is no FROM"),
        ("FROM a\nEXPOSE http\n", "line 2: EXPOSE: 'http' is no port"),
        ("FROM a\nRUN <<X\nls\n", "line 2: the heredoc X has no end"),
        ("FROM a\n&& ls\n", "line 2: not an instruction"),
    ],
)
def test_what_is_no_dockerfile_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, "Dockerfile", text)


@pytest.mark.parametrize("name", ["Containerfile", "web.Dockerfile", "Dockerfile.web", "recipe"])
def test_a_dockerfile_is_known_by_its_name_or_by_what_it_holds(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, name, "# a recipe\nFROM debian:12\n").target.kind == "dockerfile"
