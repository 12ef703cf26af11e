"""Checks that a strict run fails where another one skips, and says why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SKIPPED_TEST = "import pytest\n\n\ndef test_it():\n    pytest.skip('a wheel is missing')\n"
SKIPPED_MODULE = "import pytest\n\npytest.skip('a wheel is missing', allow_module_level=True)\n"
EXPECTED_FAILURE = "import pytest\n\n\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"


def run_pytest(directory: Path, text: str, strict: str) -> subprocess.CompletedProcess[str]:
    """Run one test module in a pytest of its own, under the hooks of these tests."""
    (directory / "test_it.py").write_text(text)
    hooks = ("-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", directory)
    return subprocess.run(
        (sys.executable, "-m", "pytest", *hooks, "-rs", directory),
        env=os.environ | {"ENVPARITY_TESTS_STRICT": strict},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("text", [SKIPPED_TEST, SKIPPED_MODULE], ids=["test", "module"])
def test_a_skip_fails_a_strict_run_with_its_reason(tmp_path: Path, text: str) -> None:
    ended = run_pytest(tmp_path, text, strict="1")
    assert ended.returncode != 0
    assert "a wheel is missing (a failure because ENVPARITY_TESTS_STRICT=1)" in ended.stdout


@pytest.mark.parametrize("text", [SKIPPED_TEST, SKIPPED_MODULE], ids=["test", "module"])
def test_a_skip_fails_no_other_run(tmp_path: Path, text: str) -> None:
    ended = run_pytest(tmp_path, text, strict="")
    assert "1 skipped" in ended.stdout
    assert "failed" not in ended.stdout


def test_an_expected_failure_fails_no_strict_run(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, EXPECTED_FAILURE, strict="1").returncode == 0
