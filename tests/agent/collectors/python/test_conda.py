"""Checks what is read of a prefix that conda made."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.python.conda import read_conda
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.roots import fingerprint_of
from tests.agent.trees import distribution, interpreter, put

SITE = "lib/python3.11/site-packages"


def package(root: Path, name: str, *files: str, **more: Any) -> Path:
    """A package in the prefix `env`, as conda records it."""
    document = {"name": name, "version": "1.0", "build": "py311_0", "channel": "main", "files": list(files), **more}
    return put(root, f"env/conda-meta/{name}-1.0-py311_0.json", json.dumps(document))


def read(root: Path) -> Section:
    interpreter(root, "env")
    return fingerprint_of(root).sections["python/env/lib/python3.11"]


def test_a_distribution_of_conda_is_one_thing_with_two_names(tmp_path: Path) -> None:
    folder = distribution(tmp_path / "env" / SITE, "numpy", "1.26")
    put(folder, "INSTALLER", "conda")
    put(folder, "direct_url.json", '{"url": "file:///home/conda/numpy", "archive_info": {"hashes": {}}}')
    package(tmp_path, "numpy-base", f"{SITE}/numpy-1.26.dist-info/METADATA", f"{SITE}/numpy/__init__.py")
    section = read(tmp_path)
    assert set(section.items) == {"@python", "numpy"}
    found = section.items["numpy"]
    assert (found["owner"], found["build"], found["channel"]) == ("conda:numpy-base 1.0 py311_0", "py311_0", "main")
    assert "source" not in found


def test_an_egg_info_file_may_belong_to_conda(tmp_path: Path) -> None:
    put(tmp_path, f"env/{SITE}/old-1.0.egg-info", "Name: old\nVersion: 1.0\n")
    package(tmp_path, "old", f"{SITE}/old-1.0.egg-info")
    assert read(tmp_path).items["old"]["owner"] == "conda:old 1.0 py311_0"


def test_a_package_that_is_no_distribution_is_an_item_of_its_own(tmp_path: Path) -> None:
    package(tmp_path, "mkl", "lib/libmkl.so", build="h1_0", sha256="a" * 64, md5="b" * 32)
    package(tmp_path, "openssl", md5="b" * 32)
    items = read(tmp_path).items
    assert items["conda:mkl"] == {"version": "1.0", "build": "h1_0", "channel": "main", "content": f"sha256:{'a' * 64}"}
    assert items["conda:openssl"]["content"] == f"md5:{'b' * 32}"


def test_what_pip_installed_into_the_prefix_does_not_belong_to_conda(tmp_path: Path) -> None:
    put(distribution(tmp_path / "env" / SITE, "shop", "1.0"), "direct_url.json", '{"url": "file:///srv/shop"}')
    package(tmp_path, "mkl")
    found = read(tmp_path).items["shop"]
    assert "owner" not in found
    assert found["source"] == "file:///srv/shop"


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ("conda-forge", "conda-forge"),
        ("https://conda.example/conda-forge/linux-64", "conda-forge"),
        ("https://conda.example/t/hunter2/private/noarch", "private"),
        ("https://conda.example/mirror/t/hunter2/private/noarch", "mirror/private"),
        ("https://ann:hun/ter2@conda.example/private", ""),
        ("ann:hunter2@conda.example/private", "conda.example/private"),
        ("https://ann:hunter2@conda.example/pkgs/main/linux-aarch64", "pkgs/main"),
        ("https://conda.example/main?token=hunter2", "main"),
    ],
)
def test_a_channel_is_told_by_its_name_without_host_and_token(tmp_path: Path, channel: str, told: str) -> None:
    package(tmp_path, "mkl", channel=channel)
    assert read(tmp_path).items["conda:mkl"].get("channel", "") == told


def test_a_package_that_cannot_be_read_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    package(tmp_path, "good")
    package(tmp_path, "none").write_text("{")
    os.mkfifo(tmp_path / "env/conda-meta/fifo-1.0-0.json")
    section = read(tmp_path)
    assert set(section.items) == {"@python", "conda:good"}
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.INVALID, Reason.NOT_REGULAR))


json_values = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=5), max_size=2)
fields = ("name", "version", "build", "channel", "files", "sha256")


@given(
    st.binary(max_size=50)
    | st.fixed_dictionaries({}, optional=dict.fromkeys(fields, json_values)).map(
        lambda document: json.dumps(document).encode()
    )
)
def test_no_record_of_a_package_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    root = tmp_path_factory.mktemp("root")
    put(root, "env/conda-meta/x-1.0-0.json", content)
    reasons: set[str] = set()
    with Root(str(root)) as opened:
        found = read_conda(Subject(opened), "env", reasons)
    assert len(found.packages) + len(reasons) == 1
