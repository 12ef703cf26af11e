"""Tests of what a lock, a list, a Dockerfile and a compose file declare, and of what they do not."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Options
from envparity_agent.fingerprint import Attributes, Fingerprint, Reason, Status
from envparity_agent.targets import fingerprint
from envparity_server.compare.model import Severity
from envparity_server.compare.scope import parse_scope
from envparity_server.gating.model import Report, Standing, Verdict
from tests.agent.trees import put
from tests.server.gating.asking import gated, standings
from tests.server.gating.images import DEBS, NEW_BASE, OLD_BASE, PINS, image, inside, running
from tests.server.making import host, packages, section, versions

DECLARED, FAILS = Standing.DECLARED, Standing.FAILS

UV_LOCK = """\
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "flask"
version = "3.1"
source = { registry = "https://example.org/simple" }
dependencies = [
    { name = "idna" },
    { name = "tomli", marker = "python_full_version < '3.11'" },
]

[[package]]
name = "idna"
version = "3.7"
source = { registry = "https://example.org/simple" }

[[package]]
name = "itsdangerous"
version = "2.2"
source = { registry = "https://example.org/simple" }

[[package]]
name = "shop"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "flask" },
    { name = "itsdangerous" },
]

[package.optional-dependencies]
mail = [
    { name = "premailer" },
]

[[package]]
name = "premailer"
version = "3.10"
source = { registry = "https://example.org/simple" }

[[package]]
name = "tomli"
version = "2.0"
source = { registry = "https://example.org/simple" }
"""


def file(place: Path, name: str, content: str) -> Fingerprint:
    """What a file declares, as it is read."""
    return fingerprint(str(put(place, name, content)), Options())


@pytest.fixture
def lock(tmp_path: Path) -> Fingerprint:
    """The lock of the release."""
    return file(tmp_path, "uv.lock", UV_LOCK)


def environment(pins: Mapping[str, str], more: Mapping[str, Attributes] | None = None) -> Fingerprint:
    """A Python environment, of which Python 3.12 is known."""
    items = {"@python": {"version": "3.12.1", "abi": "3.12", "role": "venv"}, **versions(pins), **(more or {})}
    return host(section("python/srv/shop", items, schema=2), kind="python", name=".venv")


PROD = {"flask": "3.0", "idna": "3.7", "six": "1.17"}
RELEASE = {"flask": "3.1", "idna": "3.7", "itsdangerous": "2.2"}


def test_a_release_whose_every_change_is_in_its_lock_passes(lock: Fingerprint) -> None:
    report = gated(environment(RELEASE), environment(PROD), declared=(lock,))
    assert standings(report) == {
        ("flask", "version"): DECLARED, ("itsdangerous", "version"): DECLARED, ("six", "version"): DECLARED,
    }  # fmt: skip
    assert {one.why for one in report.findings} == {lock.target.name}
    assert (report.verdict, report.summary) == (
        Verdict.PARITY,
        "2 items the same as env:prod, none differs at low or over; 3 declared",
    )


def test_one_change_that_is_not_in_the_lock_fails_and_is_named_beside_those_that_are(lock: Fingerprint) -> None:
    report = gated(environment({**RELEASE, "idna": "3.6"}), environment(PROD), declared=(lock,))
    assert standings(report)[("idna", "version")] == FAILS
    assert (report.verdict, report.summary) == (Verdict.DRIFT, "3 declared, 1 undeclared: idna 3.7 → 3.6")


def test_what_the_subject_has_and_the_lock_says_otherwise_is_not_declared(lock: Fingerprint) -> None:
    report = gated(environment({**RELEASE, "flask": "3.2"}), environment(PROD), declared=(lock,))
    assert standings(report)[("flask", "version")] == FAILS


def test_what_is_added_past_the_lock_is_not_declared(lock: Fingerprint) -> None:
    report = gated(environment({**RELEASE, "rich": "13"}), environment(PROD), declared=(lock,))
    assert standings(report)[("rich", "version")] == FAILS


def test_what_the_lock_has_in_an_extra_that_nobody_chose_is_not_declared_to_be_gone(lock: Fingerprint) -> None:
    report = gated(environment(RELEASE), environment({**PROD, "premailer": "3.10"}), declared=(lock,))
    assert standings(report)[("premailer", "version")] == FAILS


def test_what_the_lock_has_for_other_interpreters_alone_is_declared_to_be_gone(lock: Fingerprint) -> None:
    report = gated(environment(RELEASE), environment({**PROD, "tomli": "2.0"}), declared=(lock,))
    assert standings(report)[("tomli", "version")] == DECLARED


def test_what_a_second_file_names_is_not_gone_by_a_lock(lock: Fingerprint, tmp_path: Path) -> None:
    more = file(tmp_path, "requirements.txt", "flask==3.1\nidna==3.7\nsix==1.17\nitsdangerous==2.2\n")
    report = gated(environment(RELEASE), environment(PROD), declared=(lock, more))
    assert standings(report)[("six", "version")] == FAILS


def test_a_list_declares_versions_and_nothing_to_be_gone(tmp_path: Path) -> None:
    listed = file(tmp_path, "requirements.txt", "flask==3.1\nidna\nitsdangerous>=2\n")
    report = gated(environment(RELEASE), environment(PROD), declared=(listed,))
    assert standings(report) == {
        ("flask", "version"): DECLARED, ("itsdangerous", "version"): DECLARED, ("six", "version"): FAILS,
    }  # fmt: skip


def test_a_name_without_a_version_declares_that_it_is_there_and_no_version(tmp_path: Path) -> None:
    listed = file(tmp_path, "requirements.txt", "flask\nidna\nitsdangerous\n")
    report = gated(environment(RELEASE), environment(PROD), declared=(listed,))
    assert standings(report) == {
        ("flask", "version"): FAILS, ("itsdangerous", "version"): DECLARED, ("six", "version"): FAILS,
    }  # fmt: skip


def test_a_range_declares_each_version_within_it(tmp_path: Path) -> None:
    for specifier, standing in ((">=3,<4", DECLARED), (">=4", FAILS)):
        listed = file(tmp_path, "requirements.txt", f"flask{specifier}\nidna\nsix\n")
        report = gated(environment({**PROD, "flask": "3.1"}), environment(PROD), declared=(listed,))
        assert standings(report) == {("flask", "version"): standing}


def test_other_content_of_the_version_that_the_lock_names_is_not_declared(lock: Fingerprint) -> None:
    def built(content: str) -> Fingerprint:
        return environment(
            {"idna": "3.7", "itsdangerous": "2.2"},
            {"flask": {"version": "3.1", "content": content, "code": content, "tags": ("py3-none-any",)}},
        )

    report = gated(built("sha256:a"), built("sha256:b"), declared=(lock,))
    assert standings(report) == {("flask", "content"): FAILS}


def test_another_interpreter_is_not_declared_by_the_range_that_a_lock_is_for(lock: Fingerprint) -> None:
    other = environment(RELEASE, {"@python": {"version": "3.13.0", "abi": "3.13", "role": "venv"}})
    report = gated(other, environment(RELEASE), declared=(lock,))
    assert {one.standing for one in report.findings if one.item == "@python"} == {FAILS}


def test_what_could_not_be_compared_is_not_declared_away(lock: Fingerprint) -> None:
    split = environment({"idna": "3.7"}, {"flask": {"split": ("3.0: 1 host", "3.1: 1 host")}})
    report = gated(environment({"flask": "3.1", "idna": "3.7"}), split, declared=(lock,))
    assert (report.verdict, standings(report)) == (Verdict.UNKNOWN, {("flask", ""): Standing.UNKNOWN})


def test_a_lock_that_is_only_the_nearest_to_an_environment_declares_nothing_of_it(lock: Fingerprint) -> None:
    def with_ansible(version: str) -> Fingerprint:
        return host(section("python"), packages({"ansible": version, "flask": "3.1"}, "python/opt/ansible"))

    report = gated(with_ansible("9"), with_ansible("8"), declared=(lock,))
    assert standings(report) == {("ansible", "version"): FAILS}


def test_a_fingerprint_of_a_host_declares_nothing() -> None:
    report = gated(environment(RELEASE), environment(PROD), declared=(environment(RELEASE),))
    assert {one.standing for one in report.findings} == {FAILS}


# --- Dockerfiles -----------------------------------------------------------------------------------------------------

FROM_TAG = "FROM debian:bookworm\nRUN pip install flask==3.1\nENV PYTHONUTF8=2\nCOPY . /app\n"
FROM_DIGEST = FROM_TAG.replace("bookworm", f"bookworm@sha256:{'b' * 64}")


def built(place: Path, content: str) -> Fingerprint:
    """What a Dockerfile declares."""
    return file(place, "shop/Dockerfile", content)


def of_items(report: Report) -> dict[str, tuple[Standing, str]]:
    """How each item stands, and how it came."""
    return {one.item: (one.standing, one.origin) for one in report.findings}


def test_a_new_image_is_what_its_dockerfile_declares(tmp_path: Path) -> None:
    subject = image(*inside({**PINS, "flask": "3.1"}), env="2")
    report = gated(subject, running(), declared=(built(tmp_path, FROM_TAG),))
    assert report.verdict == Verdict.PARITY, report.summary
    assert {item: standing for item, (standing, _) in of_items(report).items()} == {
        "image": DECLARED, "code": DECLARED, "env:PYTHONUTF8": DECLARED, "flask": DECLARED,
    }  # fmt: skip
    assert next(one.why for one in report.findings if one.item == "image").startswith("built from ")


def test_a_setting_that_the_dockerfile_says_otherwise_is_not_declared(tmp_path: Path) -> None:
    report = gated(image(env="3"), running(), declared=(built(tmp_path, FROM_TAG),))
    assert of_items(report)["env:PYTHONUTF8"][0] == FAILS


def test_a_new_image_without_a_dockerfile_fails() -> None:
    report = gated(image(), running())
    assert (report.verdict, of_items(report)["image"][0]) == (Verdict.DRIFT, FAILS)


def test_a_new_image_whose_packages_were_not_looked_at_is_not_declared(tmp_path: Path) -> None:
    dockerfile = built(tmp_path, FROM_TAG)
    scoped = gated(image(), running(), parse_scope("container"), declared=(dockerfile,))
    assert of_items(scoped)["image"][0] == FAILS
    blind = [one for one in inside() if one.path != "os-packages"]
    unread = image(*blind, section("os-packages", {}, Status.FAILED, Reason.INVALID, schema=2))
    assert of_items(gated(unread, running(), declared=(dockerfile,)))["image"][0] == FAILS


def test_another_platform_is_not_declared(tmp_path: Path) -> None:
    report = gated(image(platform="linux/arm64"), running(), declared=(built(tmp_path, FROM_TAG),))
    assert standings(report)[("image", "platform")] == FAILS


def test_uncommitted_changes_are_not_declared(tmp_path: Path) -> None:
    def with_code(side: Fingerprint, path: str, dirty: bool) -> Fingerprint:
        code = section(path, {"code": {"commit": "c", "dirty": dirty, "changes": "x"}}, kind="application")
        return host(*{**side.sections, path: code}.values(), kind=side.target.kind)

    report = gated(
        with_code(image(), "image/app", True),
        with_code(running(), "container/shop.web/app", False),
        declared=(built(tmp_path, FROM_TAG),),
    )
    assert standings(report)[("code", "dirty")] == FAILS


def moved() -> Fingerprint:
    """An image on a base that has moved under its tag, with another libssl3, and its library."""
    libraries: dict[str, Attributes] = {"libssl.so.3": {"version": "3.0.11", "owner": "deb:libssl3 3.0.11-1"}}
    return image(*inside(debs={**DEBS, "libssl3": "3.0.11-1"}, libraries=libraries), layers=NEW_BASE)


def based() -> Fingerprint:
    """The container of the base before."""
    libraries: dict[str, Attributes] = {"libssl.so.3": {"version": "3.0.15", "owner": "deb:libssl3 3.0.15-1"}}
    return running(*inside(libraries=libraries))


def test_what_came_along_with_a_base_that_moved_under_its_tag_fails_and_names_it(tmp_path: Path) -> None:
    report = gated(moved(), based(), declared=(built(tmp_path, FROM_TAG),))
    came = "via base image debian:bookworm (digest moved)"
    assert {item: told for item, told in of_items(report).items() if item in ("libssl3", "libssl.so.3")} == {
        "libssl3": (FAILS, came), "libssl.so.3": (FAILS, came),
    }  # fmt: skip
    assert report.summary.startswith("2 declared, 2 undeclared: lib")
    assert f"3.0.15 → 3.0.11 {came}" in report.summary.replace("-1", "")


def test_what_came_along_with_a_base_that_the_dockerfile_names_by_its_digest_is_declared(tmp_path: Path) -> None:
    dockerfile = built(tmp_path, FROM_DIGEST)
    report = gated(moved(), based(), declared=(dockerfile,))
    assert {standing for standing, _ in of_items(report).values()} == {DECLARED}
    assert report.verdict == Verdict.PARITY
    (libssl,) = [one for one in report.findings if one.item == "libssl3"]
    assert (libssl.why, libssl.origin) == (
        f"{dockerfile.target.name}: the base image by its digest",
        "via base image debian:bookworm (digest moved)",
    )


@pytest.mark.parametrize("step", ["RUN apt-get install -y nginx", "RUN apt-get update && apt-get upgrade -y"])
def test_a_digest_declares_no_packages_where_the_dockerfile_installs_others(tmp_path: Path, step: str) -> None:
    report = gated(moved(), based(), declared=(built(tmp_path, f"{FROM_DIGEST}{step}\n"),))
    assert of_items(report)["libssl3"][0] == FAILS


def test_a_digest_declares_no_packages_of_an_image_that_says_it_is_based_on_another_one(tmp_path: Path) -> None:
    other = f"docker.io/library/debian:bookworm@sha256:{'c' * 64}"
    subject = moved()
    told = {"image": {**subject.sections["image"].items["image"], "base": other}}
    sections = {**subject.sections, "image": section("image", told, kind="container", schema=2)}
    report = gated(host(*sections.values(), kind="image"), based(), declared=(built(tmp_path, FROM_DIGEST),))
    assert of_items(report)["libssl3"][0] == FAILS


def test_a_digest_declares_no_packages_of_an_image_whose_base_is_the_same(tmp_path: Path) -> None:
    subject = image(*inside(debs={**DEBS, "libssl3": "3.0.11-1"}), layers=OLD_BASE)
    report = gated(subject, running(), declared=(built(tmp_path, FROM_DIGEST),))
    assert of_items(report)["libssl3"] == (FAILS, "")


def test_a_package_that_the_dockerfile_pins_is_declared_with_its_library(tmp_path: Path) -> None:
    dockerfile = built(tmp_path, f"{FROM_TAG}RUN apt-get install -y libssl3=3.0.11-1\n")
    report = gated(moved(), based(), declared=(dockerfile,))
    assert (of_items(report)["libssl3"][0], of_items(report)["libssl.so.3"][0]) == (DECLARED, DECLARED)
    unpinned = built(tmp_path, f"{FROM_TAG}RUN apt-get install -y libssl3\n")
    report = gated(moved(), based(), declared=(unpinned,))
    assert (of_items(report)["libssl3"][0], of_items(report)["libssl.so.3"][0]) == (FAILS, FAILS)


def test_a_package_that_is_gone_is_not_declared_by_a_dockerfile(tmp_path: Path) -> None:
    subject = image(*inside(debs={"libssl3": "3.0.15-1", "tzdata": "2024a"}))
    report = gated(subject, running(), declared=(built(tmp_path, FROM_TAG),))
    assert of_items(report)["curl"][0] == FAILS


def test_a_dockerfile_declares_nothing_of_a_host(tmp_path: Path) -> None:
    mine = host(section("os-packages", {"curl": {"version": "8"}}, schema=2))
    other = host(section("os-packages", {"curl": {"version": "7"}}, schema=2))
    dockerfile = built(tmp_path, "FROM debian:bookworm\nRUN apt-get install curl=8\n")
    assert standings(gated(mine, other, declared=(dockerfile,))) == {("curl", "version"): FAILS}


# --- compose files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "standing"), [("docker.io/library/web:1", DECLARED), ("docker.io/library/web:2", FAILS)]
)
def test_a_compose_file_declares_another_tag_and_not_that_a_tag_moved(
    tmp_path: Path, before: str, standing: Standing
) -> None:
    compose = file(tmp_path, "shop/compose.yaml", "services:\n  web:\n    image: web:2\n")

    def runs(reference: str, digest: str) -> Fingerprint:
        own: Attributes = {"reference": reference, "config": digest, "content": digest, "platform": "linux/amd64"}
        return host(section("containers"), section("container/shop.web", {"image": own}, schema=2))

    report = gated(
        runs("docker.io/library/web:2", "sha256:b"), runs(before, "sha256:a"), threshold=Severity.MEDIUM,
        declared=(compose,),
    )  # fmt: skip
    assert {one.standing for one in report.findings} == {standing}
