"""Limits on the resources of processes: those that PAM is configured to set, and those of init."""

import re
from collections.abc import Iterator

from envparity_agent.collectors.system.files import Files
from envparity_agent.fingerprint import Attributes, Value

# "Too many open files"; "can't start new thread"; locked memory of databases, BPF and io_uring; deep recursion;
# MemoryError although memory is free
_RESOURCES = frozenset({"nofile", "nproc", "memlock", "stack", "as"})
# of init without its processes and signals, which the kernel derives from the memory of the machine
_OF_INIT = {
    "Max open files": "nofile",
    "Max locked memory": "memlock",
    "Max stack size": "stack",
    "Max address space": "as",
}
_INIT_LINE = re.compile(r"^(Max [a-z ]+?) {2,}(\S+) +(\S+)", re.MULTILINE)
_FILE = "etc/security/limits.conf"
_FOLDER = "etc/security/limits.d"
_UNLIMITED = frozenset({"unlimited", "infinity", "-1"})


def configured(files: Files) -> dict[str, Attributes]:
    """`limit:DOMAIN:RESOURCE` of limits.conf and limits.d, memory in KiB; of what stands twice the last, as for PAM.

    https://man7.org/linux/man-pages/man5/limits.conf.5.html
    """
    found: dict[str, dict[str, Value]] = {}
    folder = (f"{_FOLDER}/{name}" for name in files.names(_FOLDER) if name.endswith(".conf"))
    for path in (_FILE, *folder):
        for domain, kind, resource, value in _lines(files.text(path) or ""):
            attributes = found.setdefault(f"limit:{domain}:{resource}", {})
            for name in ("soft", "hard") if kind == "-" else (kind,):
                attributes[name] = _value(value)
    return dict(found)


def of_init(files: Files) -> dict[str, Attributes]:
    """`limit-of-init:RESOURCE`: what services inherit where nothing else is configured, memory in bytes.

    https://man7.org/linux/man-pages/man5/proc_pid_limits.5.html
    """
    return {
        f"limit-of-init:{_OF_INIT[name]}": {"soft": _value(soft), "hard": _value(hard)}
        for name, soft, hard in _INIT_LINE.findall(files.required("proc/1/limits") or "")
        if name in _OF_INIT
    }


def _lines(text: str) -> Iterator[tuple[str, str, str, str]]:
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) == 4 and words[1] in ("soft", "hard", "-") and words[2] in _RESOURCES:
            yield words[0], words[1], words[2], words[3]


def _value(text: str) -> Value:
    if text in _UNLIMITED:
        return "unlimited"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
