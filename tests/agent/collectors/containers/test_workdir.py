"""Checks where the code of a container's application is looked for."""

from typing import Any

import pytest

from envparity_agent.collectors.containers.workdir import Workdir, workdir
from tests.agent.collectors.answers import container


def inspected(place: str, *mounts: tuple[str, str], **labels: str) -> dict[str, Any]:
    """A container with a WORKDIR and with mounts of these types."""
    return container(
        "a",
        "web",
        Config={"WorkingDir": place, "Labels": labels},
        Mounts=[{"Type": type, "Destination": destination} for type, destination in mounts],
    )


@pytest.mark.parametrize("place", ["/app", "/srv", "/srv/app/", "/usr/src/app", "/opt/./shop", "/home/app"])
def test_the_code_is_in_the_working_directory(place: str) -> None:
    assert workdir(inspected(place)).directory == "/" + "/".join(
        one for one in place.split("/") if one not in ("", ".")
    )


@pytest.mark.parametrize("place", ["", "/", "/usr", "/etc", "/root", "/var/lib/", "/proc/1", "/app/../etc", "/sys/x"])
def test_a_directory_of_the_system_holds_no_application(place: str) -> None:
    assert workdir(inspected(place, ("bind", "/"), ("bind", "/usr"))) == Workdir(None, None, ())


def test_the_revision_is_told_by_the_label() -> None:
    labels = {"org.opencontainers.image.revision": "0123abcd"}
    assert workdir(inspected("/", **labels)).revision == "0123abcd"
    assert workdir({"Config": {}}) == Workdir(None, None, ())


@pytest.mark.parametrize(
    ("mounts", "shadowed"),
    [
        ([("bind", "/srv/app")], ("/srv/app",)),
        ([("volume", "/srv/app/")], ("/srv/app",)),
        ([("bind", "/srv")], ("/srv",)),
        ([("bind", "/srv/app/settings.py"), ("bind", "/data")], ("/srv/app/settings.py",)),
        ([("bind", "/srv/application"), ("bind", "/sr")], ()),
        ([("tmpfs", "/srv/app")], ()),
        ([("bind", "/")], ()),
        ([], ()),
    ],
)
def test_a_mount_at_above_or_below_hides_what_the_image_has(
    mounts: list[tuple[str, str]], shadowed: tuple[str, ...]
) -> None:
    assert workdir(inspected("/srv/app", *mounts)).shadowed == shadowed


@pytest.mark.parametrize("mounts", [None, [], [{}], [{"Type": "bind"}]])
def test_a_container_without_mounts_hides_nothing(mounts: Any) -> None:
    assert workdir(container("a", "web", Config={"WorkingDir": "/app"}, Mounts=mounts)).shadowed == ()
