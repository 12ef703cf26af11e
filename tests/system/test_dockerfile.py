"""Holds what is read of a Dockerfile against the image that a real engine builds from it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.redaction import command
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import Attributes
from envparity_agent.targets import fingerprint
from tests.system.engines import Engine

pytestmark = pytest.mark.system

CLEAR = Disclosure(Key(b"0" * 32), clear=("*",))
RECIPE = r"""
ARG PLACE=/srv
FROM scratch AS base
ENV ONE=1 TWO="two words" THREE='$ONE' FOUR=a\ b
ENV OLD form of two words
ENV SEEN=$ONE:${TWO} OTHERWISE=${ONE:+yes} AT_ONCE=$ONE
ENV ONE=2 BEFORE=$ONE
CMD ["from", "base"]
EXPOSE 8000
USER first

FROM scratch AS other
ENV NOT=there

FROM base
ARG PLACE
ARG WITH=default
ENV PLACE=$PLACE GIVEN=${WITH} \
    # a comment between
    LAST="it's \"quoted\""
WORKDIR $PLACE
WORKDIR shop/../web
EXPOSE 53/udp 90-91
USER app:app
LABEL org.opencontainers.image.title="the shop" org.opencontainers.image.vendor=own
ENTRYPOINT ["python", "-m", "shop"]
"""


def told(config: Mapping[str, Any]) -> dict[str, Attributes]:
    """The configuration of an image as its items."""
    items: dict[str, Attributes] = {}
    for one in config["Env"] or []:
        name, _, value = one.partition("=")
        items[f"env:{name}"] = {"value": value}
    for name, key in (("entrypoint", "Entrypoint"), ("command", "Cmd")):
        if config[key]:
            items[name] = command(config[key], CLEAR)
    items |= {f"port:{port}": {"exposed": True} for port in config["ExposedPorts"] or ()}
    items |= {f"label:{name}": {"value": value} for name, value in (config["Labels"] or {}).items()}
    return items | {"user": {"value": str(config["User"])}, "workdir": {"value": str(config["WorkingDir"])}}


@pytest.mark.parametrize("end", ["", "CMD serve --port 8000\n", 'CMD ["serve"]\n', "EXPOSE 8000/tcp\nENV ONE=3\n"])
def test_an_image_has_what_its_dockerfile_was_read_to_say(
    fresh_engine: Callable[[], Engine], tmp_path: Path, end: str
) -> None:
    engine = fresh_engine()
    (tmp_path / "Dockerfile").write_text(RECIPE + end)
    engine.docker("build", "--network", "none", "--tag", "shop", str(tmp_path))
    (built,) = json.loads(engine.docker("image", "inspect", "shop"))
    section = fingerprint(str(tmp_path / "Dockerfile"), Options(disclosure=CLEAR)).sections
    (read,) = (one for path, one in section.items() if path.endswith("/config"))
    # the engine sets a PATH of its own where the base image has none
    expected = {name: body for name, body in told(built["Config"]).items() if name != "env:PATH"}
    assert read.items == expected
