"""A report as JUnit XML, for whatever shows the results of tests.

The elements and attributes are those that Jenkins' schema has, which others read as well.
"""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from envparity_server.gating.model import Finding, Report, Standing, Verdict
from envparity_server.reports.entries import message, plain
from envparity_server.reports.words import place_of, standing_of, title_of


def junit(report: Report) -> str:
    """A test case for each finding, and one for the verdict where it is not drift: a suite is never empty."""
    suite = Element("testsuite", name=plain(f"envparity {report.verb}: {title_of(report)}"))
    if report.verdict != Verdict.DRIFT:
        _add_verdict(suite, report)
    for one in report.findings:
        _add_finding(suite, one, report.verdict)
    counted = {
        "tests": len(suite),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
    }
    for name, number in counted.items():
        suite.set(name, str(number))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suites = Element("testsuites", {"name": "envparity", **{name: str(number) for name, number in counted.items()}})
    suites.append(suite)
    indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(suites, encoding="unicode")}\n'


def _add_verdict(suite: Element, report: Report) -> None:
    case = SubElement(suite, "testcase", classname=f"envparity.{report.verb}", name="verdict")
    reasons = "\n".join(map(plain, report.reasons))
    if report.verdict == Verdict.UNKNOWN:
        SubElement(case, "error", type="unknown", message=plain(report.summary)).text = reasons
    else:
        SubElement(case, "system-out").text = "\n".join(filter(None, (plain(report.summary), reasons)))


def _add_finding(suite: Element, finding: Finding, verdict: Verdict | None) -> None:
    """What fails is a failure; what is accounted for passes, and says why.

    What is unknown is an error, as a test that could not be run: but where the verdict is parity for all that, or
    where nobody asked for one, it was left out.
    """
    name = " ".join(filter(None, (finding.item or "the whole section", finding.attribute)))
    case = SubElement(suite, "testcase", classname=plain(finding.section), name=plain(name))
    told = plain(finding.headline)
    if finding.standing == Standing.FAILS:
        SubElement(case, "failure", type=plain(finding.severity), message=told).text = _details(finding)
    elif finding.standing != Standing.UNKNOWN:
        SubElement(case, "system-out").text = f"{told}\n{plain(standing_of(finding))}"
    elif verdict in (Verdict.UNKNOWN, Verdict.DRIFT):
        SubElement(case, "error", type="unknown", message=told).text = _details(finding)
    else:
        SubElement(case, "skipped").text = told


def _details(finding: Finding) -> str:
    return "\n".join(filter(None, (message(finding), plain(place_of(finding)), f"id {plain(finding.id)}")))
