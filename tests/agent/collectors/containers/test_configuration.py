"""Checks what is told of how a container is configured, and that nothing in it is made up by an engine."""

from typing import Any

import pytest

from envparity_agent.collectors.containers.configuration import of_image, read
from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import Items, Reason, Section, Status
from tests.agent.collectors.answers import container, image, podman_container

KEY = Key(b"0123456789abcdef")
POD = "/var/lib/kubelet/pods/0fd1f4f4-7c6e-4b7a-8f0c-3d1f2a9b8c7d"


def section(config: dict[str, Any] | None = None, options: Options | None = None, **inspected: Any) -> Section:
    found = container("a", "web", Config={"Image": "x", **(config or {})}, **inspected)
    return read(found, image(), options or Options(disclosure=Disclosure(KEY)))


def items(config: dict[str, Any] | None = None, **inspected: Any) -> Items:
    return section(config, **inspected).items


def host(**fields: Any) -> Items:
    return items(HostConfig=fields)


def test_a_container_about_which_nothing_was_said_is_told_by_what_that_means() -> None:
    assert items() == {
        "healthcheck": {"value": False},
        "network": {"value": "bridge"},
        "privileged": {"value": False},
        "read_only": {"value": False},
        "restart": {"value": "no"},
        "workdir": {"value": "/"},
    }


@pytest.mark.parametrize(
    ("field", "value", "item", "told"),
    [
        ("Devices", [{"PathOnHost": "/dev/kfd", "PathInContainer": "/dev/kfd"}], "devices", ("/dev/kfd",)),
        ("DeviceRequests", [{"Count": -1, "Capabilities": [["gpu"]]}], "device-requests", ("all of gpu",)),
        ("DeviceRequests", [{"DeviceIDs": ["0"], "Capabilities": [["gpu"]]}], "device-requests", ("1 of gpu",)),
        ("GroupAdd", ["video", "44"], "groups-added", ("44", "video")),
        ("Sysctls", {"net.core.somaxconn": "1024"}, "sysctl:net.core.somaxconn", "1024"),
    ],
)
def test_what_of_the_host_a_container_was_given_is_told(field: str, value: Any, item: str, told: Any) -> None:
    assert host(**{field: value})[item] == {"value": told}


@pytest.mark.parametrize("field", ["Devices", "DeviceRequests", "GroupAdd", "Sysctls"])
def test_nothing_that_was_given_is_no_item(field: str) -> None:
    assert host(**{field: None}) == host(**{field: []}) == host()


def test_values_of_variables_are_told_by_the_operators_key_alone() -> None:
    found = items({"Env": ["PASSWORD=secret", "TZ=UTC", "EMPTY=", "A=b=c"]})
    assert found["env:PASSWORD"] == {"hmac": KEY.of("PASSWORD", "secret"), "key": KEY.id}
    assert found["env:TZ"] == {"value": "UTC"}
    assert found["env:EMPTY"] == {"hmac": KEY.of("EMPTY", ""), "key": KEY.id}
    assert found["env:A"] == {"hmac": KEY.of("A", "b=c"), "key": KEY.id}


def test_without_a_key_no_value_is_told_and_the_section_is_not_whole() -> None:
    found = section({"Env": ["PASSWORD=secret"]}, Options())
    assert found.items["env:PASSWORD"] == {"hidden": True}
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.NO_KEY,))


def test_commands_are_redacted() -> None:
    found = items({"Entrypoint": ["python", "-m", "shop"], "Cmd": ["serve", "--password=hunter2"], "User": "app"})
    assert found["entrypoint"] == {"command": "python -m shop"}
    assert "hunter2" not in str(found)
    assert found["command"]["key"] == KEY.id
    assert found["user"] == {"value": "app"}
    assert items({"Cmd": "python"})["command"] == {"command": "python"}


@pytest.mark.parametrize(
    ("bindings", "published"),
    [
        ([{"HostIp": "", "HostPort": "8080"}], ("0.0.0.0:8080",)),
        (
            [{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostIp": "", "HostPort": "80"}],
            ("0.0.0.0:80", "127.0.0.1:8080"),
        ),
        ([{"HostIp": "", "HostPort": ""}], ("0.0.0.0:any",)),
        ([{"HostIp": "", "HostPort": "0"}], ("0.0.0.0:any",)),
        (None, ()),
    ],
)
def test_a_published_port_is_what_was_asked_for(bindings: Any, published: tuple[str, ...]) -> None:
    moving = {"Ports": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "49153"}]}}
    found = items(
        {"ExposedPorts": {"8000/tcp": {}}}, HostConfig={"PortBindings": {"8000/tcp": bindings}}, NetworkSettings=moving
    )
    assert found["port:8000/tcp"] == {"exposed": False, "published": published}


def test_a_port_is_exposed_by_the_image_or_the_command_line() -> None:
    config = {"Image": "x", "ExposedPorts": {"8000/tcp": {}, "9000/udp": {}}}
    found = container("a", "web", Config=config, HostConfig={"PortBindings": {"8000/tcp": [{"HostPort": "80"}]}})
    of_image = image(Config={"ExposedPorts": {"8000/tcp": {}}})
    read_items = read(found, of_image, Options()).items
    assert read_items["port:8000/tcp"] == {"exposed": True, "published": ("0.0.0.0:80",)}
    assert read_items["port:9000/udp"] == {"exposed": True, "published": ()}


def test_all_exposed_ports_may_be_published_at_ports_that_move() -> None:
    found = items({"ExposedPorts": {"8000/tcp": {}}}, HostConfig={"PublishAllPorts": True})
    assert found["port:8000/tcp"] == {"exposed": True, "published": ("0.0.0.0:any",)}


@pytest.mark.parametrize(
    ("mount", "facts"),
    [
        (
            {"Type": "bind", "Source": "/srv/app", "RW": False},
            {"type": "bind", "source": "/srv/app", "writable": False},
        ),
        (
            {"Type": "volume", "Name": "shop_data", "RW": True},
            {"type": "volume", "source": "shop_data", "writable": True},
        ),
        (
            {"Type": "volume", "Name": "a1" * 32, "Source": "/var/lib/x", "RW": True},
            {"type": "volume", "writable": True},
        ),
        ({"Type": "tmpfs", "Source": "", "RW": True}, {"type": "tmpfs", "writable": True}),
        (
            {"Type": "bind", "Source": f"{POD}/volumes/empty", "RW": True},
            {"type": "bind", "source": "/var/lib/kubelet/pods/…/volumes/empty", "writable": True},
        ),
        (
            {"Type": "bind", "Source": f"{POD}/containers/app/0a1b2c3d", "RW": True},
            {"type": "bind", "source": "/var/lib/kubelet/pods/…/containers/app/…", "writable": True},
        ),
    ],
    ids=str,
)
def test_a_mount_is_told_without_what_is_made_up(mount: dict[str, Any], facts: dict[str, Any]) -> None:
    assert items(Mounts=[{"Destination": "/data", **mount}])["mount:/data"] == facts


def test_a_tmpfs_is_a_mount() -> None:
    found = host(Tmpfs={"/scratch": "rw,size=1m", "/fixed": "ro"})
    assert found["mount:/scratch"] == {"type": "tmpfs", "writable": True}
    assert found["mount:/fixed"] == {"type": "tmpfs", "writable": False}


@pytest.mark.parametrize(
    ("mode", "joined", "told"),
    [
        ("default", {"bridge": {}}, {"network": {"value": "bridge"}}),
        ("host", {"host": {}}, {"network": {"value": "host"}}),
        (f"container:{'a1' * 32}", {}, {"network": {"value": "container"}}),
        (
            "shop_default",
            {"shop_default": {}, "other": {}},
            {"network": {"value": "shop_default"}, "networks": {"value": ("other", "shop_default")}},
        ),
        ("a1" * 32, {"shop": {}}, {"network": {"value": "…"}, "networks": {"value": ("shop",)}}),
    ],
    ids=str,
)
def test_a_network_is_told_by_its_names(mode: str, joined: dict[str, Any], told: Items) -> None:
    found = items(HostConfig={"NetworkMode": mode}, NetworkSettings={"Networks": joined})
    assert {item: body for item, body in found.items() if item.startswith("network")} == told


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"Memory": 67108864, "MemorySwap": 134217728}, {"limit:memory": 67108864}),
        ({"Memory": 67108864, "MemorySwap": 67108864}, {"limit:memory": 67108864, "limit:swap": 67108864}),
        ({"NanoCpus": 1_500_000_000}, {"limit:cpu": 1500}),
        ({"CpuQuota": 50_000, "CpuPeriod": 100_000}, {"limit:cpu": 500}),
        ({"CpuQuota": 50_000}, {"limit:cpu": 500}),
        ({"CpuQuota": -1, "PidsLimit": -1, "ShmSize": 67108864}, {}),
        (
            {"PidsLimit": 100, "ShmSize": 1024, "CpusetCpus": "0-1"},
            {"limit:pids": 100, "limit:shm": 1024, "limit:cpuset": "0-1"},
        ),
        ({"PidsLimit": None, "Memory": 10**30}, {}),
        ({"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}]}, {"ulimit:nofile": "1:2"}),
        ({"Ulimits": [{"Name": "RLIMIT_NOFILE", "Soft": 1, "Hard": 2}]}, {"ulimit:nofile": "1:2"}),
    ],
    ids=str,
)
def test_limits_are_told_as_numbers(fields: dict[str, Any], told: dict[str, Any]) -> None:
    found = host(**fields)
    assert {item: body["value"] for item, body in found.items() if "limit:" in item} == told


@pytest.mark.parametrize(
    ("fields", "item", "value"),
    [
        ({"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}}, "restart", "on-failure:3"),
        ({"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}}, "restart", "always"),
        ({"Privileged": True}, "privileged", True),
        ({"ReadonlyRootfs": True}, "read_only", True),
        ({"CapAdd": ["net_admin", "CAP_SYS_TIME"]}, "capabilities-added", ("NET_ADMIN", "SYS_TIME")),
        ({"SecurityOpt": ["no-new-privileges"]}, "security", ("no-new-privileges",)),
        ({"PidMode": "host"}, "namespace:pid", "host"),
        ({"Dns": ["10.0.0.2"]}, "dns", ("10.0.0.2",)),
        ({"ExtraHosts": ["db:10.0.0.3"]}, "extra-hosts", ("db:10.0.0.3",)),
    ],
    ids=str,
)
def test_what_decides_what_a_container_may_do_is_told(fields: dict[str, Any], item: str, value: Any) -> None:
    assert host(**fields)[item] == {"value": value}


def test_a_profile_given_by_its_text_is_told_by_its_hash() -> None:
    one, other = (host(SecurityOpt=[f"seccomp={{{text * 300}}}"])["security"]["value"] for text in "ab")
    assert isinstance(one, tuple)
    assert one[0].startswith("seccomp=sha256:")
    assert one != other


@pytest.mark.parametrize(("test", "told"), [(["CMD", "true"], True), (["NONE"], False), ([], False)])
def test_a_health_check_is_there_or_not(test: list[str], told: bool) -> None:
    assert items({"Healthcheck": {"Test": test}})["healthcheck"] == {"value": told}


def test_labels_are_told_by_allow_list() -> None:
    given = {
        "com.docker.compose.service": "web",
        "com.docker.compose.config-hash": "0123",
        "org.opencontainers.image.source": "https://user:secret@git.example/shop",
        "org.opencontainers.image.created": "2026-10-01",
        "team": "shop",
        "token": "secret",
    }
    found = section({"Labels": given}, Options(labels=("team",))).items
    assert {item: body["value"] for item, body in found.items() if item.startswith("label:")} == {
        "label:com.docker.compose.service": "web",
        "label:org.opencontainers.image.source": "https://git.example/shop",
        "label:team": "shop",
    }


def test_what_podman_writes_down_and_docker_sets_in_silence_is_no_difference() -> None:
    """The same container on both engines; what Podman really limits and takes away stays."""
    docker = container(
        "b",
        "web",
        Config={
            "Image": "x",
            "Hostname": "b" * 12,
            "Env": ["PATH=/usr/bin", "A=1", "B=2"],
            "Cmd": ["serve"],
            "ExposedPorts": {"8000/tcp": {}},
        },
        HostConfig={
            "NetworkMode": "default",
            "PortBindings": {"8000/tcp": [{"HostIp": "", "HostPort": "8080"}]},
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "ShmSize": 67108864,
        },
        Mounts=[{"Type": "volume", "Name": "c" * 64, "Destination": "/data", "RW": True}],
        NetworkSettings={"Networks": {"bridge": {}}},
    )
    options = Options(disclosure=Disclosure(KEY))
    podman = read(podman_container("a", "web"), image(), options).items
    own = {"capabilities-dropped", "limit:pids", "ulimit:nofile"}
    assert own < podman.keys()
    assert {item: body for item, body in podman.items() if item not in own} == read(docker, image(), options).items


def test_replicas_of_one_command_have_one_configuration() -> None:
    one, other = (read(podman_container(identifier, f"web-{identifier}"), image(), Options()) for identifier in "ab")
    assert one.hash == other.hash


def test_an_image_is_configured_as_a_container_of_it_that_was_given_nothing() -> None:
    config = {
        "Env": ["LANG=C.UTF-8", "A=b=c"],
        "Entrypoint": ["/usr/bin/serve"],
        "Cmd": ["serve", "--workers", "2"],
        "User": "nobody",
        "ExposedPorts": {"8000/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "true"]},
        "Labels": {"org.opencontainers.image.version": "1.4"},
    }
    options = Options(disclosure=Disclosure(Key(b"k" * 16)))
    found = of_image(config, options)
    running = container("a", "web", Config={"Image": "web", **config})
    both = read(running, image(Config=config), options)
    assert found.status is Status.OK
    assert found.items.keys() >= {"env:A", "entrypoint", "command", "user", "workdir", "healthcheck", "port:8000/tcp"}
    assert found.items == {name: body for name, body in both.items.items() if name in found.items}


@pytest.mark.parametrize("config", [{}, {"Env": None, "Cmd": None, "ExposedPorts": None, "WorkingDir": ""}])
def test_an_image_that_says_nothing_has_what_an_engine_takes_then(config: dict[str, None]) -> None:
    assert of_image(config, Options()).items == {"workdir": {"value": "/"}, "healthcheck": {"value": False}}
