"""The settings of a system that have broken applications on one host and not on another.

What a running kernel holds is read for the running system only; what files say is read in every root.
"""

import re
from collections.abc import Iterator

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.reads import Reads
from envparity_agent.collectors.system import limits, locales
from envparity_agent.collectors.system.assignments import assignments
from envparity_agent.collectors.system.files import Files
from envparity_agent.fingerprint import Attributes, Reason, Section, Status

READS = Reads(
    content=(
        r"etc/(?:locale\.conf|default/locale|localtime|timezone|nsswitch\.conf|ld\.so\.preload)",
        r"etc/security/limits\.(?:conf|d/[^/]*\.conf)",
        r"usr/lib/locale/locale-archive",
    ),
)

# Left out is what moves, and what the kernel derives from the memory of the machine: fs.file-max, kernel.threads-max
_SYSCTLS = (
    "crypto.fips_enabled",  # hashlib.md5 raises, TLS refuses ciphers
    "fs.aio-max-nr",  # databases: "io_setup: Resource temporarily unavailable"
    "fs.inotify.max_user_instances",  # "inotify_init: too many open files" with many containers
    "fs.inotify.max_user_watches",  # "no space left on device" from whoever watches files
    "kernel.apparmor_restrict_unprivileged_userns",  # Ubuntu 24.04: Chromium and its drivers do not start
    "kernel.pid_max",  # "can't start new thread"
    "kernel.randomize_va_space",  # addresses that a program relies on without knowing
    "kernel.shmmax",  # PostgreSQL and Oracle: "could not create shared memory segment"
    "kernel.unprivileged_userns_clone",  # Debian: rootless containers and sandboxes
    "kernel.yama.ptrace_scope",  # py-spy, debuggers
    "net.core.somaxconn",  # caps the backlog of every listening socket: connections refused under load
    "net.ipv4.ip_forward",  # containers without a network
    "net.ipv4.ip_local_port_range",  # "cannot assign requested address" from clients with many connections
    "net.ipv4.ip_unprivileged_port_start",  # binding port 80 without root
    "net.ipv4.tcp_keepalive_time",  # connections that a load balancer dropped are found late
    "net.ipv4.tcp_tw_reuse",  # the same as the port range
    "net.ipv6.bindv6only",  # listening on :: does or does not take IPv4 as well
    "net.ipv6.conf.all.disable_ipv6",  # "address family not supported", or waiting for a time-out over IPv6
    "vm.max_map_count",  # Elasticsearch refuses to start, many mappings end in "out of memory"
    "vm.overcommit_memory",  # fork of a large process fails, Redis cannot save
    "vm.overcommit_ratio",  # how much, where overcommit_memory is 2
    "vm.swappiness",  # latency
)
_HUGE_PAGES = "sys/kernel/mm/transparent_hugepage/enabled"  # latency and memory of Redis, MongoDB, jemalloc
_LOCALE_FILES = ("etc/locale.conf", "etc/default/locale")  # systemd's, and that of PAM on Debian, which wins at a login
_LOCALE = re.compile(r"(?:LANG|LANGUAGE|LC_[A-Z]{1,30})$")
_ZONES = "/zoneinfo/"
_MAX_ZONE = 64 * 1024


def collect(subject: Subject) -> Iterator[Section]:
    """Yield `os/settings`."""
    files = Files(subject.root)
    items: dict[str, Attributes] = {}
    if subject.root.live:
        items |= kernel(files)
        items |= limits.of_init(files)
    items |= of_files(files)
    status = Status.PARTIAL if files.reasons else Status.OK
    yield Section("os/settings", "settings", 1, items, status, tuple(sorted(files.reasons)))


def kernel(files: Files) -> dict[str, Attributes]:
    """What the running kernel is set to; what it does not know is not there."""
    items: dict[str, Attributes] = {}
    if files.required("proc/sys/kernel/ostype") is None:
        return items  # without /proc each of them would seem not to be known
    for name in _SYSCTLS:
        text = files.text(f"proc/sys/{name.replace('.', '/')}")
        if text is not None:
            items[f"sysctl:{name}"] = {"value": " ".join(text.split())}
    chosen = re.search(r"\[(\w+)\]", files.text(_HUGE_PAGES) or "")
    if chosen:
        items["transparent_hugepage"] = {"value": chosen.group(1)}
    return items


def of_files(files: Files) -> dict[str, Attributes]:
    """What the files of a root say."""
    items: dict[str, Attributes] = {}
    for path in _LOCALE_FILES:  # decides encodings, sorting and number formats
        for name, value in assignments((files.text(path) or "").encode()).items():
            if _LOCALE.match(name):
                items[f"locale:{name}"] = {"value": value}
    generated = locales.generated(files)  # "unsupported locale setting"
    if generated:
        items["locales"] = {"value": generated}
    zone = _timezone(files)  # local times and the days of reports
    if zone:
        items["timezone"] = {"value": zone}
    hosts = re.search(r"^\s*hosts:(.*)$", files.text("etc/nsswitch.conf") or "", re.MULTILINE)
    if hosts:  # /etc/hosts, mdns or DNS first, or not at all
        items["nsswitch:hosts"] = {"value": " ".join(hosts.group(1).partition("#")[0].split())}
    preloaded = (files.text("etc/ld.so.preload") or "").partition("#")[0].replace(":", " ").split()
    if preloaded:  # changes every program
        items["ld.so.preload"] = {"value": tuple(sorted(set(preloaded)))}
    return items | limits.configured(files)


def _timezone(files: Files) -> str | None:
    """The name of the zone that /etc/localtime leads to; of a copied file its rule, such as `JST-9`."""
    link = files.link("etc/localtime")
    if link is not None and _ZONES in link:
        return link.rpartition(_ZONES)[2]
    named = (files.text("etc/timezone") or "").strip()  # Debian's, which some programs ask instead
    if named or link is not None:
        return named or link
    content = files.content("etc/localtime", _MAX_ZONE)
    if content is None:
        return None
    # the footer of a TZif file, https://www.rfc-editor.org/rfc/rfc8536#section-3.3
    lines = content.rsplit(b"\n", 2)
    if not content.startswith(b"TZif") or len(lines) != 3 or lines[2]:
        files.reasons.add(Reason.INVALID)
        return None
    return lines[1].decode("ascii", "replace") or None
