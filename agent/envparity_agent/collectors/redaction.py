"""What is told of commands, URLs and labels: by allow-list, so that a secret in any of them stays on the host.

Of a command a word is told where its shape and its place say what it is: the name of an option, a program, a number
after `--workers`, a path, an address, a module. Any other word may be a password, and stands as `…`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit, urlunsplit

from envparity_agent.collectors.values import Disclosure
from envparity_agent.fingerprint import MAX_STRING, Attributes

HIDDEN = "…"


def command(words: Sequence[str], disclosure: Disclosure) -> Attributes:
    """The words of a command that are told, `…` for the others, and where there are such the keyed hash of them all."""
    told = list(_told(words))
    text = " ".join(told)
    if told == list(words) and HIDDEN not in text and len(text) <= MAX_STRING:
        return {"command": text}
    return {"command": text, **disclosure.keyed("command", "\0".join(words))}


def url(text: str) -> str:
    """A URL without credentials, parameters, query and fragment.

    Of a text that is none (user:password@host:path) what follows the `@`; `…` for the host of one that is not valid.
    """
    scheme = text.partition("://")[0]
    try:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2].partition(";")[0]
        # a ValueError where a `/`, `?` or `#` in a password ended the host too early
        if ":" in parts.netloc.rpartition("]")[2] and "@" not in parts.netloc and "@" in text:
            raise ValueError("what looks like a port, or an empty one, may be how a password begins")
        _ = parts.port  # a ValueError for what is none
    except ValueError:
        return f"{scheme}://{HIDDEN}" if re.fullmatch(r"[A-Za-z0-9+.-]{1,20}", scheme) else HIDDEN
    bare = urlunsplit(parts._replace(netloc=host, path=parts.path.partition(";")[0], query="", fragment=""))
    return bare if parts.netloc or parts.scheme == "file" else bare.rpartition("@")[2]


def labels(found: Mapping[str, str], globs: Iterable[str]) -> dict[str, str]:
    """The labels whose names the operator allows; a URL among their values is told without credentials."""
    allowed = tuple(globs)
    return {
        name: url(value) if "://" in value else value
        for name, value in sorted(found.items())
        if any(fnmatchcase(name, pattern) for pattern in allowed)
    }


# names of options are words: a password that is stuck to a letter (-phunter2) or has digits is none
_OPTION = re.compile(r"-[A-Za-z]|--[a-z]{1,16}(?:[-_][a-z]{1,16}){0,4}")
_SENSITIVE = re.compile(r"pass|pwd|secret|token|key|auth|cred|pin|otp|salt|cookie|session|dsn|login|user")
# options without a value: what follows them stands for itself
_FLAGS = frozenset({
    "--daemon", "--debug", "--factory", "--foreground", "--help", "--once", "--preload", "--proxy-headers", "--quiet",
    "--reload", "--verbose", "--version",
})  # fmt: skip
_SERVERS = frozenset({"daphne", "granian", "gunicorn", "hypercorn", "uvicorn", "waitress-serve"})
_PROGRAMS = _SERVERS | frozenset({
    "air", "apache2", "bash", "beam", "bundle", "bun", "caddy", "celery", "dash", "deno", "django-admin", "docker",
    "dotnet", "dramatiq", "dumb-init", "env", "envoy", "exec", "fastapi", "flask", "go", "gosu", "haproxy", "httpd",
    "java", "jupyter", "mongod", "mysqld", "nginx", "node", "npm", "php", "php-fpm", "pip", "pnpm", "podman", "poetry",
    "postgres", "puma", "pytest", "rabbitmq-server", "rails", "redis-server", "rq", "ruby", "sh", "sleep", "ssh",
    "su-exec", "sudo", "supervisord", "tail", "tini", "traefik", "uv", "uwsgi", "yarn",
})  # fmt: skip
_PYTHON = re.compile(r"(?:python|pypy)[0-9]{0,2}(?:\.[0-9]{1,2})?t?")

_RUN = re.compile(r"(?:[a-z]{1,16}|[A-Z]{1,12}|[A-Z][a-z]{1,15}(?:[A-Z][a-z]{2,12})?)?[0-9]{0,4}|[0-9]{5,8}")
_SEGMENT = re.compile(r"[A-Za-z0-9._@+-]{1,64}")
_FILE = re.compile(
    r".+\.(?:cfg|conf|ini|jar|js|json|lock|log|pid|properties|py|rb|sh|sock|toml|ts|txt|xml|ya?ml)", re.DOTALL
)
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?(?:ms|[smhd%]|[kKMGT]i?[bB]?)?")
_LOCAL = re.compile(r"(?=.)(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|localhost|\*|\[[0-9a-f:]{2,39}\])?(?::[0-9]{1,5})?")
_PORT = re.compile(r":[0-9]{1,5}\Z")
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,127}(?::[A-Za-z_][A-Za-z0-9_.]{0,63})?")
_LEVELS = frozenset({"critical", "debug", "error", "fatal", "info", "notice", "trace", "warn", "warning"})


def _is_plain(segment: str) -> bool:
    """Whether a part of a path consists of words and short numbers, unlike a random token."""
    digits = sum(char.isdigit() for char in segment)
    return digits <= 8 and bool(_SEGMENT.fullmatch(segment)) and all(map(_RUN.fullmatch, re.split("[._@+-]", segment)))


def _is_path(word: str) -> bool:
    """An absolute path, one from `./`, or the name of a file with a known suffix."""
    path = word.removeprefix("unix:").removeprefix(".")
    if not path.startswith("/") and not (_FILE.fullmatch(word) and "://" not in word):
        return False
    return len(path) <= 255 and all(map(_is_plain, filter(None, path.split("/"))))


def _is_number(word: str) -> bool:
    return bool(_NUMBER.fullmatch(word))


def _is_address(word: str) -> bool:
    return bool(_LOCAL.fullmatch(word)) or _is_plain(_PORT.sub("", word)) or _is_path(word)


def _is_module(word: str) -> bool:
    return bool(_MODULE.fullmatch(word)) and all(map(_RUN.fullmatch, re.split("[._:]", word)))


def _is_level(word: str) -> bool:
    return word.lower() in _LEVELS or _is_number(word)


# the last word of an option's name -> what its value may look like
_SHAPES: Mapping[str, Callable[[str], bool]] = {
    **dict.fromkeys(
        (
            "alive", "backlog", "children", "concurrency", "connections", "count", "delay", "depth", "interval",
            "jitter", "jobs", "limit", "max", "memory", "min", "multiplier", "port", "processes", "rate", "requests",
            "retries", "seconds", "size", "threads", "timeout", "ttl", "workers",
        ),
        _is_number,
    ),
    **dict.fromkeys(("address", "bind", "host", "listen", "-b"), _is_address),
    **dict.fromkeys(
        (
            "chdir", "conf", "config", "dir", "directory", "file", "logfile", "path", "pid", "pidfile", "root",
            "socket", "-c", "-C", "-f",
        ),
        _is_path,
    ),
    **dict.fromkeys(("app", "class", "module", "settings"), _is_module),
    **dict.fromkeys(("level", "loglevel"), _is_level),
}  # fmt: skip


def _is_told(option: str, value: str) -> bool:
    """Whether the value of an option is told: what the option's name says it is, and no secret by that name."""
    shape = _SHAPES.get(option if len(option) == 2 else re.split("[-_]", option)[-1])
    return shape is not None and shape(value) and (shape is _is_path or not _SENSITIVE.search(option))


def _told(words: Sequence[str]) -> Iterator[str]:
    """Each word, or `…`; of an option with its value in one word at least the option."""
    option = program = ""  # the option whose value may come next; the last program that was named
    for word in words:
        name, separator, value = word.partition("=")
        if option and _SENSITIVE.search(option):
            yield word if _is_told(option, word) else HIDDEN
            option = ""
        elif _OPTION.fullmatch(name) and separator:
            yield word if _is_told(name, value) else f"{name}={HIDDEN}"
            option = ""
        elif _OPTION.fullmatch(name):
            yield word
            option = "" if word in _FLAGS else word
        elif option:
            is_module = option == "-m" and _PYTHON.fullmatch(program) and _is_module(word)
            yield word if is_module or _is_told(option, word) else HIDDEN
            option = ""
        else:
            base = word.rpartition("/")[2]
            is_program = base in _PROGRAMS or _PYTHON.fullmatch(base)
            is_module = program in _SERVERS and ":" in word and _is_module(word)
            plain = (is_program and word == base) or _is_path(word) or _LOCAL.fullmatch(word) or word == "--"
            yield word if plain or is_module else HIDDEN
            program = base if is_program else ""
