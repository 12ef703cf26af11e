"""Reads a JUnit report: which test cases failed and which passed.

https://github.com/testmoapp/junitxml
"""

from xml.etree import ElementTree as Xml

from envparity_agent.errors import UsageError

_LONGEST = 500  # characters of a name


def read_junit(text: str, name: str = "the report") -> dict[str, bool]:
    """Test case -> whether it failed, by class and name: `tests.test_shop::test_cart`; skipped ones are left out.

    Of a case that was run again the last run counts. Raises UsageError for what is no report.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # no report has one, and they can make a small file a large one
        raise UsageError(f"{name} declares entities: it is no JUnit report", "give the file that the test runner wrote")
    try:
        root = Xml.fromstring(text)  # noqa: S314  # entities were refused above
    except Xml.ParseError as problem:
        raise UsageError(f"{name} is no XML: {problem}", "give the file that the test runner wrote") from None
    if root.tag not in ("testsuites", "testsuite"):
        raise UsageError(
            f"{name} is no JUnit report: it begins with <{root.tag}>", "pytest --junit-xml FILE writes one"
        )
    found: dict[str, bool] = {}
    for case in root.iter("testcase"):
        kinds = {child.tag for child in case}
        if "skipped" not in kinds:
            found[_called(case)] = bool(kinds & {"failure", "error"})
    if not found:
        raise UsageError(f"{name} has no test case that was run", "look at it")
    return found


def _called(case: Xml.Element) -> str:
    parts = (case.get("classname", "").strip(), case.get("name", "").strip())
    return "::".join(part for part in parts if part)[:_LONGEST] or "unnamed"
