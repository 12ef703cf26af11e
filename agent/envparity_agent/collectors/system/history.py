"""Who changed the packages, as far as the package managers' own logs tell: for people, never compared.

Of a command line only a known program and a known verb are told: its options may hold passwords.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from envparity_agent.collectors.memory import Memory, stamp
from envparity_agent.collectors.system.sqlite import Tables, Value
from envparity_agent.collectors.system.transaction import Change, Transaction, command
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason
from envparity_agent.root import MIB, Root

MAX_TRANSACTIONS = 10  # each report carries them

_APT, _DPKG, _DNF = _LOGS = ("var/log/apt/history.log", "var/log/dpkg.log", "var/lib/dnf/history.sqlite")
_TAIL = MIB  # of a log
_MAX_ROWS = 500_000  # of a table
_DATE = re.compile(r"(\d{4}-\d\d-\d\d) +(\d\d:\d\d:\d\d)")
_USER = re.compile(r"[\w.@$-]{1,64}(?: \(\d{1,10}\))?", re.ASCII)
# as in `libssl3:amd64 (3.0.11-1, 3.0.15-1), curl:amd64 (8.1, automatic)`
_APT_PACKAGE = re.compile(r"([^\s:(),]{1,100})(?::[^\s:(),]{1,20})? \(([^\s(),]{1,100})(?:, ([^\s(),]{1,100}))?\)")
_APT_FIELDS = ("Install", "Upgrade", "Downgrade", "Reinstall", "Remove", "Purge")
# TransactionItemAction in https://github.com/rpm-software-management/libdnf/blob/dnf-4-master/libdnf/transaction/Types.hpp
_ADDING, _REMOVING = frozenset({1, 2, 4, 6, 9}), frozenset({3, 5, 7, 8, 10})


def recent(root: Root, memory: Memory) -> Attributes:
    """When -> what was done, of the last transactions, the newest first; a log that cannot be read tells nothing."""
    stamps = tuple(stamp(root, log) for log in _LOGS)
    return memory.recall(("package history", stamps), stamps, lambda: _recent(root))


def _recent(root: Root) -> Attributes:
    apt = [*_apt(_tail(root, _APT))]
    dpkg = [one for one in _dpkg(_tail(root, _DPKG)) if not any(it.began <= one.began <= it.ended for it in apt)]
    found: dict[str, str] = {}
    for one in sorted((*apt, *dpkg, *_dnf(root)), key=lambda one: one.began, reverse=True)[:MAX_TRANSACTIONS]:
        found[one.began if one.began not in found else f"{one.began} #{len(found)}"] = str(one)
    return found


def _tail(root: Root, path: str) -> str:
    """The end of a log, from the beginning of a line."""
    try:
        with root.regular(path) as descriptor:
            size = os.fstat(descriptor).st_size
            content = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
    except (Unreadable, OSError):
        return ""
    text = content.decode("utf-8", "replace")
    return text.partition("\n")[2] if size > _TAIL else text


def _apt(log: str) -> Iterator[Transaction]:
    """One transaction in each paragraph of apt's log."""
    for paragraph in log.split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in paragraph.split("\n"))
        began = _moment(fields.get("Start-Date", ""))
        user = fields.get("Requested-By", "")
        if began:
            yield Transaction(
                began,
                command(fields.get("Commandline", "")),
                user if _USER.fullmatch(user) else "",
                tuple(_apt_changes(fields)),
                _moment(fields.get("End-Date", "")) or began,
            )


def _apt_changes(fields: dict[str, str]) -> Iterator[Change]:
    for field in _APT_FIELDS:
        for package, first, second in _APT_PACKAGE.findall(fields.get(field, "")):
            if field in ("Remove", "Purge"):
                yield Change(package, old=first)
            elif field in ("Upgrade", "Downgrade"):
                yield Change(package, first, second)
            else:
                yield Change(package, new=first)


def _dpkg(log: str) -> Iterator[Transaction]:
    """One transaction for each start of dpkg: `DATE TIME ACTION PACKAGE OLD NEW`."""
    began, changes = "", list[Change]()
    for line in log.split("\n"):
        words = line.split(" ", 6)
        if len(words) < 4:
            continue
        if words[2] == "startup":
            if changes:
                yield Transaction(began, "dpkg", changes=tuple(changes))
            began, changes = _moment(line), []
        elif words[2] in ("install", "upgrade", "remove", "purge") and len(words) >= 6 and began:
            old, new = ("" if version == "<none>" else version for version in words[4:6])
            changes.append(Change(words[3].partition(":")[0], old, new))
    if changes:
        yield Transaction(began, "dpkg", changes=tuple(changes))


def _moment(text: str) -> str:
    found = _DATE.match(text)
    return f"{found[1]} {found[2]}" if found else ""


def _dnf(root: Root) -> list[Transaction]:
    """The transactions in the database of dnf 4."""
    try:
        with root.regular(_DNF) as descriptor:
            tables = Tables(descriptor, _DNF)
            latest = sorted(_rows(tables, "trans"), key=lambda row: _number(row, "id"))[-MAX_TRANSACTIONS:]
            changes = _dnf_changes(tables, {_number(row, "id") for row in latest})
    except Unreadable:
        return []
    found = []
    for row in latest:
        try:
            began = f"{datetime.fromtimestamp(_number(row, 'dt_begin'), UTC):%Y-%m-%d %H:%M:%S}Z"
        except (ValueError, OverflowError, OSError):  # no moment that there is
            continue
        user = row.get("user_id")
        by = f"user {user}" if isinstance(user, int) and user not in (-1, 0xFFFFFFFF) else ""  # nobody logged in
        changed = tuple(changes.get(_number(row, "id"), ()))
        found.append(Transaction(began, command(str(row.get("cmdline") or ""), "dnf"), by, changed))
    return found


def _dnf_changes(tables: Tables, transactions: set[int]) -> dict[int, list[Change]]:
    """Transaction -> its changes; a package that is replaced has two items in a transaction."""
    items = [row for row in _rows(tables, "trans_item") if _number(row, "trans_id") in transactions]
    asked = {_number(row, "item_id") for row in items}
    packages = {_number(row, "item_id"): row for row in _rows(tables, "rpm") if _number(row, "item_id") in asked}
    versions: dict[tuple[int, str], list[str]] = {}
    for row in items:
        package, action = packages.get(_number(row, "item_id")), _number(row, "action")
        if package and action in _ADDING | _REMOVING:
            change = versions.setdefault((_number(row, "trans_id"), str(package.get("name"))), ["", ""])
            change[action in _ADDING] = _evr(package)
    found: dict[int, list[Change]] = {}
    for (number, name), (old, new) in versions.items():
        found.setdefault(number, []).append(Change(name, old, new))
    return found


def _evr(row: dict[str, Value]) -> str:
    epoch, version, release = (str(row.get(name) or "") for name in ("epoch", "version", "release"))
    return f"{f'{epoch}:' if epoch else ''}{version}-{release}"


def _rows(tables: Tables, table: str) -> Iterator[dict[str, Value]]:
    for count, row in enumerate(tables.rows(table)):
        if count == _MAX_ROWS:
            raise Unreadable(_DNF, Reason.CAP)
        yield row


def _number(row: dict[str, Value], name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) else -1
