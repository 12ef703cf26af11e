import sys

import pytest
from pytest_lazyfixture import lazy_fixture


@pytest.fixture
def rate():
    return 19


@pytest.mark.parametrize("percent", [lazy_fixture("rate"), 7])
def test_a_price_with_tax_is_higher(percent):
    assert 100 + percent > 100


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", __file__]))
