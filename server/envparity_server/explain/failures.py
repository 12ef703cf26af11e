"""Reads what a failing run printed: the frames of a traceback, the error at its end, and what other programs say."""

import re
from collections import deque
from dataclasses import dataclass, field

from envparity_server.explain.logs import HEAD, lines_of, streams

MAX_RAISED = 200
MAX_FRAMES = 400  # of one traceback: half of them from its beginning, half from its end
MAX_MESSAGE = 8000  # characters
_MAX_MESSAGE_LINES = 60
_MAX_SOURCE = 500

_CAUSED = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_FIRST_CALL_LAST = "(most recent call first):"  # how a crash of the interpreter lists its frames
_FRAME = re.compile(r'\s*File "([^"]+)", line (\d+)(?:,? in (.+))?$')
# pytest, rich and IPython: `path.py:12: in f`, `/path.py:12 in f`, `File path.py:12, in f(x)`
_SHORT_FRAME = re.compile(
    r"(?:File )?((?:[A-Za-z]:)?[^\s:](?:[^:]*[^:\s])?\.py[xwi]?):(\d+)(?:[:,]? in(?: (\S.*))?|: ?(\w*))$"
)
_REPEATED = re.compile(r"\s*\[Previous line repeated \d+ more times?\]")
_ERROR = re.compile(r"((?:[^\W\d]\w*\.(?:<locals>\.)?)*[^\W\d]\w*)(?:: ?(.*))?$", re.DOTALL)
_BARE = re.compile(r"(?:[^\W\d]\w*\.)*[A-Z]\w*(?:Error|Exception|Conflict|NotFound|DoesNotExist)(?:: |$)")
_LOGGED = re.compile(
    r"(?:\[?\d{4}-\d\d-\d\d[T ]|\[?\d\d:\d\d:\d\d|\[?(?:DEBUG|INFO|WARNING|ERROR|CRITICAL|FATAL)\b"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d|=+ .* =+$|_+ .* _+$)"
)
_MARGIN = re.compile(r" *(?:\| ?|\+ (?=Exception Group ))")
_GROUP_LINE = re.compile(r" *\+[-+]+(?: (\d+|\.\.\.) -+)?$")


@dataclass(frozen=True)
class Frame:
    """A line of a traceback, the outermost call first; a syntax error's place has no function."""

    file: str
    line: int
    function: str
    source: str = ""


@dataclass(frozen=True)
class Raised:
    """One exception with its frames; of a chain the last one ended the run."""

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    leads: bool = False  # the next one was raised because of it, or while it was handled


@dataclass(frozen=True)
class Failure:
    """What a failing run printed, as far as it could be read; `text` is free of colours and of JSON."""

    raised: tuple[Raised, ...]
    text: str


def parse_failure(text: str) -> Failure:
    """Read what was printed; a text without any traceback has none, and its lines are evidence all the same.

    Tracebacks of CPython 3.8 to 3.14, pytest, rich and IPython; in the order in which they end, whatever the log that
    they stand in writes before each line. Takes time linear in the text, of which the last 4 MiB are read.
    """
    lines = lines_of(text)
    found: list[tuple[int, Raised]] = []
    for stream in streams(lines):
        reader = _Reader()
        grouped = any("Exception Group Traceback" in line for _, line in stream)
        for number, line in stream:
            reader.read(number, _without_margin(line, grouped))
        reader.end()
        found.extend(reader.found)
    ordered = [raised for _, raised in sorted(found, key=lambda one: one[0])]
    return Failure(tuple(ordered[-MAX_RAISED:]), "\n".join(lines))


def _without_margin(line: str, grouped: bool) -> str:
    """A line without the margin that a group of exceptions, or a box around a traceback, has."""
    if line[:1] in ("│", "┃"):  # of rich: beside the frames only the lines that it points at are in the call
        inner = line[1:].strip().removesuffix(line[0]).strip()
        return inner if inner.startswith("❱") or _SHORT_FRAME.match(inner) else ""
    if not grouped:
        return line
    if _GROUP_LINE.match(line):
        return line
    match = _MARGIN.match(line)
    return line[match.end() :] if match else line


@dataclass
class _Open:
    """A traceback that is being read: in its frames until `type` is set, then in its message."""

    headed: bool = False
    located: bool = False  # as pytest's long form, which has more than frames in between
    reverse: bool = False
    frames: list[Frame] = field(default_factory=list)
    type: str | None = None
    message: list[str] = field(default_factory=list)

    def add(self, frame: Frame) -> None:
        """Keep a frame, of very many the first and the last."""
        self.frames.append(frame)
        if len(self.frames) > MAX_FRAMES * 2:
            self.frames = self._kept()

    def _kept(self) -> list[Frame]:
        half = MAX_FRAMES // 2
        return self.frames if len(self.frames) <= MAX_FRAMES else [*self.frames[:half], *self.frames[-half:]]

    def raised(self) -> Raised:
        """What was read, as it is told."""
        frames = self._kept()
        message = "\n".join(self.message).strip()[:MAX_MESSAGE]
        return Raised(self.type or "", message, tuple(reversed(frames) if self.reverse else frames))


class _Reader:
    """Takes lines in their order, and finds the exceptions in them, each with the number of its last line."""

    def __init__(self) -> None:
        self.found: deque[tuple[int, Raised]] = deque(maxlen=MAX_RAISED)
        self._open = _Open()
        self._number = 0
        self._marked = ""  # the source line that pytest's long form points at, before it says where that is
        self._fatal = ""

    def read(self, number: int, line: str) -> None:
        """Take one line: it begins a traceback, is a part of it, or ends it."""
        bare = line.strip()
        if HEAD in line or (bare.startswith("Traceback") and bare.rstrip(" ─╮").endswith("(most recent call last)")):
            self._begin(_Open(headed=True))
        elif bare in _CAUSED:
            self.end()
            self._chain()
        elif bare.endswith(_FIRST_CALL_LAST):
            self._begin(_Open(headed=True, reverse=True))
        elif group := _GROUP_LINE.match(line):
            self._begin(_Open(headed=bool(group[1])))
            self._chain()
        elif not self._frame(line):
            self._other(line, bare)
        self._number = number

    def _begin(self, other: _Open) -> None:
        self.end()
        self._open = other

    def end(self) -> None:
        """Close what is open: an exception where its error was read, or at least one of its frames."""
        if self._open.reverse and self._open.frames:
            self._open.type, self._open.message = "Fatal Python error", [self._fatal]
        if self._open.type or self._open.frames:
            self.found.append((self._number, self._open.raised()))
        self._open = _Open()

    def _chain(self) -> None:
        if self.found:
            number, last = self.found.pop()
            self.found.append((number, Raised(last.type, last.message, last.frames, leads=True)))

    def _frame(self, line: str) -> bool:
        """Take a line that tells a frame."""
        match = _FRAME.match(line)
        if match:
            self._to_frames()
            self._open.add(Frame(match[1], int(match[2][-9:]), match[3] or ""))
            return True
        match = _SHORT_FRAME.match(line)
        if not match:
            return False
        frame = Frame(match[1], int(match[2][-9:]), (match[3] or "").partition("(")[0], self._marked)
        self._marked = ""
        if match[4] and self._open.type is not None:  # the long form of pytest tells the place after the error
            self._open.add(frame)
            self.end()
        elif match[3] or match[4] is None or frame.source:
            self._to_frames()
            self._open.located = match[4] is not None
            self._open.add(frame)
        return True

    def _to_frames(self) -> None:
        """Be where frames are read: after an error, or what seemed to be one, another traceback begins."""
        if self._open.type is not None:
            self.end()

    def _other(self, line: str, bare: str) -> None:
        """Take a line that is no frame: source, an error, the rest of its message, or nothing of a traceback."""
        current = self._open
        if line.startswith("Fatal Python error: "):
            self._fatal = line.removeprefix("Fatal Python error: ")
        elif line.startswith("E   ") or line == "E":
            self._pytest_error(line[4:])
        elif line.startswith((">  ", "❱ ", "-->", "--->", "---->")):
            self._point(line)
        elif current.type is not None:
            self._message(line, bare)
        elif current.located:
            self._end_at_log(line)
        elif current.frames and (line[:1].isspace() or not bare):
            self._source(line, bare)
        elif current.frames or current.headed or _BARE.match(line):
            self._error(line)

    def _error(self, line: str) -> None:
        match = _ERROR.match(line)
        if match:
            self._open.type, self._open.message = match[1], [match[2] or ""]
        elif self._open.frames and line[:1] not in "╰╭":
            self.end()

    def _pytest_error(self, text: str) -> None:
        if self._open.type is not None:
            self._open.message.append(text.strip())
            del self._open.message[_MAX_MESSAGE_LINES:]
        elif match := _ERROR.match(text.strip()):
            self._open.type, self._open.message, self._open.headed = match[1], [match[2] or ""], True

    def _point(self, line: str) -> None:
        """Take a line that an arrow points at: it is the source of the frame above, or of one that is told below."""
        source = line.lstrip(">-❱ ")
        number, _, rest = source.partition(" ")
        source = rest.lstrip(" │|") if number.isdecimal() else source
        frames = self._open.frames
        if line.startswith(">  "):
            self._marked = source.strip()[:_MAX_SOURCE]
        elif frames:
            frames[-1] = _with_source(frames[-1], source)

    def _source(self, line: str, bare: str) -> None:
        frames = self._open.frames
        if bare.strip("~^ ") and not _REPEATED.match(line):
            frames[-1] = _with_source(frames[-1], bare)

    def _end_at_log(self, line: str) -> None:
        if _LOGGED.match(line) and bool(line.strip("_ ")):
            self.end()

    def _message(self, line: str, bare: str) -> None:
        message = self._open.message
        if _LOGGED.match(line) or len(message) >= _MAX_MESSAGE_LINES or (not bare and message[-1:] == [""]):
            self.end()
        elif not self._open.frames and not self._open.headed:
            self.end()  # an error that stands alone has one line: who knows what follows
            if _BARE.match(line):
                self._error(line)
        else:
            message.append(line)


def _with_source(frame: Frame, source: str) -> Frame:
    """A frame with one more line of its source; since Python 3.13 a traceback shows all lines of a statement."""
    joined = f"{frame.source} {source.strip()}" if frame.source else source.strip()
    return Frame(frame.file, frame.line, frame.function, joined[:_MAX_SOURCE])
