"""Checks what is told of an image for people, and how a container of it would be configured."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.containers.description import facts, sections, step
from envparity_agent.collectors.containers.images import CONTAINERD, GRAPHDRIVER
from envparity_agent.collectors.interface import Options
from envparity_agent.kinds import KINDS
from tests.agent.collectors.answers import CONFIG_DIGEST, INDEX_DIGEST, containerd_image, image, layer

SECRET = "hunter2"  # noqa: S105  # planted, to be looked for
BASE = {
    "org.opencontainers.image.base.name": "docker.io/library/python:3.11-slim",
    "org.opencontainers.image.base.digest": INDEX_DIGEST,
}


@pytest.mark.parametrize(
    ("created_by", "told"),
    [
        ("/bin/sh -c #(nop)  ENV TOKEN=hunter2", "ENV"),
        ("/bin/sh -c #(nop) COPY file:0123 in /app ", "COPY"),
        ('/bin/sh -c #(nop)  CMD ["serve" "--password=hunter2"]', "CMD"),
        ("/bin/sh -c #(nop)  hunter2", "…"),
        ("ENV TOKEN=hunter2", "ENV"),
        ("ARG TOKEN=hunter2", "ARG"),
        ("COPY . /app # buildkit", "COPY"),
        ("RUN /bin/sh -c pip install --index-url https://user:hunter2@host/simple six # buildkit", "RUN pip install"),
        ("RUN |1 TOKEN=hunter2 /bin/sh -c make # buildkit", "RUN make"),
        ("|2 TOKEN=hunter2 B=x y /bin/sh -c python3 -m pip install six", "RUN python3 -m pip install"),
        ("RUN |1 TOKEN=hunter2", "RUN …"),
        (
            "/bin/sh -c apt-get update && apt-get install -y curl; rm -rf /x",
            "RUN apt-get update && apt-get install -y && rm",
        ),
        ("/bin/bash -o pipefail -c curl https://user:hunter2@host | tar x", "…"),
        ("/bin/sh -c export TOKEN=hunter2\npip install six", "RUN pip install"),
        ("/bin/sh -c hunter2 install", "RUN …"),
        ("bazel build ...", "…"),
        ("", "…"),
    ],
)
def test_a_step_is_told_without_what_may_be_secret(created_by: str, told: str) -> None:
    assert step(created_by) == told


@given(
    st.sampled_from(["", "RUN ", "RUN |1 A=", "/bin/sh -c ", "/bin/sh -c #(nop) ENV ", "ARG A=", "|1 A="]),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_no_step_tells_a_word_that_is_not_known(start: str, before: str, after: str) -> None:
    assert SECRET not in step(f"{start}{before}{SECRET}{after}")


def test_the_history_is_told_from_the_first_step_on() -> None:
    steps: list[dict[str, str | None]] = [
        {"CreatedBy": "CMD x"},
        {"CreatedBy": "RUN /bin/sh -c make"},
        {"CreatedBy": None},
        {},
    ]
    assert facts(image(), steps)["history"] == ("00 …", "01 …", "02 RUN make", "03 CMD")


def test_layers_are_told_in_their_order() -> None:
    assert facts(image())["layers"] == (f"00 {layer(1)}", f"01 {layer(2)}")
    assert facts(image())["created"] == "2026-10-01T00:00:00Z"


@pytest.mark.parametrize(
    ("labels", "base"),
    [
        (BASE, f"docker.io/library/python:3.11-slim@{INDEX_DIGEST}"),
        ({"org.opencontainers.image.base.name": "debian:12"}, "debian:12"),
        ({"built": "today"}, None),
        (None, None),
    ],
)
def test_the_base_is_what_the_labels_say(labels: Any, base: str | None) -> None:
    assert facts(image(Config={"Labels": labels})).get("base") == base


def test_an_image_without_any_of_it_has_none_of_it() -> None:
    assert facts(image(Config=None, RootFS=None, Created=None)) == {}


@pytest.mark.parametrize(
    ("reference", "told"),
    [("web", "docker.io/library/web:latest"), (CONFIG_DIGEST, None), (CONFIG_DIGEST[7:19], None)],
)
def test_an_image_that_is_named_by_its_id_has_no_reference(reference: str, told: str | None) -> None:
    own, _ = sections(image(), GRAPHDRIVER, reference, (), Options())
    assert own.items["image"].get("reference") == told
    assert own.observed == {"id": "c" * 12}


def test_the_sections_have_what_their_kinds_declare() -> None:
    for section in sections(containerd_image(), CONTAINERD, "web", [{"CreatedBy": "CMD x"}], Options()):
        declared = KINDS[section.kind, section.schema].attributes
        assert {name for body in section.items.values() for name in body} <= declared.keys()
