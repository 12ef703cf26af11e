"""Checks that the mirror is found in both formats of apt's sources."""

from tests.system.mirror import Source, one_line_sources, package_archive, stanza_sources

STANZAS = """\
# the archive
Types: deb deb-src
URIs: http://mirror.example.org/debian
# a remark inside a stanza
Suites: bookworm bookworm-updates
Components: main contrib

Types: deb
URIs: http://mirror.example.org/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example.org/debian
Suites: bookworm
Components: main
"""

LINES = """\
# deb http://off.example.org/debian bookworm main
deb-src http://mirror.example.org/debian bookworm main
deb http://vendor.example.org/node bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/debian.gpg] http://mirror.example.org/debian/ bookworm main contrib
deb http://mirror.example.org/debian-security bookworm-security main
"""


def test_stanzas_give_one_source_for_each_suite() -> None:
    sources = list(stanza_sources(STANZAS))
    assert sources[0] == Source("http://mirror.example.org/debian", "bookworm", ("main", "contrib"))
    assert [source.suite for source in sources] == ["bookworm", "bookworm-updates", "bookworm-security"]


def test_the_archive_is_taken_from_stanzas() -> None:
    assert package_archive(stanza_sources(STANZAS), "bookworm") == "http://mirror.example.org/debian"


def test_the_archive_is_taken_from_lines_before_a_vendor() -> None:
    assert package_archive(one_line_sources(LINES), "bookworm") == "http://mirror.example.org/debian/"


def test_no_archive_is_taken_from_security_updates_alone() -> None:
    assert package_archive(one_line_sources(LINES.splitlines()[-1]), "bookworm") is None
