"""Tests of reading JUnit reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.errors import UsageError
from envparity_server.explain.junit import read_junit

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="5">
<testcase classname="tests.test_shop" name="test_cart" time="0.1"/>
<testcase classname="tests.test_shop" name="test_pay"><failure message="boom">trace</failure></testcase>
<testcase classname="tests.test_shop" name="test_db"><error message="no fixture"/></testcase>
<testcase classname="tests.test_shop" name="test_old"><skipped/></testcase>
<testcase name="alone"><system-out>text</system-out></testcase>
</testsuite></testsuites>
"""


def test_each_case_that_ran_failed_or_passed() -> None:
    assert read_junit(REPORT) == {
        "tests.test_shop::test_cart": False,
        "tests.test_shop::test_pay": True,
        "tests.test_shop::test_db": True,
        "alone": False,
    }


def test_of_a_case_that_ran_again_the_last_run_counts() -> None:
    case = '<testcase name="a">{}</testcase>'
    assert read_junit(f"<testsuite>{case.format('<failure/>')}{case.format('')}</testsuite>") == {"a": False}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not xml",
        "<html/>",
        "<testsuite/>",
        '<testsuite><testcase name="a"><skipped/></testcase></testsuite>',
        '<!DOCTYPE a [<!ENTITY b "c">]><testsuite><testcase name="&b;"/></testsuite>',
    ],
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_junit(text, "report.xml")
    assert "report.xml" in str(refused.value)
    assert refused.value.advice


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_junit(text)
    except UsageError:
        return
    assert found
