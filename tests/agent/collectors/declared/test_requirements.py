"""Checks what requirements, constraints and freeze files declare."""

import os
from pathlib import Path

import pytest

from envparity_agent.canonical import canonical
from envparity_agent.collectors.declared.requirements import read_requirements
from envparity_agent.collectors.declared.source import Source
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Reason, Section, Status
from tests.agent.collectors.declared.files import only, packages, refusal
from tests.agent.trees import put

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HASH = f"sha256:{'0' * 64}"


def read(text: str) -> Section:
    """The section of a file that comes by a pipe."""
    return read_requirements(Source("somewhere/requirements.txt", text.encode()))


def test_a_freeze_file_declares_pins() -> None:
    section = read("# frozen\nMarkupSafe==2.1.5\nzope_interface===7.0  # why\n\n")
    assert section.items == {
        "markupsafe": {"version": "2.1.5", "line": 2},
        "zope-interface": {"version": "7.0", "line": 3},
    }
    assert (section.kind, section.schema, section.path) == ("declared", 2, "python/requirements.txt")
    assert section.status is Status.OK


def test_what_is_no_pin_is_a_specifier() -> None:
    section = read("six\nidna>=3,<4\nrich[all]~=13.1 ; python_version >= '3.8'\n")
    assert section.items["six"]["specifier"] == ""
    assert "version" not in section.items["idna"]
    assert set(str(section.items["idna"]["specifier"]).split(",")) == {">=3", "<4"}
    assert section.items["rich"]["specifier"] == "~=13.1"
    assert "python_version" in str(section.items["rich"]["marker"])


def test_a_prefix_of_versions_is_no_pin() -> None:
    assert only(read("rich==13.*\n").items, "specifier", "version") == {"rich": {"specifier": "==13.*"}}


def test_requirements_that_are_all_hashed_are_a_lock() -> None:
    section = read(f"six==1.17.0 \\\n    --hash={HASH}\nidna==3.7 --hash={HASH}\n")
    assert only(section.items, "version", "hashes") == {
        "six": {"version": "1.17.0", "hashes": (HASH,)},
        "idna": {"version": "3.7", "hashes": (HASH,)},
    }
    assert section.items["@lock"] == {"complete": True}


def test_requirements_of_which_one_has_no_hash_are_no_lock() -> None:
    assert "@lock" not in read(f"six==1.17.0 --hash={HASH}\nidna==3.7\n").items


def test_included_files_are_read_where_they_lie(tmp_path: Path) -> None:
    put(tmp_path, "base.txt", "\nidna==3.7\n-r deeper/more.txt\n")
    put(tmp_path, "app/deeper.txt", "wrong==1\n")
    put(tmp_path, "deeper/more.txt", "rich==13.7.1\n")
    section = packages(tmp_path, "app/requirements.txt", "six==1.17.0\n-r ../base.txt\n")
    assert only(section.items, "version", "line", "via") == {
        "six": {"version": "1.17.0", "line": 1},
        "idna": {"version": "3.7", "line": 2, "via": ("-r ../base.txt",)},
        "rich": {"version": "13.7.1", "line": 1, "via": ("-r deeper/more.txt",)},
    }
    assert section.status is Status.OK


def test_files_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    put(tmp_path, "dev.txt", "idna==3.7\n-r requirements.txt\n")
    section = packages(tmp_path, "requirements.txt", "six==1.17.0\n-r dev.txt\n-r ./dev.txt\n")
    assert set(section.items) == {"six", "idna"}


def test_an_included_file_that_is_missing_is_told_with_the_line(tmp_path: Path) -> None:
    told = refusal(tmp_path, "requirements.txt", "six\n-r gone.txt\n")
    assert told == "requirements.txt, line 2: gone.txt: there is no such file"


@pytest.mark.parametrize("place", ["/dev/zero", "/proc/self/mem", ".", "fifo"])
def test_only_regular_files_are_included(tmp_path: Path, place: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert refusal(tmp_path, "requirements.txt", f"-r {place}\n").startswith("requirements.txt, line 1: ")


def test_nothing_is_shown_of_an_included_file_that_is_none(tmp_path: Path) -> None:
    put(tmp_path, "secret", "TOKEN = hunter2\n")
    told = refusal(tmp_path, "requirements.txt", "-r secret\n")
    assert told == "secret, line 1: not a requirement"


def test_a_long_chain_of_files_is_not_followed_to_its_end(tmp_path: Path) -> None:
    for number in range(30):
        put(tmp_path, f"{number}.txt", f"-r {number + 1}.txt\n")
    assert "include each other" in refusal(tmp_path, "requirements.txt", "-r 0.txt\n")


def test_many_files_are_not_all_followed(tmp_path: Path) -> None:
    for number in range(120):
        put(tmp_path, f"{number}.txt", "six\n")
    told = refusal(tmp_path, "requirements.txt", "".join(f"-r {number}.txt\n" for number in range(120)))
    assert "files are included" in told


def test_constraints_narrow_what_is_asked_for(tmp_path: Path) -> None:
    put(tmp_path, "limits.txt", "six==1.17.0\nidna<4\nrich==13.7.1\n")
    section = packages(tmp_path, "requirements.txt", "-c limits.txt\nsix>=1\nidna>=3\n")
    assert only(section.items, "version", "specifier", "optional") == {
        "six": {"version": "1.17.0"},
        "idna": {"specifier": ">=3,<4"},
        "rich": {"version": "13.7.1", "optional": ("constraint",)},
    }


def test_a_file_of_constraints_asks_for_nothing(tmp_path: Path) -> None:
    section = packages(tmp_path, "constraints.txt", "six==1.17.0\n")
    assert section.items["six"]["optional"] == ("constraint",)


@pytest.mark.parametrize("line", ["-r more.txt", "--requirement more.txt", "-c limits.txt"])
def test_a_pipe_that_includes_a_file_is_not_complete(line: str) -> None:
    section = read(f"six==1.17.0\n{line}\n")
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.UNSUPPORTED,))
    assert set(section.items) == {"six"}


@pytest.mark.parametrize("line", ["-r https://files.example/more.txt", "-e ./local", "./local"])
def test_what_no_file_tells_makes_it_incomplete(tmp_path: Path, line: str) -> None:
    section = packages(tmp_path, "requirements.txt", f"six==1.17.0\n{line}\n")
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.UNSUPPORTED,))


@pytest.mark.parametrize(
    "line",
    [
        "theme @ https://ann:hunter2@files.example/theme-1.0.zip?token=hunter2#sha256=0",
        "-e git+https://ann:hunter2@git.example/theme.git@main#egg=theme",
        f"-e git+https://ann:hunter2@git.example/theme.git@{COMMIT}#egg=theme",
        "theme @ git+ssh://ann:hunter2@git.example/theme.git@main",
        "theme @ git+https://ann:hunter2@git.example/theme.git",
        "--index-url https://ann:hunter2@index.example/simple\ntheme==1",
    ],
)
def test_no_credential_is_kept(line: str) -> None:
    section = read(f"{line}\n")
    assert set(section.items) == {"theme"}
    assert b"hunter2" not in canonical({"items": section.items})


def test_a_url_is_kept_without_its_credentials() -> None:
    section = read("theme @ https://ann:hunter2@files.example/theme-1.0.zip\n")
    assert section.items["theme"]["source"] == "https://files.example/theme-1.0.zip"


def test_a_commit_is_kept_and_a_branch_is_none() -> None:
    section = read(f"theme @ git+https://git.example/theme.git@{COMMIT}\nshop @ git+https://git.example/shop@main\n")
    assert only(section.items, "source", "commit") == {
        "theme": {"source": "git+https://git.example/theme.git", "commit": COMMIT},
        "shop": {"source": "git+https://git.example/shop"},
    }


def test_no_declaration_of_a_package_hides_another() -> None:
    """Exported lock files pin one package twice, each under its marker; which applies is not known here."""
    lines = ["idna==3.4 ; python_version < '3.9'", "idna==3.7 ; python_version >= '3.9'"]
    section, other = read("\n".join(lines)), read("\n".join(reversed(lines)))
    assert {body["version"] for body in section.items.values()} == {"3.4", "3.7"}
    assert set(section.items) == set(other.items)


def test_one_name_with_two_pins_is_kept_twice() -> None:
    assert set(read("six==1.16.0\nsix==1.17.0\n").items) == {"six#1.16.0", "six#1.17.0"}


@pytest.mark.parametrize("line", ["this is no requirement", "six=1.17", "<html>", "--unknown-option"])
def test_a_line_that_is_no_requirement_is_named(line: str) -> None:
    with pytest.raises(UsageError, match=r"requirements\.txt, line 2"):
        read(f"six==1.17.0\n{line}\n")
