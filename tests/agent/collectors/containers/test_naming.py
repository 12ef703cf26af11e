"""Checks what containers are called."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.containers.naming import listed_name, logical_name, named, pod_owner
from tests.agent.collectors.answers import compose, container

NOMAD = "0fd1f4f4-7c6e-4b7a-8f0c-3d1f2a9b8c7d"


def pod(name: str, **labels: str) -> dict[str, str]:
    return {
        "io.kubernetes.pod.namespace": "prod",
        "io.kubernetes.pod.name": name,
        "io.kubernetes.container.name": "app",
        **labels,
    }


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({}, "web-1"),
        (compose("web"), "shop.web"),
        ({**compose("web"), "com.docker.compose.oneoff": "False"}, "shop.web"),
        ({**compose("web"), "com.docker.compose.oneoff": "True"}, "shop.web.run"),
        ({"com.docker.compose.project": "shop"}, "web-1"),
        ({"com.docker.swarm.service.name": "shop_web"}, "shop_web"),
        (pod("web-5d4f8b7c9-x7k2p"), "prod/web/app"),
        ({**compose("web"), "envparity.app": "store"}, "store"),
        (pod("web-5d4f8b7c9-x7k2p", **{"envparity.app": "store"}), "store"),
        ({"envparity.app": ""}, "web-1"),
        ({"envparity.app": "a/../../config"}, "a_.._.._config"),
    ],
    ids=str,
)
def test_a_container_is_called_what_people_call_it(labels: dict[str, str], name: str) -> None:
    inspected = container("a", "web-1", labels)
    assert logical_name(inspected) == name
    assert listed_name({"Id": "a" * 64, "Names": ["/web-1"], "Labels": labels}) == name


@pytest.mark.parametrize("labels", [None, {}])
def test_a_container_without_labels_is_called_by_its_name(labels: Any) -> None:
    assert logical_name(container("a", "web-1", Config={"Image": "x", "Labels": labels})) == "web-1"
    assert listed_name({"Id": "a" * 64}) == "a" * 64


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("web-5d4f8b7c9-abcde", "web"),
        ("web-7b9f64d8cc-x7k2p", "web"),
        ("my-web-app-7b9f64d8cc-x7k2p", "my-web-app"),
        ("agent-x7k2p", "agent"),
        ("db-0", "db"),
        ("db-12", "db"),
        ("backup-28383720-x7k2p", "backup"),
        ("backup-1700000000-x7k2p", "backup"),
    ],
)
def test_a_pod_is_called_by_what_owns_it(name: str, owner: str) -> None:
    assert pod_owner(name) == owner


@pytest.mark.parametrize(
    "name", ["web", "my-cache", "redis-proxy", "api-server", "shop-checkout", "web-01", "postgres-primary", "x7k2p", ""]
)
def test_a_real_name_is_not_eaten(name: str) -> None:
    assert pod_owner(name) == name


@pytest.mark.parametrize(
    ("own", "labels", "name"),
    [
        (f"web-{NOMAD}", {"com.hashicorp.nomad.alloc_id": NOMAD}, "web"),
        (f"web-{NOMAD}", {"com.hashicorp.nomad.alloc_id": NOMAD, "com.hashicorp.nomad.job_name": "shop"}, "shop.web"),
        ("ab12cd34ef56-infra", {}, "infra"),
        ("web-infra", {}, "web-infra"),
    ],
)
def test_names_that_a_runtime_makes_up_are_the_same_everywhere(own: str, labels: dict[str, str], name: str) -> None:
    assert named(labels, f"/{own}") == name


@given(st.text(), st.dictionaries(st.sampled_from([*pod("x"), *compose("x"), "envparity.app"]), st.text()))
def test_any_label_makes_a_name(own: str, labels: dict[str, str]) -> None:
    assert named(labels, own).count("/") <= max(2, own.count("/"))
