"""Checks what requirements and freeze files declare."""

from pathlib import Path

import pytest

from envparity_agent.collectors.declared import read_requirements
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Reason, Section, Status, canonical


def read(place: Path, text: str) -> Section:
    (place / "requirements.txt").write_text(text)
    return read_requirements(place / "requirements.txt")


def test_a_freeze_file_declares_pins(tmp_path: Path) -> None:
    section = read(tmp_path, "# frozen\nMarkupSafe==2.1.5\nzope_interface===7.0  # why\n\n")
    assert section.items == {"markupsafe": {"version": "2.1.5"}, "zope-interface": {"version": "7.0"}}
    assert (section.kind, section.path, section.status) == ("declared", "python/requirements.txt", Status.OK)


def test_what_is_no_pin_is_a_specifier(tmp_path: Path) -> None:
    section = read(tmp_path, "six\nidna>=3,<4\nrich[all]==13.* ; python_version >= '3.8'\n")
    assert section.items["six"] == {}
    assert "version" not in section.items["idna"]
    assert set(str(section.items["idna"]["specifier"]).split(",")) == {">=3", "<4"}
    assert section.items["rich"]["specifier"] == "==13.*"
    assert "python_version" in str(section.items["rich"]["marker"])


def test_hashes_and_continued_lines_are_read_over(tmp_path: Path) -> None:
    section = read(tmp_path, f"six==1.17.0 \\\n    --hash=sha256:{'0' * 64}\nidna==3.7\n")
    assert section.items == {"six": {"version": "1.17.0"}, "idna": {"version": "3.7"}}
    assert section.status is Status.OK


@pytest.mark.parametrize("line", ["-r more.txt", "--requirement more.txt", "-c limits.txt"])
def test_a_file_that_includes_another_is_not_complete(tmp_path: Path, line: str) -> None:
    section = read(tmp_path, f"six==1.17.0\n{line}\n")
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
def test_no_credential_is_kept(tmp_path: Path, line: str) -> None:
    section = read(tmp_path, f"{line}\n")
    assert set(section.items) == {"theme"}
    assert b"hunter2" not in canonical({"items": section.items})


def test_a_url_is_kept_without_its_credentials(tmp_path: Path) -> None:
    section = read(tmp_path, "theme @ https://ann:hunter2@files.example/theme-1.0.zip\n")
    assert section.items["theme"]["source"] == "https://files.example/theme-1.0.zip"


def test_no_declaration_of_a_package_hides_another(tmp_path: Path) -> None:
    """Exported lock files pin one package twice, each under its marker; which applies is not known here."""
    section = read(tmp_path, "idna==3.4 ; python_version < '3.9'\nidna==3.7 ; python_version >= '3.9'\n")
    versions = {body.get("version") for body in section.items.values()}
    assert versions == {"3.4", "3.7"} or section.status is Status.PARTIAL


@pytest.mark.parametrize("line", ["this is no requirement", "six=1.17", "<html>", "--unknown-option"])
def test_a_line_that_is_no_requirement_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError, match=r"requirements\.txt, line 2"):
        read(tmp_path, f"six==1.17.0\n{line}\n")
