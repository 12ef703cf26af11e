"""Tests of what is inside a container: it goes with its container, and its gaps are its own."""

from envparity_agent.fingerprint import Section, Status
from envparity_server.compare.covering import container_of, covering
from envparity_server.compare.differences import compare
from envparity_server.compare.model import State
from tests.server.making import ENGINE, SEARCHED, host, packages, section, told

WEB = section("container/web", {"image": {"config": "sha256:a", "platform": "linux/amd64"}})
INSIDE = section("container/web/python", kind="python-search")


def inside(version: str, path: str = "container/web/python/usr/lib/python3.11") -> Section:
    return section(path, {"idna": {"version": version}}, kind="python")


def test_a_nested_section_belongs_to_the_container_whose_name_may_have_slashes() -> None:
    pod = section("container/shop/web/server", kind="container")
    sections = {one.path: one for one in (pod, WEB)}
    assert container_of(sections, "container/shop/web/server/python/usr/lib/python3.11") == pod.path
    assert container_of(sections, "container/web/os") == "container/web"
    assert container_of(sections, "container/api/os") == container_of(sections, "container/web") == ""


def test_what_is_inside_a_container_is_listed_by_its_own_search() -> None:
    found = host(ENGINE, SEARCHED, WEB, INSIDE)
    assert covering(found, "container/web/python/opt/app") == INSIDE
    assert covering(found, "container/web") == ENGINE
    assert covering(found, "python/opt/app") == SEARCHED


def test_a_container_that_only_one_side_has_is_one_difference_with_all_that_is_in_it() -> None:
    comparison = compare(host(ENGINE, SEARCHED, WEB, INSIDE, inside("3.7")), host(ENGINE, SEARCHED))
    assert told(comparison) == [("container/web", "", "", State.ONLY_LEFT, None)]


def test_a_package_inside_a_container_is_compared() -> None:
    left, right = (host(ENGINE, SEARCHED, WEB, INSIDE, inside(version)) for version in ("3.4", "3.7"))
    assert [(one.section, one.item) for one in compare(left, right).differences] == [(inside("").path, "idna")]


def test_an_environment_that_only_one_container_has_is_unknown_where_the_other_could_not_be_searched() -> None:
    closed = section("container/web/python", None, Status.ABSENT, "consent", kind="python-search")
    comparison = compare(host(ENGINE, SEARCHED, WEB, INSIDE, inside("3.7")), host(ENGINE, SEARCHED, WEB, closed))
    assert {one.state for one in comparison.differences} == {State.UNKNOWN}


def test_environments_of_a_host_are_never_held_against_those_of_its_containers() -> None:
    same = {"a": "1", "b": "2", "c": "3"}
    left = host(ENGINE, SEARCHED, packages(same, "python/srv/app"), packages(same, "python/srv/other"))
    one, other = inside("1", "container/web/python/opt/app"), inside("1", "container/web/python/opt/more")
    right = host(
        ENGINE, SEARCHED, WEB, INSIDE, *(Section(two.path, "python", 1, packages(same).items) for two in (one, other))
    )
    assert compare(left, right).pairs == ()


def test_an_item_of_a_kind_that_an_older_agent_does_not_collect_is_no_difference() -> None:
    old = section("containers", {"engine": {"version": "26.1", "cgroup": "2"}})
    new = section("containers", {**old.items, "consent": {"level": "inside"}}, schema=2)
    assert told(compare(host(old), host(new))) == told(compare(host(new), host(old))) == []


def test_an_image_is_held_against_a_container_with_its_configuration_and_code() -> None:
    image = {"image": {"config": "sha256:a", "platform": "linux/amd64"}}
    left = host(
        section("image", image, kind="container", schema=2),
        section("image/config", {"user": {"value": "app"}}, kind="configuration"),
        section("image/app", {"file:main.py": {"content": "sha256:1"}}, kind="application"),
        kind="image",
    )
    right = host(
        section("container/web", image, kind="container", schema=2),
        section("container/web/config", {"user": {"value": "root"}}, kind="configuration"),
        section("container/web/app", {"file:main.py": {"content": "sha256:2"}}, kind="application"),
        kind="container",
    )
    assert [(one.section, one.item) for one in compare(left, right).differences] == [
        ("image/app", "file:main.py"),
        ("image/config", "user"),
    ]
