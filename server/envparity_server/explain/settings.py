"""The witness of what an application says of its settings: variables, and keys of configuration files."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from envparity_server.explain.clues import Clue, strongest
from envparity_server.explain.failures import Frame, Raised
from envparity_server.explain.model import Evidence, Situation, Suspect
from envparity_server.explain.places import certainty
from envparity_server.explain.providers import is_stdlib
from envparity_server.explain.telling import FRAME, quoted, telling

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
