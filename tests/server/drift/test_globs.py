"""Tests that many globs at once fit what each of them fits alone, and that no pattern makes that slow."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envparity_server.drift.globs import Globs, fits, is_broad

PLACES = st.tuples(
    st.sampled_from(["os", "os-packages", "python/srv/shop", "container/web", "container/web/os", "a]b"]),
    st.sampled_from(["", "idna", "requests#lib/python3.11", "linux-image-6.1", "[x]", "image", "a\nb", "ßé"]),
    st.sampled_from(["", "version", "content", "hmac"]),
)
WORDS = [
    "*",
    "?",
    "[a-z]",
    "[!x]",
    "[",
    "]",
    "[]]",
    "[^a]",
    "os",
    "-packages",
    "/",
    "#",
    "python",
    "web",
    "idna",
    "x",
    "é",
    "ver",
]
GLOBS = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map("".join), st.text(min_size=1, max_size=6)
)


def plainly(glob: str, section: str, item: str, attribute: str) -> bool:
    """The meaning of a glob, said the long way."""
    place = f"{section}/{item}" if item else section
    texts = (place, f"{place}#{attribute}") if "#" in glob else (section, place)
    return any(fnmatchcase(text, glob) for text in texts)


@given(st.lists(GLOBS, max_size=12), PLACES)
@example(["[]", "[!]", "[", "a[b"], ("a[b", "", ""))
def test_many_globs_at_once_fit_what_each_fits_alone(globs: list[str], place: tuple[str, str, str]) -> None:
    wanted = [number for number, glob in enumerate(globs) if plainly(glob, *place)]
    assert list(Globs(globs).fitting(*place)) == wanted


@pytest.mark.parametrize(
    ("glob", "place", "fitting"),
    [
        ("os-packages", ("os-packages", "openssl", "version"), True),
        ("os-packages", ("os-packages", "", ""), True),
        ("os-package", ("os-packages", "openssl", "version"), False),
        ("python", ("python/srv/shop", "idna", "version"), False),
        ("python/*", ("python/srv/shop", "idna", "version"), True),
        ("python/*", ("python/srv/shop", "", ""), True),
        ("python/*/idna", ("python/srv/shop", "idna", "version"), True),
        ("python/*/idna", ("python/srv/shop", "idna-ssl", "version"), False),
        ("python/*/idna#version", ("python/srv/shop", "idna", "version"), True),
        ("python/*/idna#version", ("python/srv/shop", "idna", "content"), False),
        ("python/*#content", ("python/srv/shop", "idna", "content"), True),
        ("python/*/idna#lib/*", ("python/srv/shop", "idna#lib/python3.11", "version"), True),
        ("*version", ("python/srv/shop", "idna", "version"), False),
        ("OS-packages", ("os-packages", "openssl", "version"), False),
        ("os-packages/linux-image-[56].*", ("os-packages", "linux-image-6.1", "version"), True),
        ("*", ("os", "", ""), True),
    ],
)
def test_a_glob_fits_a_section_an_item_or_an_attribute(glob: str, place: tuple[str, str, str], fitting: bool) -> None:
    assert list(Globs([glob]).fitting(*place)) == ([0] if fitting else [])


@pytest.mark.parametrize(
    ("glob", "text"),
    [
        ("a*" * 500 + "b", "a" * 1000),
        ("*a" * 500 + "b", "a" * 1000),
        ("*?" * 500 + "b", "a" * 1000),
        ("*[a-z]" * 160 + "!", "a" * 1000),
        ("a?" * 300 + "*" + "?a" * 200 + "b", "a" * 1024),
        ("(a+)+$", "a" * 1000),
        ("[" * 1024, "[" * 1023),
    ],
    ids=range(7),
)
def test_no_pattern_goes_back_over_what_it_has_found(glob: str, text: str) -> None:
    assert not fits(glob, text)  # with backtracking it would end after the sun


@pytest.mark.parametrize(
    ("glob", "broad"), [("*", True), ("*/*", True), ("?*#*", True), ("[!x]*", True), ("os*", False)]
)
def test_a_glob_that_says_nothing_is_broad(glob: str, broad: bool) -> None:
    assert is_broad(glob) is broad
