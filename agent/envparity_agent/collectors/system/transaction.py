"""One run of a package manager, as it is told: when, which command, by whom, and what it changed."""

import re
from dataclasses import dataclass

MAX_TEXT = 300  # characters of the packages of one transaction

_PROGRAMS = frozenset({
    "apt", "apt-get", "aptitude", "aptd", "dnf", "dnf-3", "dnf-automatic", "dpkg", "microdnf", "packagekitd",
    "synaptic", "tdnf", "unattended-upgrade", "unattended-upgrades", "yum", "yum-cron",
})  # fmt: skip
_VERBS = frozenset({
    "autoremove", "autopurge", "build-dep", "dist-upgrade", "distro-sync", "downgrade", "dselect-upgrade", "erase",
    "full-upgrade", "groupinstall", "history", "install", "localinstall", "module", "purge", "reinstall", "remove",
    "safe-upgrade", "swap", "update", "upgrade", "upgrade-minimal",
})  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,99}", re.ASCII)
_VERSION = re.compile(r"[\w.+:~^-]{1,100}", re.ASCII)


@dataclass(frozen=True)
class Change:
    """A package that was installed (`new`), removed (`old`) or replaced (both)."""

    package: str
    old: str = ""
    new: str = ""

    def __str__(self) -> str:
        if not _NAME.fullmatch(self.package):
            return ""
        versions = [one if _VERSION.fullmatch(one) else "?" for one in (self.old, self.new) if one]
        sign = "" if self.old and self.new else "-" if self.old else "+"
        return f"{sign}{self.package} {' -> '.join(versions)}".rstrip()


@dataclass(frozen=True)
class Transaction:
    """`began` is told as the log has it: local time, or UTC with a Z."""

    began: str
    command: str
    user: str = ""
    changes: tuple[Change, ...] = ()
    ended: str = ""

    def __str__(self) -> str:
        told = f"{self.command or 'a package manager'}{f' by {self.user}' if self.user else ''}"
        text, shown = "", 0
        for change in filter(None, map(str, self.changes)):
            if len(text) + len(change) > MAX_TEXT:
                break
            text += f"{', ' if text else ''}{change}"
            shown += 1
        more = len(self.changes) - shown
        if more:
            text += f"{', ' if text else ''}and {more} more"
        return f"{told}: {text}" if text else told


def command(line: str, program: str = "") -> str:
    """The known program and the known verb of a command line, and nothing else of it."""
    words = line.split(maxsplit=50)[:50]
    programs = [word.rpartition("/")[2] for word in words]
    known = program or next((word for word in programs if word in _PROGRAMS), "")
    return " ".join(filter(None, (known, next((word for word in words if word in _VERBS), ""))))
