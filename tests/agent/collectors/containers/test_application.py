"""Checks what is told of the code of a container's application."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envparity_agent.collectors.containers.application import application, reads
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.reads import Wanted
from envparity_agent.fingerprint import Section, Status
from envparity_agent.root import Root
from tests.agent.trees import put


def inspected(workdir: str, revision: str = "", *mounted: str) -> Mapping[str, Any]:
    labels = {"org.opencontainers.image.revision": revision} if revision else {}
    mounts = [{"Type": "bind", "Destination": place, "Source": "/srv/code"} for place in mounted]
    return {"Config": {"WorkingDir": workdir, "Labels": labels}, "Mounts": mounts}


def told(root: Path, container: Mapping[str, Any]) -> Section | None:
    with Root(str(root)) as opened:
        return application(container, opened, Memory())


def test_the_files_of_the_working_directory_are_the_code(tmp_path: Path) -> None:
    put(tmp_path, "app/main.py", "print()\n")
    found = told(tmp_path, inspected("/app"))
    assert found is not None
    assert (found.path, found.kind, found.status) == ("app", "application", Status.OK)
    assert "tree" in found.items["code"]
    assert "file:main.py" in found.items


def test_an_edited_file_makes_another_tree(tmp_path: Path) -> None:
    put(tmp_path, "app/main.py", "print()\n")
    before = told(tmp_path, inspected("/app"))
    put(tmp_path, "app/main.py", "print(1)\n")
    after = told(tmp_path, inspected("/app"))
    assert before is not None
    assert after is not None
    assert before.items["code"]["tree"] != after.items["code"]["tree"]


def test_the_revision_of_the_image_and_a_mount_over_its_code_are_told(tmp_path: Path) -> None:
    put(tmp_path, "app/main.py", "print()\n")
    found = told(tmp_path, inspected("/app", "0123abc", "/app/plugins", "/data"))
    assert found is not None
    assert found.items["code"]["revision"] == "0123abc"
    assert found.items["code"]["shadowed"] == ("/app/plugins",)


def test_a_working_directory_of_the_system_is_no_code(tmp_path: Path) -> None:
    assert told(tmp_path, inspected("/")) is None
    assert reads(inspected("/usr/bin")) == ()
    found = told(tmp_path, inspected("", "0123abc"))
    assert found is not None
    assert found.items == {"code": {"revision": "0123abc"}}


def test_a_working_directory_that_the_image_does_not_have_holds_nothing(tmp_path: Path) -> None:
    found = told(tmp_path, inspected("/app"))
    assert found is not None
    assert (found.status, set(found.items)) == (Status.OK, {"code"})


def test_a_copy_has_all_files_below_the_working_directory() -> None:
    wanted = Wanted(reads(inspected("/srv/app+x")))
    assert wanted.content("srv/app+x/deep/main.py")
    assert not wanted.content("srv/appxx/main.py")
