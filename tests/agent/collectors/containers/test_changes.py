"""Checks that changes in a container's writable layer are told as what a person did."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.containers.changes import Changed, attributed, topmost_changes
from envparity_agent.fingerprint import Attributes, Reason
from envparity_agent.root import Root
from tests.agent.trees import distribution, put, record

SITE = "/opt/app/.venv/lib/python3.11/site-packages"
MODIFIED, ADDED, DELETED = 0, 1, 2


class Packages:
    """Owners as the package managers' lists tell them."""

    def __init__(self, owners: dict[str, str], reasons: frozenset[str] = frozenset()) -> None:
        self._owners = owners
        self.reasons = reasons

    def of(self, path: str) -> str | None:
        return self._owners.get(path)


def diff(*changes: tuple[int, str]) -> list[dict[str, object]]:
    """What the engine lists for these changes: every directory above a change as modified."""
    kinds = {path: kind for kind, path in changes}
    for path in list(kinds):
        while path := path.rpartition("/")[0]:
            kinds.setdefault(path, MODIFIED)
    return [{"Path": path, "Kind": kind} for path, kind in sorted(kinds.items())]


def told(root: Path, *changes: tuple[int, str], owners: dict[str, str] | None = None) -> dict[str, Attributes]:
    with Root(str(root)) as opened:
        found = attributed(diff(*changes), opened, lambda _: Packages(owners or {}))
    assert not found.reasons
    return dict(found.items)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    place = tmp_path / SITE.lstrip("/")
    place.mkdir(parents=True)
    return place


def test_a_distribution_that_was_installed_is_one_item(tmp_path: Path, site: Path) -> None:
    files = {"six.py": "", "six_more/__init__.py": "", "../../../bin/six": ""}
    distribution(site, "six", "1.17.0", files)
    added = [f"{SITE}/six.py", f"{SITE}/six_more", f"{SITE}/six_more/__init__.py", f"{SITE}/six-1.17.0.dist-info"]
    added += [f"{SITE}/six-1.17.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "INSTALLER")]
    added += ["/opt/app/.venv/bin/six", f"{SITE}/__pycache__", f"{SITE}/__pycache__/six.cpython-311.pyc"]
    assert told(tmp_path, *((ADDED, path) for path in added)) == {
        f"layer:{SITE}#six": {"change": "added", "owner": "python:six 1.17.0"}
    }


def test_a_distribution_that_was_replaced_is_one_item(tmp_path: Path, site: Path) -> None:
    distribution(site, "requests", "2.32.3", {"requests/__init__.py": "", "requests/new.py": ""})
    found = told(
        tmp_path,
        (DELETED, f"{SITE}/requests-2.31.0.dist-info"),
        (ADDED, f"{SITE}/requests-2.32.3.dist-info"),
        (ADDED, f"{SITE}/requests-2.32.3.dist-info/RECORD"),
        (MODIFIED, f"{SITE}/requests/__init__.py"),
        (ADDED, f"{SITE}/requests/new.py"),
        (DELETED, f"{SITE}/requests/old.py"),
    )
    assert found == {f"layer:{SITE}#requests": {"change": "modified", "owner": "python:requests 2.32.3"}}


def test_a_distribution_that_was_removed_is_one_item(tmp_path: Path, site: Path) -> None:
    assert site
    found = told(tmp_path, (DELETED, f"{SITE}/six-1.16.0.dist-info"), (DELETED, f"{SITE}/six.py"))
    assert found == {f"layer:{SITE}#six": {"change": "deleted", "owner": "python:six 1.16.0"}}


def test_distributions_that_came_together_are_one_item_each(tmp_path: Path, site: Path) -> None:
    changes = []
    for name in ("six", "idna"):
        entry = distribution(site, name, "1.0", {f"{name}.py": ""}).name
        changes += [(ADDED, f"{SITE}/{name}.py"), (ADDED, f"{SITE}/{entry}"), (ADDED, f"{SITE}/{entry}/RECORD")]
    assert set(told(tmp_path, *changes)) == {f"layer:{SITE}#six", f"layer:{SITE}#idna"}


def test_a_file_that_was_edited_in_place_tells_whose_it_is(tmp_path: Path, site: Path) -> None:
    distribution(site, "six", "1.17.0", {"six.py": ""})
    distribution(site, "requests", "2.32.3", {"requests/api.py": "", "requests/sub/x.py": ""})
    found = told(
        tmp_path,
        (MODIFIED, f"{SITE}/requests/api.py"),
        (DELETED, f"{SITE}/requests/sub"),
        (ADDED, f"{SITE}/sitecustomize.py"),
    )
    assert found == {
        f"layer:{SITE}/requests/api.py": {"change": "modified", "owner": "python:requests 2.32.3"},
        f"layer:{SITE}/requests/sub": {"change": "deleted", "owner": "python:requests 2.32.3"},
        f"layer:{SITE}/sitecustomize.py": {"change": "added"},
    }


def test_an_edited_file_of_an_os_package_is_that_packages(tmp_path: Path) -> None:
    loader = "/usr/lib/python3/dist-packages/yaml/loader.py"
    put(tmp_path, "usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/RECORD", record({"yaml/loader.py": b""}, "x"))
    assert told(tmp_path, (MODIFIED, loader), owners={loader: "deb:python3-yaml 6.0-3"}) == {
        f"layer:{loader}": {"change": "modified", "owner": "deb:python3-yaml 6.0-3"}
    }


def test_an_os_package_that_was_installed_is_one_item(tmp_path: Path) -> None:
    owned = ["/usr/bin/curl", "/usr/share/doc/curl/copyright"]
    notes = ["/var/lib/dpkg/info/curl.list", "/var/lib/dpkg/info/curl.md5sums"]
    found = told(
        tmp_path,
        *((ADDED, path) for path in (*owned, "/usr/share/doc/curl", *notes, "/opt/else")),
        (MODIFIED, "/var/lib/dpkg/status"),
        (ADDED, "/var/lib/apt/extended_states"),
        owners=dict.fromkeys(owned, "deb:curl 7.88.1-10"),
    )
    assert found == {
        "layer:deb:curl": {"change": "added", "owner": "deb:curl 7.88.1-10"},
        "layer:/opt/else": {"change": "added"},
    }


def test_an_os_package_that_was_replaced_is_one_item(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        (MODIFIED, "/usr/bin/curl"),
        (MODIFIED, "/var/lib/dpkg/info/curl:amd64.list"),
        (MODIFIED, "/var/lib/dpkg/status"),
        owners={"/usr/bin/curl": "deb:curl 7.88.1-11"},
    )
    assert found == {"layer:deb:curl": {"change": "modified", "owner": "deb:curl 7.88.1-11"}}


def test_an_os_package_that_was_removed_is_named(tmp_path: Path) -> None:
    found = told(tmp_path, (DELETED, "/usr/bin/curl"), (DELETED, "/var/lib/dpkg/info/curl.list"))
    assert found == {
        "layer:deb:curl": {"change": "deleted", "owner": "deb:curl"},
        "layer:/usr/bin/curl": {"change": "deleted"},
    }


def test_a_package_of_a_manager_without_lists_of_files_comes_as_one_item(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        (ADDED, "/usr/bin/curl"),
        (MODIFIED, "/lib/apk/db/installed"),
        owners={"/usr/bin/curl": "apk:curl 8.5.0-r0"},
    )
    assert found == {"layer:apk:curl": {"change": "added", "owner": "apk:curl 8.5.0-r0"}}


def test_a_database_that_no_package_explains_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, (MODIFIED, "/var/lib/dpkg/status")) == {"layer:/var/lib/dpkg/status": {"change": "modified"}}


def test_a_whole_environment_that_was_added_is_one_change(tmp_path: Path, site: Path) -> None:
    distribution(site, "six", "1.17.0", {"six.py": ""})
    parts = [SITE]
    while parts[-1] != "/opt/app/.venv":
        parts.append(parts[-1].rpartition("/")[0])
    added = [*parts, f"{SITE}/six.py", f"{SITE}/six-1.17.0.dist-info", f"{SITE}/six-1.17.0.dist-info/RECORD"]
    assert told(tmp_path, *((ADDED, path) for path in added)) == {"layer:/opt/app/.venv": {"change": "added"}}


def test_what_is_not_known_of_owners_is_said(tmp_path: Path) -> None:
    with Root(str(tmp_path)) as root:
        unsure = attributed(diff((ADDED, "/x")), root, lambda _: Packages({}, frozenset({Reason.PERMISSION})))
        sure = attributed(diff((ADDED, "/x")), root)
        unknown = attributed(Reason.TIMEOUT, root)
    assert sure == Changed({"layer:/x": {"change": "added"}})
    assert unsure == Changed(sure.items, (Reason.PERMISSION,))
    assert unknown == Changed({}, (Reason.TIMEOUT,))


def test_more_to_read_than_the_cap_is_said(tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envparity_agent.collectors.containers.changes.MAX_RECORDS", 1)
    distribution(site, "idna", "1", {"idna.py": ""})
    distribution(site, "six", "1", {"six.py": ""})
    with Root(str(tmp_path)) as root:
        found = attributed(diff((MODIFIED, f"{SITE}/six.py")), root)
    assert found == Changed({f"layer:{SITE}/six.py": {"change": "modified"}}, (Reason.CAP,))


@pytest.mark.parametrize(
    "content", [b"", b'"', b"\xff\0,\n", b"../../../../etc/passwd,,\n", b"/etc/passwd,,\n", b"\n,\n"]
)
def test_a_record_of_whatever_content_is_read(tmp_path: Path, site: Path, content: bytes) -> None:
    put(site, "six-1.0.dist-info/RECORD", content)
    found = told(tmp_path, (ADDED, f"{SITE}/six-1.0.dist-info"), (ADDED, f"{SITE}/six.py"))
    assert f"layer:{SITE}#six" in found


paths = st.lists(
    st.sampled_from(["usr", "lib", "site-packages", "six.py", "six-1.dist-info", "x.egg-info", "-.dist-info", "a"]),
    min_size=1,
    max_size=5,
).map(lambda parts: "/" + "/".join(parts))


@given(st.dictionaries(paths, st.integers(0, 3), max_size=8), st.dictionaries(paths, st.sampled_from(["deb:a 1", "x"])))
def test_no_change_is_lost_to_an_owner(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, int], owners: dict[str, str]
) -> None:
    """What no installed package explains is told as it is without owners."""
    listed = [{"Path": path, "Kind": kind} for path, kind in changes.items()]
    with Root(str(tmp_path_factory.getbasetemp())) as root:
        items = attributed(listed, root, lambda _: Packages(owners)).items
    topmost = {f"layer:{path}": change for path, change in topmost_changes(listed).items()}
    if any("#" in name or not name.startswith("layer:/") for name in items):
        assert topmost
    else:
        assert {name: body["change"] for name, body in items.items()} == topmost
