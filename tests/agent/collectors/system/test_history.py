"""Checks what is told of the package managers' logs: who did what and when, and never an option's value."""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.system.history import MAX_TRANSACTIONS, recent
from envparity_agent.fingerprint import Value
from envparity_agent.root import MIB, Root
from tests.agent.databases import paragraph
from tests.agent.roots import fingerprint_of
from tests.agent.trees import put

APT = "var/log/apt/history.log"
DPKG = "var/log/dpkg.log"

UPGRADE = """
Start-Date: 2026-11-20  02:00:11
Commandline: apt upgrade -y
Requested-By: alice (1000)
Install: nginx:amd64 (1.22.1-9), nginx-common:amd64 (1.22.1-9, automatic)
Upgrade: libssl3:amd64 (3.0.11-1, 3.0.15-1), tzdata:amd64 (2024a-0, 2024b-0)
Remove: curl:amd64 (7.88.1-10)
End-Date: 2026-11-20  02:00:20
"""
TOLD = (
    "apt upgrade by alice (1000): +nginx 1.22.1-9, +nginx-common 1.22.1-9, libssl3 3.0.11-1 -> 3.0.15-1, "
    "tzdata 2024a-0 -> 2024b-0, -curl 7.88.1-10"
)
# as libdnf has it, comments included:
# https://github.com/rpm-software-management/libdnf/blob/dnf-4-master/libdnf/transaction/sql/create_tables.sql
DNF = """
CREATE TABLE trans (
    id INTEGER PRIMARY KEY AUTOINCREMENT, dt_begin INTEGER NOT NULL, /* (unix timestamp) begin */ dt_end INTEGER,
    releasever TEXT NOT NULL, user_id INTEGER NOT NULL, cmdline TEXT /* (program, options, arguments) */
);
CREATE TABLE trans_item (
    id INTEGER PRIMARY KEY AUTOINCREMENT, trans_id INTEGER REFERENCES trans(id), item_id INTEGER, action INTEGER
);
CREATE TABLE rpm (item_id INTEGER UNIQUE NOT NULL, name TEXT, epoch INTEGER, version TEXT, release TEXT, arch TEXT);
INSERT INTO trans VALUES (1, 1795140011, 1795140020, '9', 1000, 'install -y --setopt=proxy_password=hunter2 httpd');
INSERT INTO trans VALUES (2, 1795226411, 1795226420, '9', 4294967295, 'upgrade');
INSERT INTO rpm VALUES (10, 'httpd', 0, '2.4.57', '5.el9', 'x86_64');
INSERT INTO rpm VALUES (11, 'httpd', 1, '2.4.62', '1.el9', 'x86_64');
INSERT INTO rpm VALUES (12, 'mod_ssl', 0, '2.4.57', '5.el9', 'x86_64');
INSERT INTO trans_item VALUES (1, 1, 10, 1), (2, 2, 11, 6), (3, 2, 10, 7), (4, 2, 12, 8), (5, 2, 10, 11);
"""


def told(root: Path) -> Mapping[str, Value]:
    with Root(os.fspath(root)) as opened:
        return recent(opened, Memory())


def apt(command: str, date: str = "2026-11-20  02:00:11", packages: str = "", user: str = "") -> str:
    by = f"Requested-By: {user}\n" if user else ""
    return f"\nStart-Date: {date}\nCommandline: {command}\n{by}Install: {packages}\nEnd-Date: {date}\n"


def test_an_apt_transaction_tells_when_who_and_what(tmp_path: Path) -> None:
    put(tmp_path, APT, UPGRADE)
    assert told(tmp_path) == {"2026-11-20 02:00:11": TOLD}


def test_it_is_observed_and_not_part_of_the_fingerprint(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/status", paragraph("nginx"))
    without = fingerprint_of(tmp_path)
    put(tmp_path, APT, UPGRADE)
    found = fingerprint_of(tmp_path)
    assert found.sections["os-packages"].observed == {"2026-11-20 02:00:11": TOLD}
    assert found.root == without.root


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("/usr/bin/apt-get -o Acquire::http::Proxy=http://bob:hunter2@proxy install nginx", "apt-get install"),
        ("apt install --option hunter2 ./hunter2.deb", "apt install"),
        ("/usr/bin/unattended-upgrade", "unattended-upgrade"),
        ("packagekit role='hunter2'", "a package manager"),
        ("/opt/hunter2/run --token hunter2", "a package manager"),
        ("", "a package manager"),
    ],
)
def test_nothing_of_a_command_line_is_told_but_program_and_verb(tmp_path: Path, command: str, shown: str) -> None:
    put(tmp_path, APT, apt(command))
    assert list(told(tmp_path).values()) == [shown]


@pytest.mark.parametrize(
    "user", ["alice password=hunter2", "hunter2 hunter2 (1000)", "a" * 200, "x\N{RIGHT-TO-LEFT OVERRIDE}"]
)
def test_a_user_that_is_none_is_not_told(tmp_path: Path, user: str) -> None:
    put(tmp_path, APT, apt("apt upgrade", user=user))
    assert list(told(tmp_path).values()) == ["apt upgrade"]


def test_many_packages_are_counted(tmp_path: Path) -> None:
    packages = ", ".join(f"package-{number}:amd64 (1.{number}-1, automatic)" for number in range(500))
    put(tmp_path, APT, apt("apt install", packages=packages))
    (text,) = told(tmp_path).values()
    assert str(text).startswith("apt install: +package-0 1.0-1, +package-1 1.1-1, ")
    assert " more" in str(text)
    assert len(str(text)) < 400
    assert str(text).count("+") + int(str(text).split(" and ")[1].split(" ")[0]) == 500


def test_only_the_last_transactions_are_told_the_newest_first(tmp_path: Path) -> None:
    put(tmp_path, APT, "".join(apt("apt upgrade", f"2026-11-{day:02}  01:00:00") for day in range(1, 31)))
    moments = list(told(tmp_path))
    assert len(moments) == MAX_TRANSACTIONS
    assert moments[0] == "2026-11-30 01:00:00"
    assert moments == sorted(moments, reverse=True)


def test_two_transactions_of_one_second_are_two(tmp_path: Path) -> None:
    put(tmp_path, APT, apt("apt install") + apt("apt remove"))
    assert set(told(tmp_path).values()) == {"apt install", "apt remove"}


def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    put(tmp_path, APT, apt("apt install", "2025-01-01  00:00:00") * (2 * MIB // 90) + UPGRADE)
    assert told(tmp_path)["2026-11-20 02:00:11"] == TOLD


def test_what_dpkg_did_without_apt_is_told(tmp_path: Path) -> None:
    log = """2026-11-20 02:00:12 startup archives unpack
2026-11-20 02:00:12 upgrade libssl3:amd64 3.0.11-1 3.0.15-1
2026-11-21 10:00:00 startup archives install
2026-11-21 10:00:00 install tool:amd64 <none> 1.0
2026-11-21 10:00:00 status installed tool:amd64 1.0
2026-11-21 10:00:01 remove old:all 2.0 <none>
2026-11-22 10:00:00 startup packages configure
2026-11-22 10:00:00 configure tool:amd64 1.0 <none>
"""
    put(tmp_path, APT, UPGRADE)
    put(tmp_path, DPKG, log)
    assert told(tmp_path) == {
        "2026-11-21 10:00:00": "dpkg: +tool 1.0, -old 2.0",
        "2026-11-20 02:00:11": TOLD,
    }


def test_dnfs_database_tells_when_who_and_what(tmp_path: Path) -> None:
    path = put(tmp_path, "var/lib/dnf/history.sqlite")
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(DNF)
    assert told(tmp_path) == {
        "2026-11-21 02:00:11Z": "dnf upgrade: httpd 2.4.57-5.el9 -> 1:2.4.62-1.el9, -mod_ssl 2.4.57-5.el9",
        "2026-11-20 02:00:11Z": "dnf install by user 1000: +httpd 2.4.57-5.el9",
    }


@pytest.mark.parametrize("path", [APT, DPKG, "var/lib/dnf/history.sqlite"])
def test_a_log_that_is_no_log_tells_nothing(tmp_path: Path, path: str) -> None:
    assert told(tmp_path) == {}
    os.mkfifo(put(tmp_path, f"{path}.other").parent / Path(path).name)
    assert told(tmp_path) == {}


@given(
    st.binary(max_size=300),
    st.text("Start-De:Commandline IUpgrd\n20:1-(),>", max_size=200),
    st.text("2026-1 :startupinstall<none>\n", max_size=200),
)
def test_no_bytes_raise_anything(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, lines: str, actions: str
) -> None:
    root = tmp_path_factory.getbasetemp() / "history"
    put(root, APT, UPGRADE.encode() + content + lines.encode())
    put(root, DPKG, content + f"\n2026-01-01 00:00:00 startup x y\n{actions}".encode())
    put(root, "var/lib/dnf/history.sqlite", b"SQLite format 3\0" + content)
    assert all(isinstance(text, str) for text in told(root).values())
