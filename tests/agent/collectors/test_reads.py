"""Checks which files are taken to be needed of a tree that has to be copied."""

import re

import pytest

from envparity_agent.collectors import INSIDE
from envparity_agent.collectors.interface import Options, wanted
from envparity_agent.collectors.reads import Reads, Wanted

SITE = "srv/app/lib/python3.11/site-packages"
PLAIN, DEEP = wanted(INSIDE, Options()), [wanted(INSIDE, Options(verify=True)), wanted(INSIDE, Options(symbols=True))]


@pytest.mark.parametrize(
    "path",
    [
        "etc/os-release", "usr/lib/os-release", "var/lib/dpkg/status", f"{SITE}/six-1.dist-info/METADATA",
        f"{SITE}/x.pth", "srv/app/pyvenv.cfg", "usr/bin/python3.11", "usr/lib/x86_64-linux-gnu/libc.so.6",
        "lib/x86_64-linux-gnu/libc-2.31.so", "usr/bin/env", "lib/ld-musl-x86_64.so.1", f"{SITE}/old-1-py3.9.egg",
    ],
)  # fmt: skip
def test_what_a_collector_reads_is_copied(path: str) -> None:
    assert PLAIN.content(path)


@pytest.mark.parametrize("path", [f"{SITE}/six.py", "root/.cache/uv/archive-v0/x1/six.py", "usr/lib/python3.11/os.py"])
def test_what_a_collector_only_looks_at_is_there(path: str) -> None:
    assert PLAIN.presence(path)
    assert not PLAIN.content(path)


@pytest.mark.parametrize("path", ["etc/shadow", "srv/app/settings.py", "root/.ssh/id_rsa", "etc/os-release.bak", ""])
def test_what_no_collector_asks_for_stays_where_it_is(path: str) -> None:
    assert not PLAIN.content(path)
    assert not PLAIN.presence(path)


@pytest.mark.parametrize("files", DEEP)
def test_the_code_of_distributions_is_read_where_that_is_asked_for(files: Wanted) -> None:
    assert files.content(f"{SITE}/six.py")
    assert files.content(f"{SITE}/six.dat")
    assert files.content("srv/app/bin/six")
    assert files.content("srv/app/share/man/six.1")
    assert not files.content("usr/share/man/man1/ls.1")
    assert not files.content("etc/shadow")
    assert not files.content("srv/app/settings.py")


def test_nothing_is_wanted_where_nothing_reads() -> None:
    assert not Wanted([]).content("x")
    assert not Wanted([Reads()]).presence("x")


def test_every_pattern_is_one() -> None:
    for collector in INSIDE:
        for reads in collector.reads:
            for pattern in (*reads.content, *reads.presence, *reads.deep):
                re.compile(pattern)
