"""The witness of what an application says of its settings: variables, and keys of configuration files."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from envparity_server.explain.clues import Clue, strongest
from envparity_server.explain.failures import Frame, Raised
from envparity_server.explain.model import Evidence, Situation, Suspect
from envparity_server.explain.places import certainty
from envparity_server.explain.providers import is_stdlib
from envparity_server.explain.telling import FRAME, differing, quoted, telling

_WORD = re.compile(r"[A-Za-z_][\w.\[\]-]*")
_MAX_WORDS = 200  # of one line
_WANTED = re.compile(
    r"environment|env ?var|not set|unset|unbound|undefined|not defined|not configured|not found|is required|must be"
    r"|missing|Field required|KeyError|invalid|ImproperlyConfigured|no such (?:key|option)|No option",
    re.IGNORECASE,
)
_OS = ("/os.py", "\\os.py", "<frozen os>")

_CONSTANT = re.compile(r"(?<=['\"])([A-Za-z_][\w.-]{1,200})(?=['\"])")
_READ, _FARTHER = 9.0, 0.6  # points of a key that the raising line reads, and of each line before

_QUOTED = re.compile(r"['\"`]([A-Za-z_]\w{2,100})['\"`]")
_FIELD, _READER, _WORDS, _THROUGH = 7.0, 4.0, 5.0, 2.5
_PART = re.compile(r"[a-z0-9]+")
# what reads settings -> how the files end that it reads; variables where there are none
_READERS: Mapping[str, tuple[str, ...]] = {
    "configparser": ("ini", "cfg", "conf"),
    "tomllib": ("toml",),
    "tomli": ("toml",),
    "yaml": ("yaml", "yml"),
    "json": ("json",),
    "pydantic_settings": (),
    "environs": (),
    "decouple": (),
    "dotenv": (),
}

Keys = Mapping[str, Sequence[tuple[Suspect, float]]]


def of_settings(situation: Situation) -> Iterable[Evidence]:
    """Evidence from the variables and keys that were named in what was printed."""
    return strongest(_clues(situation)) if situation.failure else ()


def _clues(situation: Situation) -> Iterator[Clue]:
    keys = _keys(situation)
    raised = situation.failure.raised if situation.failure and keys else ()
    is_model = any("validation error" in one.message for one in raised)  # as pydantic's of a class of settings
    for one in raised:
        yield from _looked_up(one, keys)
        yield from _read(one, keys)
        yield from _fields(one, keys)
        yield from _in_words(one, situation)
    yield from _unreadable(raised[-1], situation) if raised else ()
    for line in telling(situation) if keys else ():
        if not FRAME.match(line):
            yield from _named(line, keys, is_model)


def _keys(situation: Situation) -> Keys:
    """What a line may call a variable or a key, in lower case, with how surely it means that one."""
    found: dict[str, list[tuple[Suspect, float]]] = {}
    for suspect, differences in situation.suspects.items():
        kind, sure = differences[0].kind, certainty(differences)
        if kind not in ("configuration", "file") or not suspect.item or suspect.item.startswith("@"):
            continue
        name = suspect.item.removeprefix("env:")
        if kind == "configuration" and name == suspect.item:
            continue
        found.setdefault(name.lower(), []).append((suspect, sure))
        last = re.split(r"[.\[\]/]", name.rstrip("]"))[-1]
        if last != name and len(last) > 2 and not last.isdecimal():
            found.setdefault(last.lower(), []).append((suspect, 0.75 * sure))
    return found


def _looked_up(raised: Raised, keys: Keys) -> Iterator[Clue]:
    """`KeyError: 'NAME'`: of os.environ where the frames say so, which since 3.11 are `<frozen os>`."""
    key = raised.message.strip("'\"")
    if raised.type.rpartition(".")[2] != "KeyError":
        return
    near = raised.frames[-2:]
    last = near[-1] if near else Frame("", 0, "")
    of_environment = any((is_stdlib(one.file) and one.file.endswith(_OS)) or "environ" in one.source for one in near)
    told = quoted(f"{key} is looked up and is not there: {last.file}:{last.line} {last.source}")
    for suspect, sure in keys.get(key.lower(), ()):
        yield Clue("key", suspect, (13.0 if of_environment else 10.0) * sure, told)


def _read(raised: Raised, keys: Keys) -> Iterator[Clue]:
    """Keys that the lines of a traceback read: `settings["origin"]["country"]`, `getenv("TZ")`, `config.get("a", "b")`.

    The application's own last line says the most.
    """
    points = _READ
    for frame in reversed([one for one in raised.frames if one.source and not is_stdlib(one.file)]):
        words = _CONSTANT.findall(frame.source)
        for word in dict.fromkeys(words):
            for suspect, sure in keys.get(word.lower(), ()):
                path = suspect.item.removeprefix("env:")
                beside = sum(part in words for part in re.split(r"[.\[\]/]+", path)) > 1
                told = (
                    f"{frame.file.rpartition('/')[2]}:{frame.line} reads {path}, which differs: {quoted(frame.source)}"
                )
                yield Clue("key", suspect, points * (1.0 if beside else sure), told)
        points *= _FARTHER


def _fields(raised: Raised, keys: Keys) -> Iterator[Clue]:
    """A field in quotes, by which a class of settings calls the end of a variable's name."""
    for word in dict.fromkeys(_QUOTED.findall(raised.message)):
        for key, found in keys.items():
            for suspect, sure in found if key.endswith(f"_{word.lower()}") else ():
                told = f"{suspect.item.removeprefix('env:')} may be what is called {word}: {quoted(raised.message)}"
                yield Clue("key", suspect, _FIELD * sure, told)


def _in_words(raised: Raised, situation: Situation) -> Iterator[Clue]:
    """The error has several words of a name; or its call has one of a variable's: `proxy_manager_for` of ALL_PROXY."""
    said = set(_PART.findall(raised.message.lower()))
    calls = " ".join(f"{frame.function} {frame.source}" for frame in raised.frames[-6:])
    called = set(_PART.findall(calls.lower()))
    for suspect in differing(situation, "configuration", "file"):
        name = suspect.item.removeprefix("env:")
        words = [one for one in _PART.findall(name.lower()) if len(one) > 3]
        named = [one for one in words if one in said]
        through = [one for one in words[1:] or words if len(one) > 4 and one in called]  # the first is often its owner
        if len(named) > 1:
            told = f"the error has {' and '.join(named)} of its name: {quoted(raised.message)}"
            yield Clue("words", suspect, _WORDS if len(named) == len(words) else 0.6 * _WORDS, told)
        elif through and suspect.item.startswith("env:"):
            told = f"the error went through what has {through[-1]} in its name, as {name} has"
            yield Clue("words", suspect, _THROUGH, told)


def _unreadable(raised: Raised, situation: Situation) -> Iterator[Clue]:
    """An error of what reads settings: one of those that differ is not as it is to be."""
    modules = [*(frame.file for frame in raised.frames[-2:]), raised.type.lower()]
    for reader, endings in _READERS.items():
        if not any(re.search(rf"(?:^|[/.]){reader}(?:[/.]|$)", one) for one in modules):
            continue
        for suspect in differing(situation, "configuration", "file"):
            is_variable = suspect.item.startswith("env:")
            if not is_variable and suspect.section.endswith(endings) if endings else is_variable:
                told = f"{reader} cannot make sense of what it reads: {quoted(raised.message or raised.type)}"
                yield Clue("reader", suspect, _READER, told)
        return


def _named(line: str, keys: Keys, is_model: bool) -> Iterator[Clue]:
    """A line that names a variable or a key; a class of settings calls the variable SHOP_DB_URL its field db_url."""
    is_field = is_model and line == line.strip() and line.isidentifier()
    wanted = is_field or bool(_WANTED.search(line))
    for word in dict.fromkeys(_WORD.findall(line)[:_MAX_WORDS]):
        word = word.rstrip(".-]")
        for suspect, sure in keys.get(word.lower(), ()):
            name = suspect.item.removeprefix("env:")
            exact = word == name and (not word.islower() or "." in word or "_" in word)
            if exact or wanted:
                points = 12.0 if exact and wanted else 9.0 if wanted else 6.0
                yield Clue("key", suspect, points * sure, f"{name} differs, and the output names it: {quoted(line)}")
    if is_field and line.lower() not in keys:
        for suspect, sure in (one for key, found in keys.items() if key.endswith(f"_{line.lower()}") for one in found):
            told = f"{suspect.item.removeprefix('env:')} may be what the settings call {line}"
            yield Clue("key", suspect, 9.0 * sure, told)
