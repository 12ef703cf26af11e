"""Checks that a missing program skips a test with the way to get it."""

import pytest

from tests.system.components import Component, require


def test_a_missing_program_skips_with_its_package() -> None:
    with pytest.raises(pytest.skip.Exception, match="no-such-program is missing: apt-get install some-package"):
        require(Component("no-such-program", "some-package"))
