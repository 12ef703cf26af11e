"""Reports as a gate makes them: a typical one, and strategies that make hostile ones."""

from dataclasses import replace

from hypothesis import strategies as st

from envparity_server.gating.model import Coverage, Finding, Place, Report, Standing, Suspected, Verdict

HOSTILE = (
    "\x1b[2Kfake", "\u202egnp.exe", "]]>", "::error::forged", "x\n::error::forged", "##[error]forged",
    "<script>alert(1)</script>", "[click](javascript:alert(1))", "| cell | `code`", "@here #1 www.example.org",
    '=HYPERLINK("http://example.org")', "+1", "-1", "@SUM(A1)", "\t=1", "\ud800", "\ufffe", "\x00", "- - -", "1. one",
    "% : ,", "</details>", "&lt;b&gt;", "```", "$x$", "#" * 100_000,
)  # fmt: skip

texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=30))  # surrogates too


def finding(item: str, standing: Standing = Standing.FAILS, **more: object) -> Finding:
    """A finding about an OS package."""
    usual = Finding(
        id=f"{sum(map(ord, item)):016x}",
        content="0" * 16,
        section="os-packages",
        item=item,
        attribute="version",
        state="changed",
        left="3.0.11",
        right="3.0.15",
        severity="high",
        distance="patch",
        words="3.0.15 → 3.0.11",
        standing=standing,
    )
    return replace(usual, **more)  # type: ignore[arg-type]  # of a test's own fields


def report(verdict: Verdict | None, *findings: Finding, **more: object) -> Report:
    """A report about the image of a shop."""
    usual = Report(
        verb="gate",
        subject="image shop:new",
        reference="env:prod",
        verdict=verdict,
        threshold="low",
        summary="412 items the same as env:prod, none differs at low or over",
        findings=findings,
    )
    return replace(usual, **more)  # type: ignore[arg-type]  # of a test's own fields


LIBSSL = finding(
    "libssl3", origin="via base image debian:bookworm (digest moved)", place=Place("./Dockerfile", 1), why=""
)
DECLARED = finding(
    "flask", Standing.DECLARED, section="python/srv/shop", left="3.1.0", right="3.0.3", words="3.0.3 → 3.1.0",
    distance="minor", severity="medium", why="uv.lock", place=Place("uv.lock", 12),
)  # fmt: skip
EXPECTED = finding(
    "kernel", Standing.EXPECTED, section="machine", attribute="release", severity="low", why="runners are no servers"
)
BELOW = finding("tzdata", Standing.BELOW, severity="info")
UNREAD = finding(
    "", Standing.UNKNOWN, section="containers", attribute="", state="unknown", left=None, right=None, words="unknown"
)

TYPICAL = report(
    Verdict.DRIFT, LIBSSL, UNREAD, DECLARED, EXPECTED, BELOW,
    summary="1 declared, 1 undeclared: libssl3 3.0.15 → 3.0.11 via base image debian:bookworm (digest moved)",
    reasons=("containers: left: failed(permission)",),
    coverage=Coverage(410, 412),
    causes=(
        Suspected(
            1, "os-packages", "libssl3", ("the base image moved", "python loads it"),
            ("FROM debian:bookworm@sha256:0123",), "the digest that env:prod was built from",
        ),
    ),
    rules=(("3f2a", "runners are no servers", 1),),
    notes=("with the rules of envparity.toml",),
    run={"id": "41", "url": "https://envparity.example.org/gates/41"},
)  # fmt: skip
PARITY = report(Verdict.PARITY, DECLARED)
UNTOLD = report(
    Verdict.UNKNOWN, summary="cannot tell: web-1 is stale", reasons=("web-1 has not reported since 2026-11-01",)
)

places = st.none() | st.builds(Place, texts, st.integers(-1, 9))
findings = st.builds(
    Finding, id=texts, content=texts, section=texts, item=texts, attribute=texts, state=texts,
    left=st.none() | texts | st.lists(texts, max_size=2).map(tuple), right=st.none() | texts,
    severity=st.sampled_from(["info", "low", "medium", "high", "critical"]) | texts, distance=texts, words=texts,
    standing=st.sampled_from(Standing), why=texts, origin=texts, place=places,
)  # fmt: skip
suspects = st.builds(
    Suspected, st.integers(1, 3), texts, texts, st.lists(texts, max_size=2).map(tuple),
    st.lists(texts, max_size=2).map(tuple), texts,
)  # fmt: skip
hostile = st.builds(
    Report, verb=st.sampled_from(["gate", "diff"]), subject=texts, reference=texts,
    verdict=st.none() | st.sampled_from(Verdict), threshold=texts, summary=texts,
    findings=st.lists(findings, max_size=4).map(tuple), reasons=st.lists(texts, max_size=3).map(tuple),
    causes=st.lists(suspects, max_size=2).map(tuple), notes=st.lists(texts, max_size=2).map(tuple),
    remarks=st.lists(texts, max_size=2).map(tuple), run=st.builds(lambda url: {"id": "1", "url": url}, texts),
)  # fmt: skip
