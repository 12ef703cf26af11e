"""Tests of the lines that a finding points to: a line that is told has the item's name."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from envparity_agent.collectors.interface import Options
from envparity_agent.targets import fingerprint
from envparity_agent.targets.lines import Line, Lines, lines

VENV = "python/srv/shop/.venv"


def read(path: Path) -> Lines:
    return lines(str(path), fingerprint(str(path), Options()))


def written(home: Path, files: Mapping[str, str]) -> Path:
    """Files in a directory; the path of the first one."""
    home.mkdir(exist_ok=True)
    for name, content in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content)
    return home / next(iter(files))


def said(found: Line | None) -> str:
    """The text of a line."""
    assert found is not None
    return Path(found.file).read_text().split("\n")[found.number - 1]


def uv_lock(pins: Mapping[str, str]) -> str:
    root = "".join(f'    {{ name = "{name}" }},\n' for name in pins)
    head = f'[[package]]\nname = "shop"\nversion = "1"\nsource = {{ virtual = "." }}\ndependencies = [\n{root}]\n\n'
    return "version = 1\nrevision = 3\n\n" + head + "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "r" }}\n\n'
        for name, version in pins.items()
    )  # fmt: skip


def poetry_lock(pins: Mapping[str, str]) -> str:
    listed = (
        f'[[package]]\nversion = "{version}"\nname = "{name}"\noptional = false\nfiles = []\n\n'
        for name, version in pins.items()
    )
    return "".join(listed) + '[metadata]\nlock-version = "2.1"\n'


def pylock(pins: Mapping[str, str]) -> str:
    listed = (
        f'[[packages]]\nversion = "{version}"\nname = "{canonicalize_name(name)}"\n\n[packages.directory]\n'
        f'path = "."\n\n'
        for name, version in pins.items()
    )
    return 'lock-version = "1.0"\ncreated-by = "x"\n\n' + "".join(listed)


def pipfile_lock(pins: Mapping[str, str]) -> str:
    packages = {name: {"version": f"=={version}"} for name, version in pins.items()}
    return json.dumps({"_meta": {"sources": []}, "default": packages, "develop": {}}, indent=4)


def requirements(pins: Mapping[str, str]) -> str:
    listed = (f"{name}=={version} \\\n    --hash=sha256:{'0' * 64}\n" for name, version in pins.items())
    return "# pinned\n\n" + "".join(listed)


FORMS = {
    "uv.lock": uv_lock, "poetry.lock": poetry_lock, "pylock.toml": pylock, "Pipfile.lock": pipfile_lock,
    "requirements.txt": requirements,
}  # fmt: skip

names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,5}([-_.][A-Za-z0-9]{1,5}){0,2}", fullmatch=True)
several = st.dictionaries(names, st.sampled_from(["1.0", "2.31.0"]), min_size=1, max_size=8).map(
    lambda found: {name: found[name] for name in {canonicalize_name(one): one for one in found}.values()}
)


@given(pins=several, form=st.sampled_from(sorted(FORMS)))
def test_the_line_that_is_told_has_the_item_s_name(pins: dict[str, str], form: str) -> None:
    with TemporaryDirectory() as home:
        places = read(written(Path(home), {form: FORMS[form](pins)}))
        for name in pins:
            found = places.of(VENV, canonicalize_name(name))
            told = re.findall(r"[A-Za-z0-9._-]+", said(found))
            assert canonicalize_name(name) in map(canonicalize_name, told)


@pytest.mark.parametrize("form", FORMS)
def test_in_a_lock_it_is_the_package_s_own_line(form: str, tmp_path: Path) -> None:
    path = written(tmp_path, {form: FORMS[form]({"idna": "3.7", "requests": "2.31.0"})})
    text = said(read(path).of(VENV, "requests")).strip()
    assert text in ('name = "requests"', '"requests": {', "requests==2.31.0 \\")


@pytest.mark.parametrize("form", FORMS)
def test_what_the_file_does_not_say_has_no_line(form: str, tmp_path: Path) -> None:
    places = read(written(tmp_path, {form: FORMS[form]({"idna": "3.7"})}))
    assert places.of(VENV, "flask") is None
    assert places.of("os-packages", "idna") is None
    assert places.of("os", "idna") is None
    assert places.of("container/web/config", "idna") is None
    assert places.base() is None


def test_requirements_are_found_in_the_files_that_are_included(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "-r more/base.txt\n--constraint=limits.txt\nFlask==3.0\n",
        "more/base.txt": "# base\nidna==3.7\n-r deep.txt\n",
        "more/deep.txt": "\n\nrequests>=2\n",
        "limits.txt": "urllib3==2.2.3\n",
    }
    places = read(written(tmp_path, files))
    told = {item: places.of(VENV, item) for item in ("flask", "idna", "requests", "urllib3")}
    assert told == {
        "flask": Line(str(tmp_path / "requirements.txt"), 3),
        "idna": Line(str(tmp_path / "more/base.txt"), 2),
        "requests": Line(str(tmp_path / "more/deep.txt"), 3),
        "urllib3": Line(str(tmp_path / "limits.txt"), 1),
    }


def test_files_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    path = written(tmp_path, {"a.txt": "-r b.txt\nidna==3.7\n", "b.txt": "-r a.txt\nflask==3.0\n"})
    assert read(path).of(VENV, "flask") == Line(str(tmp_path / "b.txt"), 2)


def test_one_of_several_declarations_of_a_package_is_told(tmp_path: Path) -> None:
    text = "idna==3.4; python_version < '3.9'\nidna==3.7; python_version >= '3.9'\n"
    assert said(read(written(tmp_path, {"requirements.txt": text})).of(VENV, "idna#lib/python3")).startswith("idna==")


DOCKERFILE = """\
ARG BASE=debian:bookworm
FROM node:20 AS assets
ENV MODE=build
FROM python:3.12 AS runtime
# a comment
RUN apt-get update && apt-get install -y \\
    curl \\
    # between
    libpq5=15.3
RUN pip install \\
    Flask_Login==0.6 \\
    idna
COPY requirements.txt /tmp/
RUN pip install -r /tmp/requirements.txt
ENV MODE=live \\
    LEVEL=info
EXPOSE 8000/tcp
USER shop
WORKDIR /srv
LABEL org.opencontainers.image.version=1.5
ENTRYPOINT ["shop"]
CMD ["serve"]
FROM runtime
"""


@pytest.fixture
def dockerfile(tmp_path: Path) -> Lines:
    return read(written(tmp_path / "shop", {"Dockerfile": DOCKERFILE, "requirements.txt": "requests==2.31.0\n"}))


@pytest.mark.parametrize(
    ("section", "item", "text"),
    [
        ("image", "image", "FROM python:3.12 AS runtime"),
        ("container/shop.web", "image", "FROM python:3.12 AS runtime"),
        ("os-packages", "curl", "    curl \\"),
        ("container/shop.web/os-packages", "libpq5:amd64", "    libpq5=15.3"),
        ("python/site", "flask-login", "    Flask_Login==0.6 \\"),
        ("container/shop.web/python/site", "idna", "    idna"),
        ("python/site", "requests", "requests==2.31.0"),
        ("image/config", "env:MODE", "ENV MODE=live \\"),
        ("image/config", "env:LEVEL", "    LEVEL=info"),
        ("image/config", "port:8000/tcp", "EXPOSE 8000/tcp"),
        ("image/config", "user", "USER shop"),
        ("image/config", "workdir", "WORKDIR /srv"),
        ("image/config", "label:org.opencontainers.image.version", "LABEL org.opencontainers.image.version=1.5"),
        ("image/config", "entrypoint", 'ENTRYPOINT ["shop"]'),
        ("image/config", "command", 'CMD ["serve"]'),
    ],
)
def test_a_dockerfile_says_what_the_image_gets(dockerfile: Lines, section: str, item: str, text: str) -> None:
    assert said(dockerfile.of(section, item)) == text


@pytest.mark.parametrize(
    ("section", "item"), [("os-packages", "libssl3"), ("image/config", "env:PATH"), ("image/config", "port:80/tcp")]
)
def test_what_the_base_image_brings_has_no_line_but_the_base_s(dockerfile: Lines, section: str, item: str) -> None:
    assert dockerfile.of(section, item) is None
    assert said(dockerfile.base()) == "FROM python:3.12 AS runtime"


COMPOSE = """\
services:
  web:
    image: registry.example/shop:1.5
    environment:
      MODE: live
      LEVEL: info
    ports:
      - "80:8000"
      - target: 9000
        published: "90"
    user: shop
    working_dir: /srv
    volumes: ["data:/data"]
    restart: always
  worker:
    image: registry.example/worker:1.5
    environment: [MODE=work, "OTHER=1"]
volumes: {data: {}}
"""


@pytest.fixture
def compose(tmp_path: Path) -> Lines:
    return read(written(tmp_path / "shop", {"compose.yaml": COMPOSE}))


@pytest.mark.parametrize(
    ("section", "item", "text"),
    [
        ("container/shop.web", "image", "    image: registry.example/shop:1.5"),
        ("container/shop.worker", "image", "    image: registry.example/worker:1.5"),
        ("container/shop.web/config", "env:LEVEL", "      LEVEL: info"),
        ("container/shop.worker/config", "env:MODE", '    environment: [MODE=work, "OTHER=1"]'),
        ("container/shop.web/config", "port:8000/tcp", '      - "80:8000"'),
        ("container/shop.web/config", "port:9000/tcp", "      - target: 9000"),
        ("container/shop.web/config", "user", "    user: shop"),
        ("container/shop.web/config", "workdir", "    working_dir: /srv"),
        ("container/shop.web/config", "mount:/data", '    volumes: ["data:/data"]'),
        ("container/shop.web/config", "restart", "    restart: always"),
    ],
)
def test_a_compose_file_says_how_a_service_is_run(compose: Lines, section: str, item: str, text: str) -> None:
    assert said(compose.of(section, item)) == text


@pytest.mark.parametrize("section", ["container/other/config", "container/shop.worker/config"])
def test_another_service_does_not_say_it(compose: Lines, section: str) -> None:
    assert compose.of(section, "env:LEVEL") is None


def test_of_the_only_service_a_container_of_any_name_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "shop", {"compose.yaml": "services:\n  web:\n    image: x\n    user: shop\n"})
    assert read(path).of("image/config", "user") == Line(str(path), 4)


@pytest.mark.parametrize("content", [b"\xff", b"[[package]]\n", b""])
def test_a_file_that_was_changed_since_has_no_lines_and_is_no_error(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, {"uv.lock": uv_lock({"idna": "3.7"})})
    declared = fingerprint(str(path), Options())
    path.write_bytes(content)
    assert lines(str(path), declared).of(VENV, "idna") is None


def test_a_pipe_has_no_lines(tmp_path: Path) -> None:
    path = written(tmp_path, {"uv.lock": uv_lock({"idna": "3.7"})})
    assert lines("/dev/fd/99", fingerprint(str(path), Options())).of(VENV, "idna") is None


GOOD = {
    "Dockerfile": (DOCKERFILE, "os-packages", "curl"),
    "compose.yaml": (COMPOSE, "container/shop.web/config", "env:LEVEL"),
    "requirements.txt": ("idna==3.7\n", VENV, "idna"),
    "uv.lock": (uv_lock({"idna": "3.7"}), VENV, "idna"),
}


@given(name=st.sampled_from(sorted(GOOD)), data=st.data())
def test_whatever_it_was_changed_to_is_no_error(name: str, data: st.DataObject) -> None:
    good, section, item = GOOD[name]
    with TemporaryDirectory() as home:
        path = written(Path(home) / "shop", {name: good})
        declared = fingerprint(str(path), Options())
        cut = data.draw(st.integers(0, len(good)))
        path.write_text(
            good[:cut] + data.draw(st.text(alphabet="FROM [[]]:-r\n\\ cuLEVlidna{}", max_size=60)) + good[cut:]
        )
        found = lines(str(path), declared).of(section, item)
        assert found is None or item.partition(":")[2] or item in said(found).lower()


def test_a_compose_file_without_services_any_more_is_no_error(tmp_path: Path) -> None:
    path = written(tmp_path / "shop", {"compose.yaml": COMPOSE})
    declared = fingerprint(str(path), Options())
    for content in ("name: x\n", "services: []\n", "services: {web: {environment: 5}}\n"):
        path.write_text(content)
        assert lines(str(path), declared).of("container/shop.web/config", "env:LEVEL") is None
