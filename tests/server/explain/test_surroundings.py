"""Tests of what is around the packages: code, patched files, variables, keys, mounts, images, the system."""

from dataclasses import replace

import pytest

from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_server.explain.failures import parse_failure
from envparity_server.explain.surroundings import surroundings
from tests.server.explain.situations import Found, causes, environment, situation
from tests.server.making import host, section


def sides(good: Section, bad: Section, *common: Section) -> dict[str, Found]:
    """The causes between two hosts."""
    more = (section("python", schema=2), section("services", kind="configuration"), section("containers"), *common)
    return causes(host(*more, good), host(*more, bad))


def of_kind(path: str, kind: str, good: dict[str, Attributes], bad: dict[str, Attributes]) -> dict[str, Found]:
    """The causes between two sections of one kind."""
    return sides(section(path, good, kind=kind, schema=2), section(path, bad, kind=kind, schema=2))


def test_a_variable_that_is_missing_weighs_more_than_one_that_changed_or_was_added() -> None:
    found = of_kind(
        "service/shop", "configuration",
        {"env:GONE": {"hmac": "a", "key": "k"}, "env:OTHER": {"hmac": "a", "key": "k"}},
        {"env:NEW": {"hmac": "a", "key": "k"}, "env:OTHER": {"hmac": "b", "key": "k"}},
    )  # fmt: skip
    assert list(found) == ["env:GONE", "env:OTHER", "env:NEW"]
    assert found["env:GONE"].reasons == ("the bad side lacks the environment variable GONE",)


@pytest.mark.parametrize("name", ["TZ", "PYTHONOPTIMIZE", "LC_ALL"])
def test_a_variable_that_python_reads_itself_weighs_more_than_one_that_only_the_application_may_read(name: str) -> None:
    good: dict[str, Attributes] = {"env:SHOP": {"value": "a"}}
    bad: dict[str, Attributes] = {"env:SHOP": {"value": "b"}, f"env:{name}": {"value": "2"}}
    found = of_kind("service/shop", "configuration", good, bad)
    assert list(found) == [f"env:{name}", "env:SHOP"]


def test_a_missing_mount_and_a_label_stand_at_the_ends() -> None:
    found = of_kind(
        "service/shop", "configuration",
        {"mount:/data": {"type": "bind"}, "label:a": {"value": "1"}, "port:80/tcp": {"exposed": True}},
        {"label:a": {"value": "2"}, "port:80/tcp": {"exposed": False}},
    )  # fmt: skip
    assert list(found) == ["mount:/data", "port:80/tcp", "label:a"]
    assert found["mount:/data"].says("the bad side lacks the mount at /data")


def test_a_key_of_a_file_is_told_with_the_file() -> None:
    found = of_kind(
        "config/etc/shop.toml", "file",
        {"db.url": {"value": "a"}, "debug": {"value": "no"}}, {"debug": {"value": "yes"}},
    )  # fmt: skip
    assert list(found) == ["db.url", "debug"]
    assert found["db.url"].reasons == ("the bad side lacks the key db.url of /etc/shop.toml",)


def test_a_file_that_is_missing_is_one_cause_and_its_keys_are_none() -> None:
    good = section(
        "config/etc/a.ini", {"@file": {"mode": "0644"}, "a": {"value": "1"}, "b": {"value": "2"}}, kind="file"
    )
    bad = section("config/etc/a.ini", {}, Status.ABSENT, Reason.NOT_INSTALLED, kind="file")
    found = sides(good, bad)
    assert list(found) == ["@file", "a", "b"]
    assert found["@file"].says("the bad side lacks the file /etc/a.ini")
    assert found["a"].score == 0


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ({"commit": "a" * 40}, {"commit": "b" * 40}, "the application's own code is not the same: commit aaaa"),
        ({"commit": "a", "dirty": False}, {"commit": "a", "dirty": True}, "the code of the bad side has changes"),
        ({"commit": "a", "dirty": True}, {"commit": "a", "dirty": False}, "the code of the good side has changes"),
        ({"commit": "a", "dirty": True, "changes": "x"}, {"commit": "a", "dirty": True, "changes": "y"}, "uncommitted"),
        ({"commit": "a"}, {"commit": "a", "shadowed": True}, "a mount hides the code"),
    ],
)
def test_the_application_s_own_code_is_a_strong_suspect(good: Attributes, bad: Attributes, words: str) -> None:
    found = of_kind("app/shop", "application", {"code": good}, {"code": bad})
    assert found["code"].says(words)
    assert found["code"].score == 3


def test_a_file_of_the_application_says_more_than_that_the_code_differs() -> None:
    found = of_kind(
        "app/shop", "application",
        {"code": {"tree": "a"}, "file:a.py": {"content": "1"}, "file:b.json": {"content": "1"}},
        {"code": {"tree": "b"}, "file:a.py": {"content": "2"}},
    )  # fmt: skip
    assert list(found) == ["file:b.json", "file:a.py", "code"]
    assert found["file:b.json"].says("the bad side lacks the application's file b.json")


@pytest.mark.parametrize(
    "beside", ["README.md", "requirements.txt", "tests/test_a.py", "docs/a.py", "dev-requirements.in", "VERSION"]
)
def test_what_lies_beside_the_code_is_no_suspect(beside: str) -> None:
    found = of_kind(
        "app/shop", "application",
        {f"file:{beside}": {"content": "1"}, "file:a.sql": {"content": "1"}},
        {f"file:{beside}": {"content": "2"}, "file:a.sql": {"content": "2"}},
    )  # fmt: skip
    assert found[f"file:{beside}"].score < 0 < found["file:a.sql"].score


def test_what_is_missing_and_no_error_names_weighs_less_than_what_it_names() -> None:
    items: dict[str, Attributes] = {f"file:data/{name}.csv": {"content": "1"} for name in ("rates", "zones")}
    both = [
        host(
            section(
                "app/shop",
                {"code": {"tree": str(len(one))}, "file:app.py": {"content": "1"}, **one},
                kind="application",
            )
        )
        for one in (items, {})
    ]
    failure = parse_failure(
        'Traceback (most recent call last):\n  File "/srv/shop/app.py", line 1, in f\n    open("data/rates.csv")\n'
        "FileNotFoundError: [Errno 2] No such file or directory: 'data/rates.csv'"
    )
    found = surroundings(replace(situation(*both), failure=failure))
    told = {one.suspect.item: one.text for one in found if one.points < 0}
    assert told == {"file:data/zones.csv": "what is missing is named by an error as a rule, and zones.csv is not"}


def test_files_that_were_patched_in_place_are_told_by_name() -> None:
    found = sides(
        section("verify/shop", {}, kind="python-files"),
        section("verify/shop", {"idna": {"modified": ("idna/core.py",), "content": "sha256:1"}}, kind="python-files"),
    )
    assert found["idna"].says("files of idna were modified on the bad side", "idna/core.py")


def test_a_patch_that_the_bad_side_lacks_and_files_that_are_gone_are_told() -> None:
    found = sides(
        section("verify/shop", {"idna": {"modified": ("idna/core.py",)}}, kind="python-files"),
        section("verify/shop", {"six": {"missing": ("a.py", "b.py", "c.py", "d.py")}}, kind="python-files"),
    )
    assert list(found) == ["six", "idna"]
    assert found["six"].says("are missing on the bad side", "a.py, b.py, c.py and 1 more")
    assert found["idna"].says("modified on the good side alone")


def test_files_that_were_patched_unlike_on_both_sides_are_told() -> None:
    found = sides(
        section("verify/shop", {"idna": {"modified": ("a.py",), "content": "sha256:1"}}, kind="python-files"),
        section("verify/shop", {"idna": {"modified": ("a.py",), "content": "sha256:2"}}, kind="python-files"),
    )
    assert found["idna"].says("modified on both sides, and not alike")


def test_another_image_behind_the_same_tag_says_so() -> None:
    def running(config: str, reference: str) -> dict[str, Attributes]:
        return {"image": {"config": config, "reference": reference, "platform": "linux/amd64"}}

    same = of_kind("container/shop", "container", running("sha256:1", "shop:1"), running("sha256:2", "shop:1"))
    other = of_kind("container/shop", "container", running("sha256:1", "shop:1"), running("sha256:2", "shop:2"))
    assert same["image"].says("shop:1 is another image on either side", "the tag is the same")
    assert same["image"].score > other["image"].score


def test_what_was_changed_in_a_running_container_and_one_that_is_missing_are_told() -> None:
    found = of_kind(
        "container/shop", "container",
        {"layer:/etc/a": {"change": "modified"}}, {"layer:/etc/b": {"change": "modified"}},
    )  # fmt: skip
    assert found["layer:/etc/a"].says("by hand in the good container alone")
    assert found["layer:/etc/b"].says("by hand in the bad container")
    more = (section("python"), section("containers"))
    gone = causes(host(*more, section("container/db", {"image": {"config": "a"}})), host(*more))
    assert gone[""].says("the bad side lacks the container container/db")


def test_the_system_and_the_machine_are_told_and_low() -> None:
    found = causes(
        host(
            section("os", {"distribution": {"id": "debian", "version": "12"}, "libc": {"family": "glibc"}}),
            section("os/machine", {"cpu": {"features": ("avx2", "sse2")}, "kernel": {"release": "6.1"}}, kind="machine",
                    schema=2),
            section("os/settings", {"locale:LANG": {"value": "C"}, "sysctl:a": {"value": "1"}}, kind="settings"),
        ),
        host(
            section("os", {"distribution": {"id": "debian", "version": "13"}, "libc": {"family": "musl"}}),
            section("os/machine", {"cpu": {"features": ("sse2",)}, "kernel": {"release": "6.2"}}, kind="machine",
                    schema=2),
            section("os/settings", {"locale:LANG": {"value": "D"}, "sysctl:a": {"value": "2"}}, kind="settings"),
        ),
    )  # fmt: skip
    assert list(found) == ["libc", "cpu", "distribution", "locale:LANG", "sysctl:a", "kernel"]
    assert found["cpu"].says("the processor of the bad side lacks avx2")
    assert found["distribution"].says("version goes from 12 to 13")


def test_every_suspect_that_is_known_has_a_reason() -> None:
    found = sides(environment({"a": {"version": "1"}}), environment({"b": {"version": "1"}}))
    assert all(one.reasons for one in found.values())
