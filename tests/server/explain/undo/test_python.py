"""Tests of undoing what differs in a Python distribution, in the tool that made its environment."""

from typing import Any

import pytest

from envparity_agent.fingerprint import Attributes, Section
from tests.server.explain.undoing import both, dist, note, side, steps, venv

PIP = "/srv/app/.venv/bin/python -m pip"
SHA = "sha256:" + "ab" * 32
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def to(good: Attributes | None, bad: Attributes | None, **interpreter: Any) -> list[str]:
    """The steps where two environments differ in one distribution."""
    return steps(*both(side(venv({"urllib3": one} if one else {}, **interpreter)) for one in (good, bad)), "urllib3")


def told(good: Attributes | None, bad: Attributes | None) -> str:
    """What the note says of these."""
    return note(*both(side(venv({"urllib3": one} if one else {})) for one in (good, bad)), "urllib3")


def test_another_version_is_pinned_with_the_environments_own_pip() -> None:
    assert to(dist("1.26.18"), dist("2.2.1")) == [f"{PIP} install urllib3==1.26.18"]


def test_what_uv_installed_is_pinned_with_uv() -> None:
    by_uv = [dist(version, installer="uv") for version in ("1.26.18", "2.2.1")]
    assert to(by_uv[0], by_uv[1]) == ["uv pip install --python /srv/app/.venv urllib3==1.26.18"]


def test_an_environment_that_uv_made_has_no_pip() -> None:
    assert to(dist("1.26.18"), None, creator="uv") == ["uv pip install --python /srv/app/.venv urllib3==1.26.18"]


@pytest.mark.parametrize(("installer", "step"), [
    ("poetry 1.8.2", "poetry add urllib3==1.26.18"),
    ("pdm", "pdm add urllib3==1.26.18"),
])  # fmt: skip
def test_a_project_is_asked_by_its_own_tool(installer: str, step: str) -> None:
    assert to(dist("1.26.18", installer=installer), dist("2.2.1", installer=installer)) == [step]


def test_what_pipx_keeps_is_pinned_through_pipx() -> None:
    path = "python/root/.local/share/pipx/venvs/black"
    sides = [side(venv({"click": dist(version)}, path)) for version in ("8.1.7", "8.2.1")]
    assert steps(*both(sides), "click") == ["pipx runpip black install click==8.1.7"]


def test_what_is_missing_is_installed() -> None:
    assert to(dist("1.26.18"), None) == [f"{PIP} install urllib3==1.26.18"]


def test_what_was_added_is_uninstalled() -> None:
    assert to(None, dist("2.2.1")) == [f"{PIP} uninstall -y urllib3"]


def test_what_was_added_and_is_required_stays_and_the_note_says_by_what() -> None:
    needed = {"requests": dist("2.31.0", "urllib3>=1.21"), "urllib3": dist("2.2.1")}
    sides = side(venv({"requests": dist("2.31.0", "urllib3>=1.21")})), side(venv(needed))
    assert steps(*sides, "urllib3") == []
    assert note(*both(sides), "urllib3") == (
        "The good side does not have urllib3, but here requests requires urllib3>=1.21."
    )


def test_an_added_one_goes_with_the_version_that_asked_for_it() -> None:
    good = side(venv({"slugify": dist("6.1.2")}))
    bad = side(venv({"slugify": dist("8.0.4", "unidecode>=1.3"), "unidecode": dist("1.3")}))
    assert steps(good, bad, "unidecode") == [f"{PIP} install slugify==6.1.2", f"{PIP} uninstall -y unidecode"]


def test_what_would_be_broken_goes_back_as_well_and_nothing_else() -> None:
    good = side(venv({
        "flask": dist("2.3.3", "werkzeug>=2.3.7"), "werkzeug": dist("2.3.8"), "idna": dist("3.4"),
    }))  # fmt: skip
    bad = side(venv({
        "flask": dist("3.0.3", "werkzeug>=3.0.0"), "werkzeug": dist("3.0.3"), "idna": dist("3.7"),
    }))  # fmt: skip
    assert steps(good, bad, "werkzeug") == [f"{PIP} install werkzeug==2.3.8 flask==2.3.3"]
    assert note(good, bad, "werkzeug") == "flask 2.3.3 goes with it, as flask requires werkzeug>=3.0.0."


def test_what_it_needs_itself_comes_with_it() -> None:
    good = side(venv({"slugify": dist("6.1.2", "unidecode>=1.3"), "unidecode": dist("1.3")}))
    bad = side(venv({"slugify": dist("8.0.4")}))
    assert steps(good, bad, "slugify") == [f"{PIP} install slugify==6.1.2 unidecode==1.3"]


def test_a_requirement_that_no_version_helps_is_named() -> None:
    bad = {"urllib3": dist("2.2.1"), "new": dist("1.0", "urllib3>=2")}
    sides = side(venv({"urllib3": dist("1.26.18")})), side(venv(bad))
    assert note(*both(sides), "urllib3") == "No version of the good side helps: new requires urllib3>=2."


def test_requirements_that_the_good_side_lacks_are_not_fetched() -> None:
    assert to(dist("1.26.18", "brotli"), dist("2.2.1")) == [f"{PIP} install --no-deps urllib3==1.26.18"]
    assert "brotli is not fulfilled" in told(dist("1.26.18", "brotli"), dist("2.2.1"))


def test_a_version_that_is_not_made_for_the_python_is_said_so() -> None:
    sides = [side(venv({"urllib3": dist("1.26.18", requires_python="<3.11")})), side(venv({"urllib3": dist("2.2.1")}))]
    assert note(*both(sides), "urllib3") == "urllib3 1.26.18 requires Python <3.11, and the bad side has 3.11.2."


def test_a_commit_is_installed_as_that_commit() -> None:
    good = dist("1.0", source="https://example.org/urllib3.git", commit=COMMIT)
    assert to(good, dist("1.1")) == [f"{PIP} install 'urllib3 @ git+https://example.org/urllib3.git@{COMMIT}'"]


def test_an_archive_is_installed_from_where_it_is_by_its_hash() -> None:
    good = dist("1.0", source="https://example.org/urllib3-1.0-py3-none-any.whl", archive=(SHA,))
    url = "https://example.org/urllib3-1.0-py3-none-any.whl"
    assert to(good, dist("1.1")) == [f"{PIP} install 'urllib3 @ {url}#{SHA.replace(':', '=')}'"]


def test_a_url_that_is_not_told_is_not_invented() -> None:
    good = dist("1.0", source="https://…", commit=COMMIT)
    assert to(good, dist("1.1")) == [f"{PIP} install urllib3==1.0"]
    assert told(good, dist("1.1")) == f"The good side has it from a URL that is not told, commit {COMMIT}."


def test_a_local_version_needs_its_own_index() -> None:
    assert told(dist("2.1+cu121"), dist("2.1+cpu")) == (
        "2.1+cu121 is a local version: name the index that has it with --extra-index-url."
    )


def test_the_same_version_is_installed_once_more_without_the_rest() -> None:
    assert to(dist("1.0", content="a", code="a"), dist("1.0", content="b", code="b")) == [
        f"{PIP} install --force-reinstall --no-deps urllib3==1.0"
    ]


def test_the_same_version_is_taken_by_the_hash_of_its_archive() -> None:
    assert to(dist("1.0", content="a", code="a", archive=(SHA,)), dist("1.0", content="b", code="b")) == [
        f"echo 'urllib3==1.0 --hash={SHA}' | {PIP} install --force-reinstall --no-deps -r /dev/stdin"
    ]


def test_what_was_built_in_place_is_taken_as_the_wheel_that_the_good_side_has() -> None:
    wheel = dist("1.0", content="a", code="a", tags=("cp311-cp311-manylinux_2_17_x86_64",))
    built = dist("1.0", content="b", code="b", tags=("cp311-cp311-linux_x86_64",))
    again = f"{PIP} install --force-reinstall --no-deps"
    assert to(wheel, built) == [f"{again} --only-binary urllib3 urllib3==1.0"]
    assert to(built, wheel) == [f"{again} --no-binary urllib3 urllib3==1.0"]


def test_a_checkout_goes_to_the_commit_and_what_is_in_none_is_put_aside() -> None:
    source = {"editable": True, "source": "file:///srv/shop"}
    good, bad = dist("1.0", head=COMMIT, dirty=False, **source), dist("1.0", head="f" * 40, dirty=True, **source)
    assert to(good, bad) == ["git -C /srv/shop stash --include-untracked", f"git -C /srv/shop checkout {COMMIT}"]


def test_a_package_of_condas_is_named_with_its_build() -> None:
    def conda(version: str, build: str) -> Attributes:
        owner = f"conda:numpy {version} {build}"
        return dist(version, installer="conda", owner=owner, build=build, channel="conda-forge")

    sides = [side(venv({"numpy": one}, "python/opt/conda")) for one in (conda("1.26.4", "py_0"), conda("2.0", "py_1"))]
    assert steps(*both(sides), "numpy") == ["conda install -p /opt/conda conda-forge::numpy=1.26.4=py_0"]


def test_what_the_system_brings_is_taken_from_the_system() -> None:
    good, bad = (dist(one, owner=f"deb:python3-urllib3 {one}-1", installer="") for one in ("1.26.12", "2.0.7"))
    assert to(good, bad) == ["apt-get install python3-urllib3=1.26.12-1"]
    assert to(None, bad) == ["apt-get remove python3-urllib3"]
    assert "install urllib3==1.26.18 into a virtual environment" in told(dist("1.26.18"), bad)


def test_in_a_container_it_is_a_line_of_the_dockerfile() -> None:
    def container(version: str) -> tuple[Section, ...]:
        label = {"label:com.docker.compose.service": {"value": "web"}}
        return (
            Section("container/shop.web", "container", 2, {}),
            Section("container/shop.web/config", "configuration", 1, label),
            Section("container/shop.web/python", "python-search", 2),
            venv({"urllib3": dist(version)}, "container/shop.web/python/opt/venv"),
            Section("containers", "containers", 2),
        )

    assert steps(*both(side(*container(one)) for one in ("1.26.18", "2.2.1")), "urllib3") == [
        "Dockerfile: RUN /opt/venv/bin/python -m pip install urllib3==1.26.18",
        "docker compose up -d --build web",
    ]


def declared(name: str, **items: Attributes) -> Section:
    """What a file declares."""
    return Section(f"python/{name}", "declared", 2, items)


@pytest.mark.parametrize(("file", "step"), [
    ("srv/requirements.txt", "srv/requirements.txt:12: urllib3==1.26.18"),
    ("pyproject.toml", 'pyproject.toml:12: "urllib3==1.26.18"'),
    ("environment.yml", "environment.yml:12: - urllib3==1.26.18"),
    ("uv.lock", "uv lock --upgrade-package urllib3==1.26.18"),
    ("poetry.lock", "poetry add urllib3==1.26.18"),
    ("Pipfile.lock", "pipenv upgrade urllib3==1.26.18"),
])  # fmt: skip
def test_in_a_file_it_is_the_line_or_the_command_that_locks_it(file: str, step: str) -> None:
    good = side(venv({"urllib3": dist("1.26.18")}), kind="python", name="/srv/app/.venv")
    bad = side(declared(file.rpartition("/")[2], urllib3={"version": "2.2.1", "line": 12}), kind="declared", name=file)
    assert steps(good, bad, "urllib3") == [step]


def test_the_line_is_that_of_the_included_file() -> None:
    good = side(declared("a.txt", six={"version": "1.16.0", "line": 1}), kind="declared", name="a.txt")
    via: Attributes = {"version": "1.17.0", "line": 3, "via": ("-r base.txt",)}
    bad = side(declared("b.txt", six=via), kind="declared", name="srv/b.txt")
    assert steps(good, bad, "six") == ["srv/base.txt:3: six==1.16.0"]
    assert note(good, bad, "six") == "What the others require is not told: this is not checked against it."


def test_hashes_of_a_locked_file_are_renewed_with_the_pin() -> None:
    good = side(
        declared("a.txt", six={"version": "1.16.0", "line": 1, "hashes": (SHA,)}), kind="declared", name="a.txt"
    )
    locked: Attributes = {"version": "1.17.0", "line": 3, "hashes": ("sha256:" + "0" * 64,)}
    bad = side(declared("b.txt", six=locked), kind="declared", name="b.txt")
    assert steps(good, bad, "six") == [f"b.txt:3: six==1.16.0 --hash={SHA}"]


def test_what_a_file_should_not_ask_for_is_commented_out() -> None:
    good = side(declared("a.txt", idna={"version": "3.4"}), kind="declared", name="a.txt")
    bad = side(declared("b.txt", idna={"version": "3.4"}, six={"version": "1.17.0", "line": 2}), kind="declared",
               name="b.txt")  # fmt: skip
    assert steps(good, bad, "six") == ["b.txt:2: # six==1.17.0"]


def test_files_that_were_changed_in_place_are_put_back_at_the_version_that_is_there() -> None:
    there = venv({"urllib3": dist("1.26.18")})
    patched: Attributes = {"modified": ("urllib3/util.py",), "content": "sha256:x"}
    verified = [Section("verify/srv/app/.venv", "python-files", 1, one) for one in ({}, {"urllib3": patched})]
    good, bad = (side(there, one) for one in verified)
    assert steps(good, bad, "urllib3") == [f"{PIP} install --force-reinstall --no-deps urllib3==1.26.18"]
    assert note(bad, good, "urllib3").startswith("On the good side urllib3/util.py of urllib3 was changed in place")


def test_a_second_copy_has_no_remedy() -> None:
    items = {"idna": dist("3.7"), "idna#lib/python3.11/site-packages": dist("3.4")}
    assert steps(side(venv({"idna": dist("3.7")})), side(venv(items)), "idna#lib/python3.11/site-packages") == []


@pytest.mark.parametrize("version", ["1.0 --index-url=//evil", "1.0\nsix", "$(id)", "-r/etc/passwd"])
def test_a_version_that_could_be_anything_else_is_in_no_step(version: str) -> None:
    assert to(dist(version), dist("2.2.1")) == []


def test_an_environment_of_which_only_the_name_is_known_is_the_one_that_is_active() -> None:
    named = [Section("python/shop", "python", 2, {"six": dist(one)}, observed={"location": "/srv/shop/venv"})
             for one in ("1.16.0", "1.17.0")]  # fmt: skip
    assert steps(*both(side(one) for one in named), "six") == ["/srv/shop/venv/bin/python -m pip install six==1.16.0"]
