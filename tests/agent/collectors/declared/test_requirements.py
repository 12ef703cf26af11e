"""Checks what requirements and freeze files declare."""

import pytest

from envparity_agent.canonical import canonical
from envparity_agent.collectors.declared.requirements import read_requirements
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Reason, Section, Status


def read(text: str) -> Section:
    return read_requirements(text.encode(), "somewhere/requirements.txt")


def test_a_freeze_file_declares_pins() -> None:
    section = read("# frozen\nMarkupSafe==2.1.5\nzope_interface===7.0  # why\n\n")
    assert section.items == {"markupsafe": {"version": "2.1.5"}, "zope-interface": {"version": "7.0"}}
    assert (section.kind, section.path, section.status) == ("declared", "python/requirements.txt", Status.OK)


def test_what_is_no_pin_is_a_specifier() -> None:
    section = read("six\nidna>=3,<4\nrich[all]~=13.1 ; python_version >= '3.8'\n")
    assert section.items["six"] == {"specifier": ""}
    assert "version" not in section.items["idna"]
    assert set(str(section.items["idna"]["specifier"]).split(",")) == {">=3", "<4"}
    assert section.items["rich"]["specifier"] == "~=13.1"
    assert "python_version" in str(section.items["rich"]["marker"])


def test_a_prefix_of_versions_is_no_pin() -> None:
    assert read("rich==13.*\n").items == {"rich": {"specifier": "==13.*"}}


def test_hashes_and_continued_lines_are_read_over() -> None:
    section = read(f"six==1.17.0 \\\n    --hash=sha256:{'0' * 64}\nidna==3.7\n")
    assert section.items == {"six": {"version": "1.17.0"}, "idna": {"version": "3.7"}}
    assert section.status is Status.OK


@pytest.mark.parametrize("line", ["-r more.txt", "--requirement more.txt", "-c limits.txt"])
def test_a_file_that_includes_another_is_not_complete(line: str) -> None:
    section = read(f"six==1.17.0\n{line}\n")
    assert (section.status, section.reasons) == (Status.PARTIAL, (Reason.UNSUPPORTED,))
    assert set(section.items) == {"six"}


@pytest.mark.parametrize(
    "line",
    [
        "theme @ https://ann:hunter2@files.example/theme-1.0.zip?token=hunter2#sha256=0",
        "-e git+https://ann:hunter2@git.example/theme.git@main#egg=theme",
        "theme @ git+ssh://ann:hunter2@git.example/theme.git@main",
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


def test_no_declaration_of_a_package_hides_another() -> None:
    """Exported lock files pin one package twice, each under its marker; which applies is not known here."""
    section = read("idna==3.4 ; python_version < '3.9'\nidna==3.7 ; python_version >= '3.9'\n")
    assert {body["version"] for body in section.items.values()} == {"3.4", "3.7"}


@pytest.mark.parametrize("line", ["this is no requirement", "six=1.17", "<html>", "--unknown-option"])
def test_a_line_that_is_no_requirement_is_named(line: str) -> None:
    with pytest.raises(UsageError, match=r"requirements\.txt, line 2"):
        read(f"six==1.17.0\n{line}\n")
