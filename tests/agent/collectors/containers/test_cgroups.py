"""Checks which containers are seen in control groups, by recorded trees of /proc."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.containers.cgroups import containers_of, running
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.collectors.answers import container, running_engine
from tests.agent.roots import fingerprint_of
from tests.agent.trees import put

ONE, TWO, THREE = "1" * 64, "2" * 64, "3" * 64
POD = "kubepods-burstable-pod0fd1f4f4_7c6e_4b7a_8f0c_3d1f2a9b8c7d.slice"


@pytest.mark.parametrize(
    ("path", "runtime"),
    [
        (f"0::/kubepods.slice/kubepods-burstable.slice/{POD}/cri-containerd-{ONE}.scope", "containerd"),
        (f"1:name=systemd:/system.slice/containerd.service/{POD}:cri-containerd:{ONE}", "containerd"),
        (f"0::/system.slice/nerdctl-{ONE}.scope", "containerd"),
        (f"0::/default/{ONE}", "containerd"),
        (f"0::/kubepods.slice/kubepods-burstable.slice/{POD}/crio-{ONE}.scope/container", "cri-o"),
        (f"3:cpuset:/kubepods/burstable/pod0fd1f4f4-7c6e-4b7a-8f0c-3d1f2a9b8c7d/{ONE}", "kubernetes"),
        (f"0::/system.slice/docker-{ONE}.scope", "docker"),
        (f"2:cpu:/docker/{ONE}", "docker"),
        (f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{ONE}.scope/init", "docker"),
        (f"0::/machine.slice/libpod-{ONE}.scope/container", "podman"),
        (f"0::/libpod_parent/libpod-{ONE}", "podman"),
        (f"0::/../../machine.slice/libpod-payload-{ONE}", "podman"),
        (f"0::/something/{ONE}", "other"),
    ],
)
def test_a_containers_group_tells_its_runtime(path: str, runtime: str) -> None:
    assert list(containers_of(path)) == [(ONE, runtime)]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("0::/lxc.payload.web", ("web", "lxc")),
        ("7:pids:/lxc/web/init.scope", ("web", "lxc")),
        ("0::/machine.slice/systemd-nspawn@web.service/payload", ("web", "nspawn")),
        (f"0::/docker/{ONE}/kubelet/kubepods/besteffort/pod1/cri-containerd-{TWO}.scope", (TWO, "containerd")),
        (f"0::/docker/{ONE}/system.slice/cron.service", (ONE, "docker")),
    ],
)
def test_the_innermost_container_counts(path: str, found: tuple[str, str]) -> None:
    assert list(containers_of(path)) == [found]


@pytest.mark.parametrize(
    "path",
    [
        "0::/init.scope",
        "0::/user.slice/user-0.slice/session-1.scope",
        "0::/system.slice/docker.service",
        f"0::/machine.slice/libpod-conmon-{ONE}.scope",
        f"0::/machine.slice/crio-conmon-{ONE}.scope",
        "0::/lxc.monitor.web",
        "2:cpu:/docker/buildkit/abcdefghijklmnopqrstuvwxy",
        f"0::/{ONE[:12]}",
        "",
        ":::",
    ],
)
def test_what_is_no_container_is_none(path: str) -> None:
    assert list(containers_of(path)) == []


@given(st.text())
def test_any_text_is_read(groups: str) -> None:
    list(containers_of(groups))


def processes(root: Path, *groups: str) -> Path:
    for number, group in enumerate(("0::/init.scope", *groups), start=1):
        put(root, f"proc/{number}/cgroup", f"{group}\n")
    return root


def containers(root: Path, url: str | None = None) -> Section:
    return fingerprint_of(root, url).sections["containers"]


def test_containers_of_a_runtime_that_cannot_be_asked_are_unknown_and_not_none(tmp_path: Path) -> None:
    path = f"0::/kubepods.slice/{POD}/cri-containerd-{{}}.scope"
    section = containers(processes(tmp_path, path.format(ONE), path.format(ONE), path.format(TWO), "0::/crio-" + THREE))
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.UNSUPPORTED,))
    assert section.items == {
        "consent": {"level": "inside"},
        "runtime:containerd": {"unseen": True, "count": 2},
        "runtime:cri-o": {"unseen": True, "count": 1},
    }


def test_containers_that_an_engine_told_of_are_not_unseen(tmp_path: Path) -> None:
    with running_engine() as engine:
        engine.has(container("1", "web"))
        seen = containers(processes(tmp_path, f"0::/docker/{ONE}"), engine.url)
        assert seen.status is Status.OK
        assert [item for item in seen.items if item.startswith("runtime:")] == []
        more = containers(processes(tmp_path, f"0::/docker/{ONE}", f"0::/docker/{TWO}"), engine.url)
        assert (more.status, more.items["runtime:docker"]) == (Status.PARTIAL, {"unseen": True, "count": 1})


def test_an_engine_that_does_not_answer_leaves_its_containers_unseen(tmp_path: Path) -> None:
    put(processes(tmp_path, f"0::/docker/{ONE}"), "usr/bin/dockerd")
    section = containers(tmp_path)
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.UNREACHABLE, Reason.UNSUPPORTED))


def test_a_root_that_is_a_container_does_not_count_itself(tmp_path: Path) -> None:
    for number in (1, 2):
        put(tmp_path, f"proc/{number}/cgroup", f"2:cpu:/docker/{ONE}\n")
    with Root(str(tmp_path)) as root:
        assert running(root) == ({}, set())


def test_a_process_that_has_ended_is_passed_over(tmp_path: Path) -> None:
    processes(tmp_path, f"0::/docker/{ONE}")
    put(tmp_path, "proc/77/status")
    put(tmp_path, "proc/self/cgroup", f"0::/docker/{TWO}\n")
    with Root(str(tmp_path)) as root:
        assert running(root) == ({ONE: "docker"}, set())
