"""Which files are read by key, and how: the visible table of formats, from a file's name to its values."""

from collections.abc import Callable, Mapping
from configparser import Error as IniError
from configparser import MissingSectionHeaderError, ParsingError, RawConfigParser

import yaml

from envparity_agent.collectors.configuration import dotenv
from envparity_agent.collectors.configuration.nested import MAX_KEYS, Keyed, part, read_json, read_toml, read_yaml

WHOLE = "whole"
_SUFFIXES: Mapping[str, str] = {
    "env": "env",
    "ini": "ini",
    "cfg": "ini",
    "conf": "ini",
    "toml": "toml",
    "yaml": "yaml",
    "yml": "yaml",
    "json": "json",
}
_OFTEN_OTHER = ("cfg", "conf")  # nginx's, haproxy's and many more are no ini


class Invalid(ValueError):
    """A file does not follow the format that its name says."""


class Other(Invalid):
    """A file has a format of its own, and its name did not say otherwise."""


def format_of(path: str) -> str:
    """The format of a file by its name: `.env` and `.env.NAME`, else its suffix; `whole` where that says nothing."""
    name = path.rpartition("/")[2].lower()
    return "env" if name.startswith(".env.") else _SUFFIXES.get(name.rpartition(".")[2], WHOLE)


def read(path: str, content: bytes) -> Keyed:
    """The values of a file by their keys; raises Invalid."""
    try:
        found = _READERS[format_of(path)](content.decode("utf-8-sig"))
    except (MissingSectionHeaderError, ParsingError) as problem:
        often_other = path.lower().rpartition(".")[2] in _OFTEN_OTHER
        raise (Other if often_other else Invalid)(str(problem)) from None
    except (ValueError, OverflowError, RecursionError, IniError, yaml.YAMLError) as problem:
        raise Invalid(str(problem)) from None
    if len(found.values) <= MAX_KEYS:
        return found
    return Keyed(dict(sorted(found.values.items())[:MAX_KEYS]), complete=False)


def _env(text: str) -> Keyed:
    return Keyed(dotenv.parse(text))


class _Parser(RawConfigParser):
    """An ini file as it stands: names keep their case, and nothing is interpolated."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _ini(text: str) -> Keyed:
    # no section can be called so: [DEFAULT] is one like the others, and nothing is copied into all of them
    parser = _Parser(strict=False, allow_no_value=True, default_section="\n")
    parser.read_string(text.replace("\r\n", "\n"))
    return Keyed(
        {
            f"{part(section)}.{part(name)}": value or ""
            for section in parser.sections()
            for name, value in parser.items(section)
        }
    )


_READERS: Mapping[str, Callable[[str], Keyed]] = {
    "env": _env,
    "ini": _ini,
    "toml": read_toml,
    "yaml": read_yaml,
    "json": read_json,
}
